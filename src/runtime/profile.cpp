#include "runtime/profile.h"

#include "base/error.h"
#include "base/json.h"

namespace onward::runtime {
namespace {

constexpr std::string_view kKernel = "_kernel_time";
constexpr std::string_view kFused = "_token_";

// "conv1_token_7_kernel_time" → "conv1"
std::string node_of(std::string_view event) {
  event.remove_suffix(kKernel.size());
  const size_t token = event.rfind(kFused);
  if (token != std::string_view::npos) {
    const std::string_view number = event.substr(token + kFused.size());
    if (!number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos) {
      event = event.substr(0, token);
    }
  }
  return std::string(event);
}

}  // namespace

std::map<std::string, std::vector<double>> read_profile(std::string_view json) {
  std::map<std::string, std::vector<double>> times;
  const Json events = Json::parse(json);
  for (const Json& event : events.as_array()) {
    const std::string name = event.get("name", "");
    if (event.get("cat", "") != "Node" || !name.ends_with(kKernel)) continue;
    times[node_of(name)].push_back(event.at("dur").as_double() / 1000);
  }
  return times;
}

}  // namespace onward::runtime
