#include "ir/dtype.h"

#include <array>

namespace onward::ir {
namespace {

struct Info {
  std::string_view name;
  size_t bits;
  char kind;  // f(loat), i(nteger), u(nsigned), c(omplex), b(ool), s(tring), -
};

constexpr std::array<Info, 23> kInfo = {{
    {"undefined", 0, '-'},
    {"float32", 32, 'f'},
    {"uint8", 8, 'u'},
    {"int8", 8, 'i'},
    {"uint16", 16, 'u'},
    {"int16", 16, 'i'},
    {"int32", 32, 'i'},
    {"int64", 64, 'i'},
    {"string", 0, 's'},
    {"bool", 8, 'b'},
    {"float16", 16, 'f'},
    {"float64", 64, 'f'},
    {"uint32", 32, 'u'},
    {"uint64", 64, 'u'},
    {"complex64", 64, 'c'},
    {"complex128", 128, 'c'},
    {"bfloat16", 16, 'f'},
    {"float8_e4m3fn", 8, 'f'},
    {"float8_e4m3fnuz", 8, 'f'},
    {"float8_e5m2", 8, 'f'},
    {"float8_e5m2fnuz", 8, 'f'},
    {"uint4", 4, 'u'},
    {"int4", 4, 'i'},
}};

const Info& info(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  return index < kInfo.size() ? kInfo[index] : kInfo[0];
}

}  // namespace

size_t dtype_bits(DType dtype) { return info(dtype).bits; }
size_t dtype_bytes(DType dtype, size_t count) { return (info(dtype).bits * count + 7) / 8; }
std::string_view dtype_name(DType dtype) { return info(dtype).name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  if (name == "float") return DType::kFloat;
  if (name == "double") return DType::kDouble;
  if (name == "half") return DType::kFloat16;
  if (name == "str") return DType::kString;
  for (size_t i = 1; i < kInfo.size(); ++i) {
    if (kInfo[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

bool is_floating(DType dtype) { return info(dtype).kind == 'f'; }
bool is_signed_integer(DType dtype) { return info(dtype).kind == 'i'; }
bool is_unsigned_integer(DType dtype) { return info(dtype).kind == 'u'; }

}  // namespace onward::ir
