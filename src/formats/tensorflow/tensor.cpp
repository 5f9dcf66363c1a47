#include <algorithm>

#include "base/error.h"
#include "formats/tensorflow/messages.h"

namespace onward::tensorflow {
namespace {

// A tensor may be written as one value that stands for all; a file of a few bytes must not claim any amount of memory.
constexpr uint64_t kMaxRepeated = uint64_t{256} << 20U;

// The values as `T`; the last one is repeated, none at all means zeros.
template <class T, class Field>
Bytes expanded(const Field& field, uint64_t count, const std::string& what) {
  const auto given = static_cast<uint64_t>(field.size());
  if (given > count) fail_data(what + ": more values than its shape has elements");
  if (given < count && count * sizeof(T) > kMaxRepeated) {
    fail_unsupported(what + ": one value repeated " + std::to_string(count) + " times");
  }
  std::vector<std::byte> bytes(count * sizeof(T));
  T value{};
  for (uint64_t i = 0; i < count; ++i) {
    if (i < given) value = static_cast<T>(field.Get(static_cast<int>(i)));
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
  return Bytes::from_vector(std::move(bytes));
}

// Real and imaginary parts in turn; repetition is of pairs.
template <class T, class Field>
Bytes expanded_pairs(const Field& field, uint64_t count, const std::string& what) {
  const auto given = static_cast<uint64_t>(field.size()) / 2;
  if (given > count) fail_data(what + ": more values than its shape has elements");
  if (given < count && 2 * count * sizeof(T) > kMaxRepeated) {
    fail_unsupported(what + ": one value repeated " + std::to_string(count) + " times");
  }
  std::vector<std::byte> bytes(2 * count * sizeof(T));
  for (uint64_t i = 0; i < count && given > 0; ++i) {
    for (uint64_t part = 0; part < 2; ++part) {
      const T value = field.Get(static_cast<int>(2 * std::min(i, given - 1) + part));
      std::memcpy(bytes.data() + (2 * i + part) * sizeof(T), &value, sizeof(T));
    }
  }
  return Bytes::from_vector(std::move(bytes));
}

Bytes typed_values(const proto::TensorProto& m, DataType type, uint64_t count, const std::string& what) {
  switch (type) {
    case DataType::kFloat:
      return expanded<float>(m.float_val(), count, what);
    case DataType::kDouble:
      return expanded<double>(m.double_val(), count, what);
    case DataType::kInt32:
    case DataType::kQInt32:
      return expanded<int32_t>(m.int_val(), count, what);
    case DataType::kUInt8:
    case DataType::kQUInt8:
    case DataType::kInt8:
    case DataType::kQInt8:
      return expanded<uint8_t>(m.int_val(), count, what);
    case DataType::kInt16:
    case DataType::kUInt16:
    case DataType::kQInt16:
    case DataType::kQUInt16:
      return expanded<uint16_t>(m.int_val(), count, what);
    case DataType::kInt64:
      return expanded<int64_t>(m.int64_val(), count, what);
    case DataType::kBool:
      return expanded<bool>(m.bool_val(), count, what);
    case DataType::kHalf:
    case DataType::kBFloat16:
      return expanded<uint16_t>(m.half_val(), count, what);
    case DataType::kUInt32:
      return expanded<uint32_t>(m.uint32_val(), count, what);
    case DataType::kUInt64:
      return expanded<uint64_t>(m.uint64_val(), count, what);
    case DataType::kComplex64:
      return expanded_pairs<float>(m.scomplex_val(), count, what);
    case DataType::kComplex128:
      return expanded_pairs<double>(m.dcomplex_val(), count, what);
    case DataType::kFloat8E4M3FN:
    case DataType::kFloat8E5M2: {
      const proto::TensorProto& message = m;
      if (message.float8_val().size() != count) fail_data(what + ": its content does not fit its shape");
      return Bytes::from_string(message.float8_val());
    }
    default:
      fail_unsupported(what + ": a constant of elements of type " + std::string(display_name(type)));
  }
}

std::vector<std::string> string_values(proto::TensorProto& m, uint64_t count, const std::string& what) {
  const auto given = static_cast<uint64_t>(m.string_val_size());
  if (given > count) fail_data(what + ": more values than its shape has elements");
  if (given < count && count > kMaxRepeated / 64) {
    fail_unsupported(what + ": one value repeated " + std::to_string(count) + " times");
  }
  std::vector<std::string> strings;
  strings.reserve(count);
  for (auto& text : *m.mutable_string_val()) strings.push_back(std::move(text));
  const std::string last = strings.empty() ? std::string() : strings.back();
  strings.resize(count, last);
  return strings;
}

}  // namespace

PartialShape read_shape(const proto::TensorShapeProto& message) {
  if (message.unknown_rank()) return std::nullopt;
  std::vector<int64_t> dims;
  for (const auto& dim : message.dim()) dims.push_back(std::max<int64_t>(dim.size(), -1));
  return dims;
}

Array read_tensor(proto::TensorProto& message, const std::string& what) {
  const auto type = without_ref(static_cast<DataType>(message.dtype()));
  Array array;
  array.dtype = dtype_name(type);
  for (const auto& dim : message.tensor_shape().dim()) array.shape.push_back(dim.size());
  const uint64_t count = checked_count(array.shape, what);
  if (type == DataType::kString) {
    array.strings = string_values(message, count, what);
    return array;
  }
  if (array.dtype.empty()) {
    fail_unsupported(what + ": a constant of elements of type " + std::string(display_name(type)));
  }
  if (message.tensor_content().empty()) {
    array.data = typed_values(message, type, count, what);
    return array;
  }
  if (message.tensor_content().size() != checked_bytes(array.shape, dtype_size(array.dtype), what)) {
    fail_data(what + ": its content does not fit its shape");
  }
  array.data = Bytes::from_string(std::move(*message.mutable_tensor_content()));
  return array;
}

}  // namespace onward::tensorflow
