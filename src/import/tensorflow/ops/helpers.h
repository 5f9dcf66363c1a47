// What several operator families need.
#pragma once

#include "import/common/arithmetic.h"
#include "import/common/axes.h"
#include "import/common/layout.h"
#include "import/tensorflow/call.h"

namespace onward::importer::tf {

constexpr int64_t kFromStart = std::numeric_limits<int64_t>::min();

// --- shapes
// An int64 vector out of a rank 0 or 1 integer tensor.
ir::Value* as_vector(ir::Builder& b, ir::Value* x);
// Rank 0 out of a tensor with one element.
ir::Value* as_scalar(ir::Builder& b, ir::Value* x);
// Rank 0, int64.
ir::Value* rank_value(ir::Builder& b, ir::Value* x);
// TensorFlow's reshape: zeros are zeros.
ir::Value* reshape(ir::Builder& b, ir::Value* x, ir::Value* shape);
// The dimensions from `start` on, before `end`; int64 vectors.
ir::Value* dims(ir::Builder& b, ir::Value* x, int64_t start, int64_t end = kToEnd);
// The product of a vector's elements, rank 1 with one element.
ir::Value* product(ir::Builder& b, ir::Value* vector);
// The last two axes swapped; where the rank is not known, fails.
ir::Value* swapped(ir::Builder& b, ir::Value* x);

// --- values
// What a variable holds now; fails where the file does not say.
const Item& variable_content(Call& c, const Resource& resource);
// The least and the greatest number of a type; infinities for floats.
double lowest(ir::DType dtype);
double highest(ir::DType dtype);
// low <= x < high
ir::Value* within(ir::Builder& b, ir::Value* x, ir::Value* low, ir::Value* high);
// `fill` of rank 0, spread over `shape`.
ir::Value* filled(ir::Builder& b, ir::Value* shape, ir::Value* fill);

// --- scattering
// `updates` [N…, rest] into `data` at the rows `indices` [N…, K] of its first K dimensions; reduction "none", "add",
// "mul", "max", "min". Repeated indices combine in order.
ir::Value* scatter(ir::Builder& b, ir::Value* data, ir::Value* indices, ir::Value* updates, const char* reduction);

// --- images
// `compute` on `x` with its channels at axis 1.
template <class Compute>
ir::Value* in_nchw(ir::Builder& b, ir::Value* x, size_t rank, bool channels_first, const Compute& compute) {
  if (channels_first) return compute(x);
  return b.Transpose(compute(b.Transpose(x, channels_to_front(rank))), channels_to_back(rank));
}
// Whether the attribute data_format puts channels first.
bool channels_first(const Call& c, const char* fallback = "NHWC");
// What concerns the spatial axes of an attribute with one number a dimension.
std::vector<int64_t> spatial(const std::vector<int64_t>& all, bool channels_first);

}  // namespace onward::importer::tf
