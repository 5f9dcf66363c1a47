// From method and path to a handler.
#pragma once

#include <atomic>
#include <boost/container/small_vector.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/access.h"
#include "server/background.h"
#include "server/http/message.h"
#include "server/log.h"
#include "server/options.h"
#include "server/trace.h"
#include "server/watchers.h"

namespace onward::server {

// What handlers work on; lives as long as the server.
struct Context {
  const ServeOptions& options;
  serving::Repository& repository;
  serving::Scheduler& scheduler;
  Background& background;  // for what nobody waits for
  Background& on_demand;   // for what a request waits for
  KeyRing& keys;
  Log& log;
  Tracer& tracer;
  Watchers watchers{};
  std::atomic<bool> draining{false};
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> grpc_calls{0};
  serving::Clock::time_point started = serving::Clock::now();

  // Whether requests are taken: something is served and the server is not stopping.
  bool ready() const { return !draining && (!repository.models().empty() || !repository.parked().empty()); }
};

// One request on its way to one handler.
struct Call {
  Context& context;
  http::RequestPtr request;
  boost::container::small_vector<std::pair<std::string_view, std::string>, 2> params;  // {name} of the path, decoded
  http::Respond respond;

  // Empty where the route has no such segment.
  std::string_view param(std::string_view name) const;
};

// Answers through call.respond, now or later; what it throws becomes the error answer.
using Handler = void (*)(const Call& call);

struct Route {
  std::string_view method;
  std::string_view path;  // "/v2/models/{model}/infer"
  Handler handler;
  Role role;
  std::string_view tag;
  std::string_view summary;
  std::string_view request_type = {};  // of the body; empty for none
};

using PathSegments = boost::container::small_vector<std::string_view, 8>;

class Router {
 public:
  explicit Router(const std::vector<Route>& routes);

  // Finds the route and checks the caller's key. Answers 404 for an unknown path, 405 with Allow for a wrong method,
  // 401 and 403 for keys.
  void handle(Context& context, http::RequestPtr request, http::Respond respond) const;

 private:
  struct Pattern {
    Route route;
    PathSegments segments;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace onward::server
