#include "server/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/error.h"

namespace onward::server {
namespace {

void write(std::string_view level, std::string_view message, const Json& details) {
  Json line = Json::object({{"time", utc_now()}, {"level", level}, {"message", message}});
  for (const Json::Member& member : details.as_object()) line.set(member.first, member.second);
  const std::string text = line.dump() + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace

std::string utc_now() {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

void Log::error(std::string_view message, const Json& details) const {
  if (error_) write("error", message, details);
}

void Log::info(std::string_view message, const Json& details) const {
  if (info_) write("info", message, details);
}

Json Log::settings() const {
  return Json::object({{"log_file", ""},
                       {"log_info", info_.load()},
                       {"log_warning", warning_.load()},
                       {"log_error", error_.load()},
                       {"log_verbose_level", verbose_.load()},
                       {"log_format", "json"}});
}

void Log::change(const Json& changes) {
  for (const auto& [key, value] : changes.as_object()) {
    if (key == "log_info") {
      info_ = value.as_bool();
    } else if (key == "log_warning") {
      warning_ = value.as_bool();
    } else if (key == "log_error") {
      error_ = value.as_bool();
    } else if (key == "log_verbose_level") {
      verbose_ = value.as_int();
    } else if (key == "log_file" || key == "log_format") {
      if (value.as_string() != settings().at(key).as_string()) {
        fail_unsupported("\"" + key + "\" can't be changed by request", "the log goes to stderr as JSON lines");
      }
    } else {
      fail_invalid("there is no log setting \"" + key + "\"",
                   "there are log_error, log_warning, log_info and log_verbose_level");
    }
  }
}

}  // namespace onward::server
