// Between Keras' channels_last and ONNX's channels_first.
#pragma once

#include "import/common/layout.h"
#include "ir/builder.h"

namespace onward::importer::keras {

// `compute` on `x` with its channels at axis 1, whichever way the layer has them.
template <class Compute>
ir::Value* in_nchw(ir::Builder& b, ir::Value* x, bool channels_first, const Compute& compute) {
  if (channels_first || x->rank() < 3) return compute(x);
  const size_t rank = x->rank();
  return b.Transpose(compute(b.Transpose(x, channels_to_front(rank))), channels_to_back(rank));
}

}  // namespace onward::importer::keras
