// How Keras encodes categories: as numbers, one-hot, multi-hot or counts.
#pragma once

#include <string>

#include "import/keras/context.h"

namespace onward::importer::keras {

// `x` holds numbers (int64); those outside of [0, depth) set nothing. `mode`: "int", "one_hot", "multi_hot" or "count".
// `weights` (of counts) may be null; they then decide the dtype.
ir::Value* encode_categories(const Context& ctx, ir::Value* x, const std::string& mode, int64_t depth, ir::DType dtype,
                             ir::Value* weights = nullptr);

// The layer's own dtype ("dtype" in its config) where it is an integer one, else `fallback`.
ir::DType encoded_dtype(const Context& ctx, ir::DType fallback);

}  // namespace onward::importer::keras
