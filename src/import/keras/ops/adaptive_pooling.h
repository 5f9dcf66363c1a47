// Pooling to a fixed size, for the layers and the operators.
#pragma once

#include <vector>

#include "ir/builder.h"

namespace onward::importer::keras {

// The axes of `x` from `first` on pooled to the sizes `out`. Throws Error(kUnimplemented) where a size of `x` must be
// known and is not.
ir::Value* adaptive_pool(ir::Builder& b, ir::Value* x, int64_t first, const std::vector<int64_t>& out, bool max);

}  // namespace onward::importer::keras
