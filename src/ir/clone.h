// A copy of a model that can be changed without changing the original; constants share their bytes.
#pragma once

#include "ir/graph.h"

namespace onward::ir {

Model clone(const Model& model);

}  // namespace onward::ir
