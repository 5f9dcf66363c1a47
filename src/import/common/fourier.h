// Fourier transforms along one dimension. Complex numbers are pairs in a last dimension of 2, as ONNX's DFT has them.
#pragma once

#include "import/common/complex.h"

namespace onward::importer {

// What the result is divided by.
enum class Norm { kNone, kRoot, kLength };

// `x` is real or complex; `length` (rank 1, null: the dimension's own) cuts or pads it with zeros. One-sided: of a real
// signal, the first half of the spectrum. The result is complex.
ir::Value* transform(ir::Builder& b, ir::Value* x, int64_t axis, ir::Value* length, bool inverse, Norm norm,
                     bool onesided);
// The real signal of `length` (null: an even one) whose spectrum's first half is `x`.
ir::Value* real_inverse(ir::Builder& b, ir::Value* x, int64_t axis, ir::Value* length, Norm norm);

}  // namespace onward::importer
