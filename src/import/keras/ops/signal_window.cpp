#include "import/keras/ops/signal_window.h"

#include <cmath>
#include <numbers>

#include "base/error.h"

namespace onward::importer::keras {

std::vector<double> signal_window(const Json& given, int64_t length, int64_t size) {
  const Json& list = given.is_object() && given.contains("config") ? given["config"]["value"] : given;
  const std::string name = given.is_string() ? given.as_string() : "";
  if (!name.empty() && name != "hann" && name != "hamming") fail_unsupported("the window \"" + name + "\" is unknown");
  if (list.is_array() && static_cast<int64_t>(list.size()) != length) fail_data("a window has another length");
  std::vector<double> window(static_cast<size_t>(size), 0.0);
  const int64_t left = (size - length) / 2;
  for (int64_t i = 0; i < length; ++i) {
    const double phase = std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(length));
    double weight = 1;
    if (name == "hann") weight = 0.5 - 0.5 * phase;
    if (name == "hamming") weight = 0.54 - 0.46 * phase;
    if (list.is_array()) weight = list.at(static_cast<size_t>(i)).as_double();
    window[static_cast<size_t>(left + i)] = weight;
  }
  return window;
}

}  // namespace onward::importer::keras
