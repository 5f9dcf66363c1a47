// The table behind ir/eval.h: each family of operators registers its functions.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "ir/eval.h"

namespace onward::ir::eval {

struct Call {
  const std::vector<const Tensor*>& inputs;
  const Attrs& attrs;
  size_t output_count;
  size_t max_bytes;

  const Tensor* input(size_t index) const { return index < inputs.size() ? inputs[index] : nullptr; }
  // Throws Unfit when it is missing.
  const Tensor& required(size_t index) const;
  // Throws Unfit when a result of that size may not be made.
  void allow(DType dtype, const Dims& dims) const;
};

// Thrown inside evaluation: the operator is left to run time.
struct Unfit {};

using Function = std::vector<Tensor> (*)(const Call&);
using EvalTable = std::map<std::string, Function, std::less<>>;

void register_elementwise(EvalTable& table);
void register_layout(EvalTable& table);
void register_reductions(EvalTable& table);
void register_indexing(EvalTable& table);

// --- helpers shared by the families ---

// `axis` in [0, rank); throws Unfit otherwise.
size_t checked_axis(int64_t axis, size_t rank);
// Row-major element strides.
Dims strides_of(const Dims& dims);
// Throws Unfit when the dims don't broadcast.
Dims broadcast_dims(const Dims& a, const Dims& b);
// Strides to walk `dims` as if it had been broadcast to `target` (0 along broadcast axes).
Dims broadcast_strides(const Dims& dims, const Dims& target);
// Bytes of one element; throws Unfit for strings and 4-bit types.
size_t element_size(const Tensor& tensor);
// A tensor of `dims` whose element i is `source`'s element at offset(i); `strides` and `start` describe the walk.
Tensor strided_copy(const Tensor& source, const Dims& dims, const Dims& strides, int64_t start = 0);

}  // namespace onward::ir::eval
