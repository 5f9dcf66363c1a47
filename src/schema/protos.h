// Between the IR and ONNX's protobuf messages, piece by piece. Used by src/schema, src/export and src/import/onnx, the
// only code that sees protobuf.
#pragma once

#include <onnx/onnx_pb.h>

#include "ir/graph.h"

namespace onward::schema {

void fill_dim(const ir::Dim& dim, onnx::TensorShapeProto::Dimension& proto);
ir::Dim read_dim(const onnx::TensorShapeProto::Dimension& proto);

// `value`'s kind, dtype and shape.
void fill_type(const ir::Value& value, onnx::TypeProto& proto);
// Sets what `proto` knows and leaves the rest of `value` as it is.
void read_type(const onnx::TypeProto& proto, ir::Value& value);

// dtype, dims and content (raw_data or string_data).
void fill_tensor(const ir::Tensor& tensor, onnx::TensorProto& proto);
// dtype and dims only.
void fill_tensor_header(const ir::Tensor& tensor, onnx::TensorProto& proto);

// Every kind but subgraphs.
void fill_attribute(const std::string& name, const ir::Attr& attr, onnx::AttributeProto& proto);

}  // namespace onward::schema
