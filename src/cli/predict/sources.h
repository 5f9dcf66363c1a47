// Models as users name them on the command line.
#pragma once

#include <string>

#include "serving/repository.h"

namespace onward::cli {

// NAME=PATH, or a path whose stem is the name. A path may itself contain "=": it counts when it exists.
serving::Source parse_source(const std::string& text);

}  // namespace onward::cli
