// Inputs for a model when nobody has any.
#pragma once

#include "runtime/session.h"

namespace onward::tasks {

// Floats from 0 to 1, integers 0 or 1, the same for the same seed; a dimension that varies is taken for 1 if it is the
// first, else for a typical size. Throws Error(kUnimplemented) for strings.
std::vector<ir::Tensor> random_feeds(const std::vector<runtime::ValueInfo>& inputs, unsigned seed);

}  // namespace onward::tasks
