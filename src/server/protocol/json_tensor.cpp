#include "server/protocol/json_tensor.h"

#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "base/utf8.h"
#include "server/protocol/base64.h"
#include "server/protocol/large_list.h"

namespace onward::server {
namespace {

using ir::Dims;
using ir::DType;
using ir::Tensor;

constexpr size_t kMaxRank = 16;

// Distinct from uint16_t, so that a half has its own reading.
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

[[noreturn]] void does_not_fit(JsonReader& reader, double value, DType dtype) {
  reader.fail(fmt::format("{} does not fit {}", value, ir::dtype_name(dtype)));
}

template <class T>
T read_leaf(JsonReader& reader) {
  if constexpr (std::is_same_v<T, double>) {
    return reader.number();
  } else if constexpr (std::is_same_v<T, float>) {
    const double value = reader.number();
    const auto narrow = static_cast<float>(value);
    if (std::isinf(narrow) && !std::isinf(value)) does_not_fit(reader, value, DType::kFloat);
    return narrow;
  } else if constexpr (std::is_same_v<T, Half>) {
    const double value = reader.number();
    const uint16_t bits = ir::float_to_half(static_cast<float>(value));
    if (std::isinf(ir::half_to_float(bits)) && !std::isinf(value)) does_not_fit(reader, value, DType::kFloat16);
    return {bits};
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    const double value = reader.number();
    const uint16_t bits = ir::float_to_bfloat16(static_cast<float>(value));
    if (std::isinf(ir::bfloat16_to_float(bits)) && !std::isinf(value)) does_not_fit(reader, value, DType::kBFloat16);
    return {bits};
  } else if constexpr (std::is_same_v<T, bool>) {
    if (reader.peek() == JsonReader::Kind::kBool) return reader.boolean();
    const double value = reader.number();
    if (value != 0 && value != 1) reader.fail(fmt::format("{} is not a boolean", value));
    return value == 1;
  } else if constexpr (std::is_same_v<T, uint64_t>) {
    return reader.unsigned_integer();
  } else {
    const int64_t value = reader.integer();
    if (value < static_cast<int64_t>(std::numeric_limits<T>::min()) ||
        value > static_cast<int64_t>(std::numeric_limits<T>::max())) {
      does_not_fit(reader, static_cast<double>(value), ir::dtype_of<T>());
    }
    return static_cast<T>(value);
  }
}

// The length of the number that `text` begins with; 0 where T can't be read from it.
template <class T>
size_t try_leaf(std::string_view text, T& value) {
  JsonReader reader(text);
  try {
    value = read_leaf<T>(reader);
    return reader.offset();
  } catch (const Error&) {
    return 0;
  }
}

// {"b64": "…"} or a plain string.
std::string read_text(JsonReader& reader) {
  if (reader.peek() != JsonReader::Kind::kObject) return reader.string();
  std::string key;
  reader.open_object();
  if (!reader.next_key(key) || key != "b64") reader.fail(R"(expected a string or {"b64": "…"})");
  const auto bytes = base64_decode(reader.string());
  if (!bytes) reader.fail("the value of \"b64\" is not base64");
  if (reader.next_key(key)) reader.fail(R"(expected nothing but "b64" in this object)");
  return *bytes;
}

// Follows the lists' nesting and checks that it is even.
class Nesting {
 public:
  Nesting(JsonReader& reader, std::string_view what) : reader_(reader), what_(what) {}

  const Dims& dims() const { return dims_; }

  // `leaf` reads a value; `many` reads as many values of a list as it can at once and returns their number.
  template <class Leaf, class Many>
  void read(const Leaf& leaf, const Many& many, size_t depth = 0) {
    if (reader_.peek() != JsonReader::Kind::kArray) {
      if (!leaf_depth_) {
        if (dims_.size() != depth) uneven("a value stands where the others have lists");
        leaf_depth_ = depth;
      } else if (*leaf_depth_ != depth) {
        uneven("a value stands where the others have lists");
      }
      leaf();
      return;
    }
    if (leaf_depth_ && depth >= *leaf_depth_) uneven("a list stands where the others have values");
    if (depth >= kMaxRank) reader_.fail(fmt::format("{} has more than {} dimensions", what_, kMaxRank));
    if (dims_.size() == depth) {
      if (closed_) uneven("a list stands where the others have none");
      dims_.push_back(-1);
    }
    reader_.open_array();
    int64_t count = 0;
    while (true) {
      if (leaf_depth_.value_or(dims_.size()) == depth + 1) {
        const size_t taken = many();
        if (taken > 0) leaf_depth_ = depth + 1;
        count += static_cast<int64_t>(taken);
      }
      if (!reader_.next_item()) break;
      read(leaf, many, depth + 1);
      ++count;
    }
    closed_ = true;
    if (dims_[depth] == -1) {
      dims_[depth] = count;
    } else if (dims_[depth] != count) {
      uneven(fmt::format("in dimension {} one list has {} items, another {}", depth, dims_[depth], count));
    }
  }

 private:
  [[noreturn]] void uneven(const std::string& how) { reader_.fail(fmt::format("{} is ragged: {}", what_, how)); }

