#include "cli/predict/sources.h"

namespace onward::cli {

serving::Source parse_source(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals != std::string::npos && equals > 0 && !std::filesystem::exists(text)) {
    return {text.substr(0, equals), text.substr(equals + 1)};
  }
  std::filesystem::path path(text);
  if (path.filename().empty()) path = path.parent_path();  // "folder/"
  return {path.stem().string(), text};
}

}  // namespace onward::cli
