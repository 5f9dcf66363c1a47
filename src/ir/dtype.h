// Element types, numbered as ONNX's TensorProto.DataType.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace onward::ir {

enum class DType : int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUInt8 = 2,
  kInt8 = 3,
  kUInt16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUInt32 = 12,
  kUInt64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBFloat16 = 16,
  kFloat8E4M3FN = 17,
  kFloat8E4M3FNUZ = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2FNUZ = 20,
  kUInt4 = 21,
  kInt4 = 22,
};

// Bits of one element; 0 for strings and kUndefined.
size_t dtype_bits(DType dtype);
// Bytes of `count` elements as ONNX stores them (4-bit types two to a byte).
size_t dtype_bytes(DType dtype, size_t count);
// numpy's names: "float32", "int64", "bool", "bfloat16", "string" …; "undefined".
std::string_view dtype_name(DType dtype);
// The inverse; also takes "float", "double", "half", "str".
std::optional<DType> dtype_from_name(std::string_view name);

bool is_floating(DType dtype);  // half, bfloat16, float, double and the 8-bit floats
bool is_signed_integer(DType dtype);
bool is_unsigned_integer(DType dtype);
inline bool is_integer(DType dtype) { return is_signed_integer(dtype) || is_unsigned_integer(dtype); }
inline bool is_complex(DType dtype) { return dtype == DType::kComplex64 || dtype == DType::kComplex128; }
inline bool is_numeric(DType dtype) { return is_floating(dtype) || is_integer(dtype); }

}  // namespace onward::ir
