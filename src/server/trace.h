// Distributed tracing: W3C trace context in, spans out to an OpenTelemetry collector (OTLP over HTTP, JSON).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/json.h"
#include "client/http.h"

namespace onward::server {

struct TraceContext {
  std::string trace_id;  // 32 hexadecimal digits
  std::string span_id;   // 16; of this request
  std::string parent;    // 16; of the caller, empty where the trace begins here
};

// Reads a traceparent header ("00-<trace>-<span>-<flags>"); nothing where it is malformed. `span_id` is left empty.
std::optional<TraceContext> read_traceparent(std::string_view header, bool& sampled);

struct Span {
  TraceContext context;
  std::string name;
  uint64_t start_ns = 0;  // since the Unix epoch
  uint64_t end_ns = 0;
  bool failed = false;
  std::vector<std::pair<std::string, std::string>> attributes;
};

// The body of an OTLP/HTTP export request.
Json export_request(const std::vector<Span>& spans);

// Thread-safe. Spans are sent in the background; when the collector is away they are dropped, never waited for.
class Tracer {
 public:
  // `endpoint` like "http://127.0.0.1:4318/v1/traces", or https://; empty: nothing is exported. Throws
  // Error(kInvalidArgument).
  explicit Tracer(const std::string& endpoint);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  bool on() const { return on_.load(std::memory_order_relaxed); }
  // Whether and as what this request is traced: a caller that samples decides, else one request in `rate`.
  std::optional<TraceContext> begin(std::string_view traceparent);
  void end(Span span);

  // Triton's trace settings: trace_level (OFF or TIMESTAMPS) and trace_rate can be changed.
  Json settings() const;
  void change(const Json& changes);

 private:
  static constexpr size_t kMostWaiting = 4096;

  void work();

  client::Url collector_;
  std::atomic<bool> on_{false};
  std::atomic<int64_t> rate_{1};
  std::atomic<int64_t> count_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Span> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace onward::server
