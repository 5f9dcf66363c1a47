#include "runtime/arrays.h"

#include <fmt/format.h>

#include "base/error.h"

namespace onward::runtime {

using ir::DType;
using ir::Tensor;

Tensor to_tensor(const Array& array, std::string_view what) {
  if (array.dtype == "string") return Tensor::of_strings(array.shape, array.strings);
  const auto dtype = ir::dtype_from_name(array.dtype);
  if (!dtype) fail_unsupported(fmt::format("{} has dtype {}, which no model takes", what, array.dtype));
  return {*dtype, array.shape, array.data};
}

Array to_array(const Tensor& tensor) {
  Array array{std::string(ir::dtype_name(tensor.dtype())), tensor.dims(), {}, {}};
  if (tensor.dtype() == DType::kString) {
    array.strings = tensor.strings();
  } else {
    array.data = tensor.bytes();
  }
  return array;
}

Tensor as_stored(const Tensor& tensor, DType wanted) {
  if (tensor.dtype() == DType::kUInt16 && wanted == DType::kBFloat16) {
    return {DType::kBFloat16, tensor.dims(), tensor.bytes()};
  }
  if (ir::is_complex(tensor.dtype()) && ir::is_floating(wanted)) {
    ir::Dims dims = tensor.dims();
    dims.push_back(2);
    return {tensor.dtype() == DType::kComplex64 ? DType::kFloat : DType::kDouble, std::move(dims), tensor.bytes()};
  }
  return tensor;
}

}  // namespace onward::runtime
