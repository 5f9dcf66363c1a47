#include "server/observe.h"

#include <fmt/format.h>

#include "server/protocol/json_tensor.h"

namespace onward::server {
namespace {

uint64_t unix_ns(std::chrono::system_clock::time_point time) {
  return static_cast<uint64_t>(std::chrono::nanoseconds(time.time_since_epoch()).count());
}

void log_line(const Exchange& exchange) {
  std::string line = fmt::format(R"({{"time":"{}","level":"request")", utc_now());
  const auto add = [&line](std::string_view key, std::string_view value) {
    line.append(",\"").append(key).append("\":");
    write_json_string(line, value);
  };
  add("remote", exchange.remote);
  add("method", exchange.method);
  add("path", exchange.path);
  fmt::format_to(std::back_inserter(line), R"(,"status":{},"in":{},"out":{},"ms":{:.3f})", exchange.status, exchange.in,
                 exchange.out, std::chrono::duration<double, std::milli>(exchange.took).count());
  if (exchange.trace) {
    add("trace", exchange.trace->trace_id);
  } else if (!exchange.traceparent.empty()) {
    add("traceparent", exchange.traceparent);
  }
  line += "}\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

Span span_of(const Exchange& exchange) {
  const auto now = std::chrono::system_clock::now();
  return {.context = *exchange.trace,
          .name = exchange.method + " " + exchange.path,
          .start_ns = unix_ns(now - std::chrono::duration_cast<std::chrono::system_clock::duration>(exchange.took)),
          .end_ns = unix_ns(now),
          .failed = exchange.failed,
          .attributes = {{"http.request.method", exchange.method},
                         {"url.path", exchange.path},
                         {"http.response.status_code", std::to_string(exchange.status)},
                         {"client.address", exchange.remote}}};
}

}  // namespace

bool is_noted(const Context& context, const std::optional<TraceContext>& trace) {
  return trace.has_value() || context.log.requests();
}

void note(Context& context, const Exchange& exchange) {
  if (context.log.requests()) log_line(exchange);
  if (exchange.trace) context.tracer.end(span_of(exchange));
}

http::Respond observed(Context& context, const http::RequestPtr& request, http::Respond respond) {
  if (!context.tracer.on() && !context.log.requests()) return respond;
  std::optional<TraceContext> trace = context.tracer.begin(request->header("traceparent"));
  if (!is_noted(context, trace)) return respond;
  return [&context, request, trace, respond = std::move(respond)](http::Response response) {
    note(context, {.remote = request->remote,
                   .method = request->method,
                   .path = std::string(request->path()),
                   .status = response.status,
                   .failed = response.status >= 500,
                   .in = request->body.size(),
                   .out = response.size(),
                   .took = serving::Clock::now() - request->arrived,
                   .traceparent = std::string(request->header("traceparent")),
                   .trace = trace});
    respond(std::move(response));
  };
}

}  // namespace onward::server
