#include "server/grpc/tfs_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "server/protocol/oip.h"

namespace onward::server::grpc {
namespace {

namespace tf = tensorflow::serving;
using ir::Dims;
using ir::DType;
using ir::Tensor;

constexpr std::array<std::pair<tf::DataType, DType>, 14> kTypes = {{{tf::DT_FLOAT, DType::kFloat},
                                                                    {tf::DT_DOUBLE, DType::kDouble},
                                                                    {tf::DT_INT32, DType::kInt32},
                                                                    {tf::DT_UINT8, DType::kUInt8},
                                                                    {tf::DT_INT16, DType::kInt16},
                                                                    {tf::DT_INT8, DType::kInt8},
                                                                    {tf::DT_STRING, DType::kString},
                                                                    {tf::DT_INT64, DType::kInt64},
                                                                    {tf::DT_BOOL, DType::kBool},
                                                                    {tf::DT_BFLOAT16, DType::kBFloat16},
                                                                    {tf::DT_UINT16, DType::kUInt16},
                                                                    {tf::DT_HALF, DType::kFloat16},
                                                                    {tf::DT_UINT32, DType::kUInt32},
                                                                    {tf::DT_UINT64, DType::kUInt64}}};

DType dtype_of(tf::DataType type, std::string_view what) {
  for (const auto& [proto, dtype] : kTypes) {
    if (proto == type) return dtype;
  }
  fail_invalid(fmt::format("{} has the unsupported data type {}", what, static_cast<int>(type)));
}

Dims dims_of(const tf::TensorShapeProto& shape, std::string_view what) {
  if (shape.unknown_rank()) fail_invalid(fmt::format("{} has a shape of unknown rank", what));
  Dims dims;
  for (const auto& dim : shape.dim()) dims.push_back(dim.size());
  return oip::checked_dims(std::move(dims), what);
}

template <class T, class Field>
Tensor filled(const Field& field, DType dtype, Dims dims, std::string_view what) {
  const auto count = static_cast<size_t>(ir::element_count(dims));
  const auto given = static_cast<size_t>(field.size());
  // Only a full list may stand for many bytes: a hostile shape gets no memory.
  constexpr size_t kMostFilled = size_t{64} << 20;
  if (given > count || (given == 0 && count > 0) || (given < count && count > kMostFilled)) {
    fail_invalid(
        fmt::format("{} has {} values, its shape {} wants {}", what, given, ir::shape_text(ir::to_shape(dims)), count));
  }
  std::vector<std::byte> bytes(count * sizeof(T));
  for (size_t i = 0; i < count; ++i) {
    const auto value = field.Get(static_cast<int>(std::min(i, given - 1)));
    const auto narrow = static_cast<T>(value);
    if (static_cast<decltype(value)>(narrow) != value && value == value) {
      fail_invalid(fmt::format("{}: {} does not fit {}", what, value, ir::dtype_name(dtype)));
    }
    std::memcpy(bytes.data() + i * sizeof(T), &narrow, sizeof(T));
  }
  return Tensor(dtype, std::move(dims), Bytes::from_vector(std::move(bytes)));
}

// In place where the list is whole and each value as wide as the type.
template <class T, class Field>
Tensor from_list(const Field& field, DType dtype, Dims dims, const std::shared_ptr<const void>& owner,
                 std::string_view what) {
  const auto given = static_cast<size_t>(field.size());
  if (sizeof(T) != sizeof(*field.data()) || given != static_cast<size_t>(ir::element_count(dims))) {
    return filled<T>(field, dtype, std::move(dims), what);
  }
  return Tensor(dtype, std::move(dims), Bytes(std::as_bytes(std::span(field.data(), given)), owner));
}

Tensor from_strings(const tf::TensorProto& proto, Dims dims, std::string_view what) {
  const auto count = static_cast<size_t>(ir::element_count(dims));
  std::vector<std::string> texts(proto.string_val().begin(), proto.string_val().end());
  const bool repeats = texts.size() == 1 && count <= (size_t{1} << 20);
  if (repeats) texts.resize(count, std::string(texts.front()));
  if (texts.size() != count) {
    fail_invalid(fmt::format("{} has {} strings, its shape {} wants {}", what, texts.size(),
                             ir::shape_text(ir::to_shape(dims)), count));
  }
  return Tensor::of_strings(std::move(dims), std::move(texts));
}

}  // namespace

Tensor from_proto(const tf::TensorProto& proto, const std::shared_ptr<const void>& owner, std::string_view what) {
  const DType dtype = dtype_of(proto.dtype(), what);
  Dims dims = dims_of(proto.tensor_shape(), what);
  if (dtype == DType::kString) return from_strings(proto, std::move(dims), what);
  if (!proto.tensor_content().empty()) {
    return oip::from_binary(dtype, std::move(dims), Bytes(as_bytes(proto.tensor_content()), owner), what);
  }
  switch (dtype) {
    case DType::kFloat:
      return from_list<float>(proto.float_val(), dtype, std::move(dims), owner, what);
    case DType::kDouble:
      return from_list<double>(proto.double_val(), dtype, std::move(dims), owner, what);
    case DType::kInt64:
      return from_list<int64_t>(proto.int64_val(), dtype, std::move(dims), owner, what);
    case DType::kUInt64:
      return from_list<uint64_t>(proto.uint64_val(), dtype, std::move(dims), owner, what);
    case DType::kUInt32:
      return from_list<uint32_t>(proto.uint32_val(), dtype, std::move(dims), owner, what);
    case DType::kInt32:
      return from_list<int32_t>(proto.int_val(), dtype, std::move(dims), owner, what);
    case DType::kBool:
      return from_list<bool>(proto.bool_val(), dtype, std::move(dims), owner, what);
    case DType::kInt16:
      return filled<int16_t>(proto.int_val(), dtype, std::move(dims), what);
    case DType::kInt8:
      return filled<int8_t>(proto.int_val(), dtype, std::move(dims), what);
    case DType::kUInt16:
      return filled<uint16_t>(proto.int_val(), dtype, std::move(dims), what);
    case DType::kUInt8:
      return filled<uint8_t>(proto.int_val(), dtype, std::move(dims), what);
    default:  // 16-bit floats: their bits
      return filled<uint16_t>(proto.half_val(), dtype, std::move(dims), what);
  }
}

void to_proto(const Tensor& tensor, tf::TensorProto& proto) {
  proto.set_dtype(data_type(tensor.dtype()));
  proto.mutable_tensor_shape();
  for (const int64_t dim : tensor.dims()) proto.mutable_tensor_shape()->add_dim()->set_size(dim);
  if (tensor.dtype() == DType::kString) {
    for (const std::string& text : tensor.strings()) proto.add_string_val(text);
  } else {
    proto.set_tensor_content(tensor.bytes().data(), tensor.bytes().size());
  }
}

tf::DataType data_type(DType dtype) {
  for (const auto& [proto, type] : kTypes) {
    if (type == dtype) return proto;
  }
  return tf::DT_INVALID;
}

void describe(const runtime::ValueInfo& info, tf::TensorInfo& proto) {
  proto.set_name(info.name);
  proto.set_dtype(data_type(info.dtype));
  proto.mutable_tensor_shape();
  for (const ir::Dim& dim : info.shape) {
    proto.mutable_tensor_shape()->add_dim()->set_size(dim.is_known() ? dim.value() : -1);
  }
}

}  // namespace onward::server::grpc
