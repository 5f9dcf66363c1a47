// Arrays as files hold them, as tensors and back. No bytes are copied.
#pragma once

#include <string_view>

#include "formats/array.h"
#include "ir/tensor.h"

namespace onward::runtime {

// Throws Error(kUnimplemented) naming `what` for a dtype that tensors lack (quantized ones).
ir::Tensor to_tensor(const Array& array, std::string_view what);
Array to_array(const ir::Tensor& tensor);

// What .npz files can't say of `wanted`: a bfloat16 tensor is stored as its bits, in uint16, and the real pair that
// stands for a complex number as that number. Anything else as it is.
ir::Tensor as_stored(const ir::Tensor& tensor, ir::DType wanted);

}  // namespace onward::runtime
