// TensorFlow's types and tensors as the IR has them.
#pragma once

#include "formats/array.h"
#include "formats/tensorflow/types.h"
#include "ir/tensor.h"

namespace onward::importer::tf {

// kUndefined for resources, variants and what ONNX doesn't know. Quantized types are the integers that store them.
ir::DType to_dtype(tensorflow::DataType type);
// Shares the bytes. Throws Error(kUnimplemented) for elements that ONNX doesn't know.
ir::Tensor to_tensor(const Array& array, const std::string& what);
// Unknown dimensions stay unknown.
std::optional<ir::Shape> to_shape(const tensorflow::PartialShape& shape);
// Unknown dimensions get the names of an input's: "batch" or "<name>_dim_<i>".
std::optional<ir::Shape> to_input_shape(const tensorflow::PartialShape& shape, const std::string& name, bool only);

}  // namespace onward::importer::tf
