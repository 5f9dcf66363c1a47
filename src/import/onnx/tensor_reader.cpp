#include "import/onnx/tensor_reader.h"

#include <charconv>

#include "base/error.h"
#include "base/mapped_file.h"

namespace onward::importer {
namespace {

size_t parse_size(const std::string& text, const char* what) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    fail_data(std::string("external data has a bad ") + what);
  return value;
}

Bytes external_bytes(const onnx::TensorProto& proto, const std::filesystem::path& folder, size_t expected) {
  std::string location;
  size_t offset = 0;
  size_t length = expected;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = parse_size(entry.value(), "offset");
    if (entry.key() == "length") length = parse_size(entry.value(), "length");
  }
  const std::filesystem::path relative = std::filesystem::path(location).lexically_normal();
  if (location.empty() || relative.is_absolute() || *relative.begin() == "..") {
    fail_data("tensor \"" + proto.name() + "\" points outside the model's folder: " + location);
  }
  return map_file(folder / relative).slice(offset, length);
}

template <class T, class Field>
ir::Tensor from_field(ir::DType dtype, ir::Dims dims, const Field& field) {
  if constexpr (std::is_floating_point_v<T>) {
    return ir::Tensor::from_doubles(dtype, std::move(dims), {field.begin(), field.end()});
  } else {
    return ir::Tensor::from_ints(dtype, std::move(dims), {field.begin(), field.end()});
  }
}

// int32_data holds the bits of 16-bit floats.
ir::Tensor from_half_bits(ir::DType dtype, ir::Dims dims, const onnx::TensorProto& proto) {
  const std::vector<int64_t> bits(proto.int32_data().begin(), proto.int32_data().end());
  return {dtype, std::move(dims), ir::Tensor::from_ints(ir::DType::kUInt16, {proto.int32_data_size()}, bits).bytes()};
}

}  // namespace

ir::Tensor read_tensor(onnx::TensorProto& proto, const std::filesystem::path& folder, const Bytes& in_place) {
  const auto dtype = static_cast<ir::DType>(proto.data_type());
  ir::Dims dims(proto.dims().begin(), proto.dims().end());
  const auto count = static_cast<size_t>(ir::element_count(dims));
  if (dtype == ir::DType::kString) {
    return ir::Tensor::of_strings(std::move(dims), {proto.string_data().begin(), proto.string_data().end()});
  }
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    return {dtype, std::move(dims), external_bytes(proto, folder, ir::dtype_bytes(dtype, count))};
  }
  if (!in_place.empty()) return {dtype, std::move(dims), in_place};
  if (proto.has_raw_data()) return {dtype, std::move(dims), Bytes::from_string(std::move(*proto.mutable_raw_data()))};
  const auto checked = [&](int size) {
    if (static_cast<size_t>(size) != count)
      fail_data("tensor \"" + proto.name() + "\" has the wrong number of elements");
  };
  switch (dtype) {
    case ir::DType::kFloat:
      checked(proto.float_data_size());
      return from_field<float>(dtype, std::move(dims), proto.float_data());
    case ir::DType::kDouble:
      checked(proto.double_data_size());
      return from_field<double>(dtype, std::move(dims), proto.double_data());
    case ir::DType::kInt64:
      checked(proto.int64_data_size());
      return from_field<int64_t>(dtype, std::move(dims), proto.int64_data());
    case ir::DType::kUInt32:
    case ir::DType::kUInt64:
      checked(proto.uint64_data_size());
      return from_field<int64_t>(dtype, std::move(dims), proto.uint64_data());
    case ir::DType::kFloat16:
    case ir::DType::kBFloat16:
      checked(proto.int32_data_size());
      return from_half_bits(dtype, std::move(dims), proto);
    default:
      checked(proto.int32_data_size());
      return from_field<int64_t>(dtype, std::move(dims), proto.int32_data());
  }
}

}  // namespace onward::importer
