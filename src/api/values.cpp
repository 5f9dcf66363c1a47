#include "api/values.h"

#include "api/guard.h"

namespace onward {
namespace api {
namespace {

ValueInfo describe(const std::string& name, const ir::Value& value) {
  return {name, static_cast<DType>(value.dtype), value.shape ? to_public(*value.shape) : Shape()};
}

// Throws what the status of a tensor that was made here says.
Tensor sure(Result<Tensor> tensor) {
  if (!tensor.ok()) throw to_error(tensor.status());
  return std::move(tensor).value();
}

}  // namespace

ir::Tensor to_internal(const Tensor& tensor) {
  if (tensor.dtype() == DType::kUndefined) fail_invalid("a tensor has no elements and no dtype");
  if (tensor.dtype() == DType::kString) return ir::Tensor::of_strings(tensor.dims(), tensor.strings());
  // The copy keeps what the bytes lie in.
  const auto owner = std::make_shared<const Tensor>(tensor);
  return ir::Tensor(static_cast<ir::DType>(tensor.dtype()), tensor.dims(), Bytes(tensor.bytes(), owner));
}

Tensor to_public(const ir::Tensor& tensor) {
  if (tensor.dtype() == ir::DType::kString) return sure(Tensor::of_strings(tensor.dims(), tensor.strings()));
  const Bytes& bytes = tensor.bytes();
  return sure(Tensor::borrow(static_cast<DType>(tensor.dtype()), tensor.dims(), bytes.view(), bytes.owner()));
}

ir::Shape to_internal(const Shape& shape) {
  ir::Shape dims;
  for (const Dim& dim : shape) {
    if (dim.size >= 0) {
      dims.emplace_back(dim.size);
    } else if (!dim.symbol.empty()) {
      dims.emplace_back(dim.symbol);
    } else {
      dims.emplace_back();
    }
  }
  return dims;
}

Shape to_public(const ir::Shape& shape) {
  Shape dims;
  for (const ir::Dim& dim : shape) dims.push_back({dim.is_known() ? dim.value() : -1, dim.symbol()});
  return dims;
}

importer::Options to_internal(const ImportOptions& options) {
  importer::Options internal;
  for (const auto& [name, shape] : options.input_shapes) internal.input_dims[name] = to_internal(shape);
  internal.signature = options.signature;
  internal.tag = options.tag;
  internal.inputs = options.inputs;
  internal.outputs = options.outputs;
  return internal;
}

convert::Options to_internal(const ConvertOptions& options) {
  return {to_internal(options.import), options.opset,
          options.layout == Layout::kNchw ? convert::Layout::kNchw : convert::Layout::kSource};
}

std::vector<ValueInfo> describe_inputs(const ir::Graph& graph) {
  std::vector<ValueInfo> infos;
  for (const ir::Value* input : graph.inputs()) infos.push_back(describe(input->name, *input));
  return infos;
}

std::vector<ValueInfo> describe_outputs(const ir::Graph& graph) {
  std::vector<ValueInfo> infos;
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const std::string& name = graph.output_names()[i];
    infos.push_back(describe(name.empty() ? graph.outputs()[i]->name : name, *graph.outputs()[i]));
  }
  return infos;
}

std::vector<ValueInfo> to_public(const std::vector<runtime::ValueInfo>& infos) {
  std::vector<ValueInfo> all;
  for (const runtime::ValueInfo& info : infos) {
    all.push_back({info.name, static_cast<DType>(info.dtype), to_public(info.shape)});
  }
  return all;
}

}  // namespace api

std::string shape_text(const Shape& shape) { return ir::shape_text(api::to_internal(shape)); }

}  // namespace onward
