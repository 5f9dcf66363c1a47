// What is noted about each request: a line in the access log and a span of its trace.
#pragma once

#include "server/http/message.h"
#include "server/router.h"

namespace onward::server {

struct Exchange {
  std::string remote;
  std::string method;  // "GET" …, or "gRPC"
  std::string path;
  int status = 0;  // HTTP's or gRPC's
  bool failed = false;
  size_t in = 0;  // bytes
  size_t out = 0;
  serving::Clock::duration took{};
  std::string traceparent;  // as the caller sent it
  std::optional<TraceContext> trace;
};

// Whether note() has anything to do.
bool is_noted(const Context& context, const std::optional<TraceContext>& trace);
void note(Context& context, const Exchange& exchange);

// `respond`, which also notes the exchange where that is wanted.
http::Respond observed(Context& context, const http::RequestPtr& request, http::Respond respond);

}  // namespace onward::server
