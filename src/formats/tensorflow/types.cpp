#include "formats/tensorflow/types.h"

namespace onward::tensorflow {

std::string_view dtype_name(DataType type) {
  switch (without_ref(type)) {
    case DataType::kFloat:
      return "float32";
    case DataType::kDouble:
      return "float64";
    case DataType::kInt32:
    case DataType::kQInt32:
      return "int32";
    case DataType::kUInt8:
    case DataType::kQUInt8:
      return "uint8";
    case DataType::kInt16:
    case DataType::kQInt16:
      return "int16";
    case DataType::kInt8:
    case DataType::kQInt8:
      return "int8";
    case DataType::kString:
      return "string";
    case DataType::kComplex64:
      return "complex64";
    case DataType::kInt64:
      return "int64";
    case DataType::kBool:
      return "bool";
    case DataType::kBFloat16:
      return "bfloat16";
    case DataType::kUInt16:
    case DataType::kQUInt16:
      return "uint16";
    case DataType::kComplex128:
      return "complex128";
    case DataType::kHalf:
      return "float16";
    case DataType::kUInt32:
      return "uint32";
    case DataType::kUInt64:
      return "uint64";
    case DataType::kFloat8E5M2:
      return "float8_e5m2";
    case DataType::kFloat8E4M3FN:
      return "float8_e4m3fn";
    default:
      return {};
  }
}

std::string_view display_name(DataType type) {
  if (without_ref(type) == DataType::kResource) return "resource";
  if (without_ref(type) == DataType::kVariant) return "variant";
  const std::string_view name = dtype_name(type);
  return name.empty() ? "unknown" : name;
}

}  // namespace onward::tensorflow
