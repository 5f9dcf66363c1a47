#include "server/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "base/error.h"

namespace onward::server {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::string_view kOtlpPort = "4318";

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) { return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos; }

std::string random_hex(size_t digits) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::string text;
  while (text.size() < digits) text += fmt::format("{:016x}", random() | 1U);
  return text;
}

Json text_attribute(std::string_view key, std::string_view value) {
  return Json::object({{"key", key}, {"value", Json::object({{"stringValue", value}})}});
}

Json span_json(const Span& span) {
  constexpr int kServer = 2;
  constexpr int kError = 2;
  Json attributes = Json::array();
  for (const auto& [key, value] : span.attributes) attributes.push(text_attribute(key, value));
  Json json = Json::object({{"traceId", span.context.trace_id},
                            {"spanId", span.context.span_id},
                            {"name", span.name},
                            {"kind", kServer},
                            {"startTimeUnixNano", std::to_string(span.start_ns)},
                            {"endTimeUnixNano", std::to_string(span.end_ns)},
                            {"attributes", std::move(attributes)}});
  if (!span.context.parent.empty()) json.set("parentSpanId", span.context.parent);
  if (span.failed) json.set("status", Json::object({{"code", kError}}));
  return json;
}

// A collector that is away or refuses loses these spans, and no request waits for it.
void send(client::Connection& collector, const std::string& path, const std::string& body) {
  try {
    collector.exchange("POST", path, body, {{"Content-Type", "application/json"}});
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable && error.code() != Code::kDeadlineExceeded) throw;
  }
}

}  // namespace

std::optional<TraceContext> read_traceparent(std::string_view header, bool& sampled) {
  // 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01; later versions may append more.
  constexpr size_t kLength = 55;
  if (header.size() < kLength || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  const std::string_view flags = header.substr(53, 2);
  if (!is_hex(version) || version == "ff" || !is_hex(flags)) return std::nullopt;
  if (version == "00" ? header.size() != kLength : header.size() > kLength && header[kLength] != '-') {
    return std::nullopt;
  }
  const TraceContext context{std::string(header.substr(3, 32)), {}, std::string(header.substr(36, 16))};
  if (!is_id(context.trace_id) || !is_id(context.parent)) return std::nullopt;
  sampled = (std::string_view("13579bdf").find(flags[1]) != std::string_view::npos);
  return context;
}

Json export_request(const std::vector<Span>& spans) {
  Json list = Json::array();
  for (const Span& span : spans) list.push(span_json(span));
  const Json scope = Json::object({{"scope", Json::object({{"name", "onward"}})}, {"spans", std::move(list)}});
  const Json resource = Json::object({{"attributes", Json::array({text_attribute("service.name", "onward")})}});
  return Json::object(
      {{"resourceSpans", Json::array({Json::object({{"resource", resource}, {"scopeSpans", Json::array({scope})}})})}});
}

Tracer::Tracer(const std::string& endpoint) {
  if (endpoint.empty()) return;
  if (!client::is_url(endpoint)) {
    fail_invalid("\"" + endpoint + "\" is no address to send traces to",
                 "give one like http://127.0.0.1:4318/v1/traces");
  }
  collector_ = client::parse_url(endpoint, kOtlpPort);
  if (collector_.path == "/") collector_.path = "/v1/traces";
  on_ = true;
  thread_ = std::thread([this] { work(); });
}

Tracer::~Tracer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::optional<TraceContext> Tracer::begin(std::string_view traceparent) {
  if (!on_.load(std::memory_order_relaxed)) return std::nullopt;
  bool sampled = false;
  std::optional<TraceContext> context = read_traceparent(traceparent, sampled);
  if (context && !sampled) return std::nullopt;
  if (!context) {
    if (count_.fetch_add(1, std::memory_order_relaxed) % rate_.load(std::memory_order_relaxed) != 0) {
      return std::nullopt;
    }
    context = TraceContext{random_hex(32), {}, {}};
  }
  context->span_id = random_hex(16);
  return context;
}

void Tracer::end(Span span) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMostWaiting) return;
    waiting_.push_back(std::move(span));
  }
  wake_.notify_one();
}

Json Tracer::settings() const {
  return Json::object({{"trace_level", Json::array({Json(on_ ? "TIMESTAMPS" : "OFF")})},
                       {"trace_rate", std::to_string(rate_.load())},
                       {"trace_count", "-1"},
                       {"trace_mode", "opentelemetry"}});
}

void Tracer::change(const Json& changes) {
  for (const auto& [key, value] : changes.as_object()) {
    const Json& first = value.is_array() && value.size() > 0 ? value.at(size_t{0}) : value;
    if (key == "trace_level") {
      const std::string& level = first.as_string();
      if (level != "OFF" && level != "TIMESTAMPS") fail_invalid("trace_level must be OFF or TIMESTAMPS");
      if (level != "OFF" && !thread_.joinable()) {
        throw Error(Code::kFailedPrecondition, "there is no collector to send traces to",
                    "start the server with --otlp http://HOST:4318/v1/traces");
      }
      on_ = level != "OFF";
    } else if (key == "trace_rate") {
      const std::string text = first.is_int() ? std::to_string(first.as_int()) : first.as_string();
      int64_t rate = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
      if (error != std::errc() || end != text.data() + text.size() || rate < 1) {
        fail_invalid("trace_rate must be a whole number of at least 1");
      }
      rate_ = rate;
    } else {
      fail_unsupported("the trace setting \"" + key + "\" can't be changed", "there are trace_level and trace_rate");
    }
  }
}

void Tracer::work() {
  client::Connection collector(collector_, kPatience);
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    // What comes within a moment goes together.
    wake_.wait_for(lock, std::chrono::milliseconds(200), [this] { return stopping_; });
    const std::vector<Span> spans = std::move(waiting_);
    waiting_.clear();
    const bool last = stopping_;
    lock.unlock();
    send(collector, collector_.path, export_request(spans).dump());
    lock.lock();
    if (last) return;
  }
}

}  // namespace onward::server
