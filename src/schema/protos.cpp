#include "schema/protos.h"

#include "base/error.h"

namespace onward::schema {

void fill_dim(const ir::Dim& dim, onnx::TensorShapeProto::Dimension& proto) {
  if (dim.is_known()) {
    proto.set_dim_value(dim.value());
  } else if (dim.is_symbol()) {
    proto.set_dim_param(dim.symbol());
  }
}

ir::Dim read_dim(const onnx::TensorShapeProto::Dimension& proto) {
  if (proto.has_dim_value()) return ir::Dim(proto.dim_value());
  if (proto.has_dim_param() && !proto.dim_param().empty()) return ir::Dim(proto.dim_param());
  return {};
}

namespace {

void fill_tensor_type(const ir::Value& value, onnx::TypeProto::Tensor& proto) {
  proto.set_elem_type(static_cast<int32_t>(value.dtype));
  if (!value.shape) return;
  auto* shape = proto.mutable_shape();
  for (const ir::Dim& dim : *value.shape) fill_dim(dim, *shape->add_dim());
}

void read_tensor_type(const onnx::TypeProto::Tensor& proto, ir::Value& value) {
  if (proto.elem_type() != 0) value.dtype = static_cast<ir::DType>(proto.elem_type());
  if (!proto.has_shape()) return;
  ir::Shape shape;
  for (const auto& dim : proto.shape().dim()) shape.push_back(read_dim(dim));
  value.shape = std::move(shape);
}

}  // namespace

void fill_type(const ir::Value& value, onnx::TypeProto& proto) {
  switch (value.kind) {
    case ir::Kind::kTensor:
      fill_tensor_type(value, *proto.mutable_tensor_type());
      break;
    case ir::Kind::kSequence:
      fill_tensor_type(value, *proto.mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type());
      break;
    case ir::Kind::kOptional:
      fill_tensor_type(value, *proto.mutable_optional_type()->mutable_elem_type()->mutable_tensor_type());
      break;
  }
}

void read_type(const onnx::TypeProto& proto, ir::Value& value) {
  if (proto.has_tensor_type()) {
    value.kind = ir::Kind::kTensor;
    read_tensor_type(proto.tensor_type(), value);
  } else if (proto.has_sequence_type()) {
    value.kind = ir::Kind::kSequence;
    read_tensor_type(proto.sequence_type().elem_type().tensor_type(), value);
  } else if (proto.has_optional_type()) {
    value.kind = ir::Kind::kOptional;
    read_tensor_type(proto.optional_type().elem_type().tensor_type(), value);
  }
}

void fill_tensor_header(const ir::Tensor& tensor, onnx::TensorProto& proto) {
  proto.set_data_type(static_cast<int32_t>(tensor.dtype()));
  for (const int64_t dim : tensor.dims()) proto.add_dims(dim);
}

void fill_tensor(const ir::Tensor& tensor, onnx::TensorProto& proto) {
  fill_tensor_header(tensor, proto);
  if (tensor.dtype() == ir::DType::kString) {
    for (const std::string& text : tensor.strings()) proto.add_string_data(text);
  } else {
    proto.set_raw_data(tensor.bytes().data(), tensor.bytes().size());
  }
}

namespace {

struct AttributeFiller {
  onnx::AttributeProto& proto;

  void operator()(int64_t value) const {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const ir::Attr::Ints& values) const {
    proto.set_type(onnx::AttributeProto::INTS);
    proto.mutable_ints()->Add(values.begin(), values.end());
  }
  void operator()(const ir::Attr::Floats& values) const {
    proto.set_type(onnx::AttributeProto::FLOATS);
    proto.mutable_floats()->Add(values.begin(), values.end());
  }
  void operator()(const ir::Attr::Strings& values) const {
    proto.set_type(onnx::AttributeProto::STRINGS);
    for (const std::string& value : values) proto.add_strings(value);
  }
  void operator()(const ir::Tensor& value) const {
    proto.set_type(onnx::AttributeProto::TENSOR);
    fill_tensor(value, *proto.mutable_t());
  }
  void operator()(const std::shared_ptr<ir::Graph>&) const {
    throw Error(Code::kInternal, "a subgraph attribute is written by the exporter");
  }
};

}  // namespace

void fill_attribute(const std::string& name, const ir::Attr& attr, onnx::AttributeProto& proto) {
  proto.set_name(name);
  std::visit(AttributeFiller{proto}, attr.variant());
}

}  // namespace onward::schema