  JsonReader& reader_;
  std::string_view what_;
  Dims dims_;
  std::optional<size_t> leaf_depth_;
  bool closed_ = false;  // the innermost level is known
};

template <class T>
Bytes to_bytes(std::vector<T> values) {
  const auto owner = std::make_shared<std::vector<T>>(std::move(values));
  return Bytes(std::as_bytes(std::span(*owner)), owner);
}

template <class T>
std::pair<Dims, Bytes> read_values(JsonReader& reader, size_t expected, std::string_view what) {
  // A bool is stored as a byte; a vector<bool> would pack it.
  using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;
  if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    reader.peek();  // past the space
    if (auto large = read_large_list<T>(reader.rest(), try_leaf<T>)) {
      reader.rewind(reader.offset() + large->length);
      return {std::move(large->dims), to_bytes(std::move(large->values))};
    }
  }
  std::vector<Stored> values;
  values.reserve(std::min(expected, reader.remaining() / 2 + 1));
  Nesting nesting(reader, what);
  const auto leaf = [&] { values.push_back(read_leaf<T>(reader)); };
  nesting.read(leaf, [&] {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) return reader.plain_numbers(values);
    return size_t{0};
  });
  return {nesting.dims(), to_bytes(std::move(values))};
}

std::pair<Dims, Bytes> read_numbers(JsonReader& reader, DType dtype, size_t expected, std::string_view what) {
  switch (dtype) {
    case DType::kFloat16:
      return read_values<Half>(reader, expected, what);
    case DType::kBFloat16:
      return read_values<BFloat16>(reader, expected, what);
    case DType::kFloat:
    case DType::kDouble:
    case DType::kBool:
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUInt8:
    case DType::kUInt16:
    case DType::kUInt32:
    case DType::kUInt64:
      return ir::with_native(dtype, [&](auto zero) { return read_values<decltype(zero)>(reader, expected, what); });
    default:
      fail_unsupported(fmt::format("{}: {} can't be given in JSON", what, ir::dtype_name(dtype)));
  }
}

Dims without_ones(const Dims& dims) {
  Dims kept;
  for (const int64_t dim : dims) {
    if (dim != 1) kept.push_back(dim);
  }
  return kept;
}

// Data may be flat, or nested like the dims it comes with (dimensions of 1 may be left out).
void check_declared(JsonReader& reader, const Dims& nested, size_t count, const Dims& dims, std::string_view what) {
  const auto wanted = static_cast<size_t>(ir::element_count(dims));
  const auto shape = [](const Dims& any) { return ir::shape_text(ir::to_shape(any)); };
  if (count != wanted) {
    reader.fail(fmt::format("{} has {} values, its shape {} wants {}", what, count, shape(dims), wanted));
  }
  if (nested.size() > 1 && without_ones(nested) != without_ones(dims)) {
    reader.fail(fmt::format("{} is nested as {}, its shape is {}", what, shape(nested), shape(dims)));
  }
}

std::pair<Dims, std::vector<std::string>> read_strings(JsonReader& reader, std::string_view what) {
  std::vector<std::string> strings;
  Nesting nesting(reader, what);
  nesting.read([&] { strings.push_back(read_text(reader)); }, [] { return size_t{0}; });
  return {nesting.dims(), std::move(strings)};
}

}  // namespace

Tensor read_tensor(JsonReader& reader, DType dtype, std::string_view what) {
  if (dtype == DType::kString) {
    auto [dims, strings] = read_strings(reader, what);
    return Tensor::of_strings(std::move(dims), std::move(strings));
  }
  auto [dims, bytes] = read_numbers(reader, dtype, reader.remaining() / 2 + 1, what);
  return Tensor(dtype, std::move(dims), std::move(bytes));
}

Tensor read_tensor(JsonReader& reader, DType dtype, const Dims& dims, std::string_view what) {
  if (dtype == DType::kString) {
    auto [nested, strings] = read_strings(reader, what);
    check_declared(reader, nested, strings.size(), dims, what);
    return Tensor::of_strings(dims, std::move(strings));
  }
  auto [nested, bytes] = read_numbers(reader, dtype, static_cast<size_t>(ir::element_count(dims)), what);
  check_declared(reader, nested, bytes.size() * 8 / ir::dtype_bits(dtype), dims, what);
  return Tensor(dtype, dims, std::move(bytes));
}

Tensor read_any_tensor(JsonReader& reader, std::string_view what) {
  const size_t start = reader.offset();
  JsonReader ahead = reader;
  while (ahead.peek() == JsonReader::Kind::kArray) {
    ahead.open_array();
    if (!ahead.next_item()) break;
  }
  DType dtype = DType::kDouble;
  if (ahead.offset() > start && ahead.remaining() == 0) ahead.fail("it ends in a list");
  switch (ahead.peek()) {
    case JsonReader::Kind::kString:
    case JsonReader::Kind::kObject:
      dtype = DType::kString;
      break;
    case JsonReader::Kind::kBool:
      dtype = DType::kBool;
      break;
    default:
      break;
  }
  return read_tensor(reader, dtype, what);
}

Tensor convert_exactly(const Tensor& tensor, DType dtype, std::string_view what) {
  if (tensor.dtype() == dtype) return tensor;
  if (tensor.dtype() == DType::kString || dtype == DType::kString) {
    fail_invalid(fmt::format("{} must be {}, got {}", what, ir::dtype_name(dtype), ir::dtype_name(tensor.dtype())));
  }
  const std::vector<double> values = tensor.doubles();
  Tensor converted = Tensor::from_doubles(dtype, tensor.dims(), values);
  const bool rounds = ir::is_floating(dtype);
  const std::vector<double> back = converted.doubles();
  for (size_t i = 0; i < values.size(); ++i) {
    const bool kept = rounds ? std::isinf(back[i]) == std::isinf(values[i]) : back[i] == values[i];
    if (!kept) fail_invalid(fmt::format("{}: {} does not fit {}", what, values[i], ir::dtype_name(dtype)));
  }
  return converted;
}

}  // namespace onward::server
