// TensorFlow's element types and shapes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace onward::tensorflow {

// The numbers of TensorFlow's DataType; reference types (v1) are told by `is_ref`.
enum class DataType : int32_t {
  kInvalid = 0,
  kFloat = 1,
  kDouble = 2,
  kInt32 = 3,
  kUInt8 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kString = 7,
  kComplex64 = 8,
  kInt64 = 9,
  kBool = 10,
  kQInt8 = 11,
  kQUInt8 = 12,
  kQInt32 = 13,
  kBFloat16 = 14,
  kQInt16 = 15,
  kQUInt16 = 16,
  kUInt16 = 17,
  kComplex128 = 18,
  kHalf = 19,
  kResource = 20,
  kVariant = 21,
  kUInt32 = 22,
  kUInt64 = 23,
  kFloat8E5M2 = 24,
  kFloat8E4M3FN = 25,
};

constexpr int32_t kRefOffset = 100;

inline bool is_ref(DataType type) { return static_cast<int32_t>(type) > kRefOffset; }
inline DataType without_ref(DataType type) {
  return is_ref(type) ? static_cast<DataType>(static_cast<int32_t>(type) - kRefOffset) : type;
}

// numpy's name ("float32"; quantized types by what stores them: "int8", "uint8", "int32"); empty for resources,
// variants and unknown numbers.
std::string_view dtype_name(DataType type);
// "DT_FLOAT" → "float", as TensorFlow's messages name types: "float", "resource", "variant" …
std::string_view display_name(DataType type);

// A partial shape: nothing where the rank is unknown, -1 where a dimension is.
using PartialShape = std::optional<std::vector<int64_t>>;

}  // namespace onward::tensorflow
