// What the server writes to stderr, switchable while it runs (Triton's log settings).
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/json.h"

namespace onward::server {

// Thread-safe. Each entry is one line of JSON, so that log collectors can read it: {"time":…,"level":"info",…}.
class Log {
 public:
  void error(std::string_view message, const Json& details = Json::object()) const;
  void info(std::string_view message, const Json& details = Json::object()) const;
  // Whether each request is logged.
  bool requests() const { return verbose_.load(std::memory_order_relaxed) > 0; }
  void log_requests() { verbose_ = 1; }

  // {"log_error": true, "log_warning": true, "log_info": true, "log_verbose_level": 0, …}
  Json settings() const;
  // Changes the settings that `changes` names; throws Error(kInvalidArgument) for an unknown one or a wrong type, and
  // kUnimplemented for a log file: no request names a file.
  void change(const Json& changes);

 private:
  std::atomic<bool> error_{true};
  std::atomic<bool> warning_{true};
  std::atomic<bool> info_{true};
  std::atomic<int64_t> verbose_{0};
};

// "2026-01-31T12:00:00Z", the time now.
std::string utc_now();

}  // namespace onward::server
