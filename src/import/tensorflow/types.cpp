#include "import/tensorflow/types.h"

#include "base/error.h"

namespace onward::importer::tf {

ir::DType to_dtype(tensorflow::DataType type) {
  return ir::dtype_from_name(tensorflow::dtype_name(type)).value_or(ir::DType::kUndefined);
}

ir::Tensor to_tensor(const Array& array, const std::string& what) {
  if (array.dtype == "string") return ir::Tensor::of_strings(array.shape, array.strings);
  const auto dtype = ir::dtype_from_name(array.dtype);
  if (!dtype) fail_unsupported(what + ": elements of type " + array.dtype);
  return {*dtype, array.shape, array.data};
}

std::optional<ir::Shape> to_shape(const tensorflow::PartialShape& shape) {
  if (!shape) return std::nullopt;
  ir::Shape dims;
  for (const int64_t dim : *shape) dims.push_back(dim < 0 ? ir::Dim() : ir::Dim(dim));
  return dims;
}

std::optional<ir::Shape> to_input_shape(const tensorflow::PartialShape& shape, const std::string& name, bool only) {
  std::optional<ir::Shape> dims = to_shape(shape);
  if (!dims) return dims;
  for (size_t i = 0; i < dims->size(); ++i) {
    if ((*dims)[i].is_known()) continue;
    (*dims)[i] = ir::Dim(only && i == 0 ? std::string("batch") : name + "_dim_" + std::to_string(i));
  }
  return dims;
}

}  // namespace onward::importer::tf
