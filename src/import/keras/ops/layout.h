// Between Keras' channels_last and ONNX's channels_first.
#pragma once

#include "ir/builder.h"

namespace onward::importer::keras {

inline std::vector<int64_t> channels_to_front(size_t rank) {
  std::vector<int64_t> perm{0, static_cast<int64_t>(rank) - 1};
  for (size_t i = 1; i + 1 < rank; ++i) perm.push_back(static_cast<int64_t>(i));
  return perm;
}

inline std::vector<int64_t> channels_to_back(size_t rank) {
  std::vector<int64_t> perm{0};
  for (size_t i = 2; i < rank; ++i) perm.push_back(static_cast<int64_t>(i));
  perm.push_back(1);
  return perm;
}

// `compute` on `x` with its channels at axis 1, whichever way the layer has them.
template <class Compute>
ir::Value* in_nchw(ir::Builder& b, ir::Value* x, bool channels_first, const Compute& compute) {
  if (channels_first || x->rank() < 3) return compute(x);
  const size_t rank = x->rank();
  return b.Transpose(compute(b.Transpose(x, channels_to_front(rank))), channels_to_back(rank));
}

}  // namespace onward::importer::keras
