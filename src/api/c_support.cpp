#include "api/c_support.h"

namespace onward::c {
namespace {

Result<Tensor> strings_of(const onward_tensor& tensor, Dims dims) {
  size_t count = 1;
  for (const int64_t dim : dims) count *= static_cast<size_t>(std::max<int64_t>(dim, 0));
  if (tensor.bytes != count * sizeof(const char*)) {
    return invalid("a tensor of " + std::to_string(count) + " strings takes as many pointers, got " +
                   std::to_string(tensor.bytes) + " bytes");
  }
  return Tensor::of_strings(std::move(dims), texts<std::string>(static_cast<const char* const*>(tensor.data), count));
}

}  // namespace

onward_status& out_of_memory() {
  static onward_status status{Status(StatusCode::kResourceExhausted, "out of memory"), "RESOURCE_EXHAUSTED"};
  return status;
}

ConvertOptions to_cpp(const onward_convert_options* given) {
  const onward_convert_options options = taken(given, ONWARD_CONVERT_OPTIONS_INIT);
  ConvertOptions result;
  if (options.opset != 0) result.opset = options.opset;
  if (options.nchw != 0) result.layout = Layout::kNchw;
  result.import.signature = text(options.signature);
  for (size_t i = 0; i < options.input_shape_count; ++i) {
    const onward_input_shape& one = options.input_shapes[i];
    Shape& shape = result.import.input_shapes[text(one.name)];
    for (size_t k = 0; k < one.rank; ++k) shape.push_back({one.dims[k], {}});
  }
  return result;
}

Result<Tensor> to_cpp(const onward_tensor& tensor) {
  Dims dims(tensor.dims, tensor.dims + tensor.rank);
  if (tensor.dtype == ONWARD_STRING) return strings_of(tensor, std::move(dims));
  return Tensor::borrow(static_cast<DType>(tensor.dtype), std::move(dims),
                        {static_cast<const std::byte*>(tensor.data), tensor.bytes});
}

Values::Values(const std::vector<ValueInfo>& infos) {
  for (const ValueInfo& info : infos) {
    Dims dims;
    for (const Dim& dim : info.shape) dims.push_back(dim.size);
    values_.emplace_back(info, std::move(dims));
  }
}

Status Values::describe(size_t index, onward_value_info* info) const {
  if (index >= values_.size()) return invalid("there is no such input or output: " + std::to_string(index));
  const auto& [value, dims] = values_[index];
  *info = {value.name.c_str(), static_cast<onward_dtype>(value.dtype), dims.size(), dims.data()};
  return Status();
}

}  // namespace onward::c
