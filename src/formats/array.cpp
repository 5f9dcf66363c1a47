#include "formats/array.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.h"

namespace onward {

size_t dtype_size(std::string_view dtype) {
  struct Size {
    std::string_view name;
    size_t bytes;
  };
  static constexpr std::array<Size, 28> kSizes = {{
      {"bool", 1},
      {"uint8", 1},
      {"int8", 1},
      {"uint16", 2},
      {"int16", 2},
      {"float16", 2},
      {"bfloat16", 2},
      {"uint32", 4},
      {"int32", 4},
      {"float32", 4},
      {"uint64", 8},
      {"int64", 8},
      {"float64", 8},
      {"complex32", 4},
      {"complex64", 8},
      {"complex128", 16},
      {"qint8", 1},
      {"quint8", 1},
      {"qint32", 4},
      {"float8_e4m3fn", 1},
      {"float8_e5m2", 1},
      {"float8_e4m3fnuz", 1},
      {"float8_e5m2fnuz", 1},
      {"float8_e8m0fnu", 1},
      {"quint4x2", 1},
      {"quint2x4", 1},
      {"bits8", 1},
      {"float4_e2m1fn_x2", 1},
  }};
  const auto* found = std::find_if(kSizes.begin(), kSizes.end(), [&](const Size& s) { return s.name == dtype; });
  return found == kSizes.end() ? 0 : found->bytes;
}

uint64_t checked_count(const std::vector<int64_t>& shape, std::string_view what) {
  uint64_t count = 1;
  bool empty = false;
  for (const int64_t dim : shape) {
    if (dim < 0) fail_data(std::string(what) + ": a dimension is negative (" + std::to_string(dim) + ")");
    if (dim == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(count, static_cast<uint64_t>(dim), &count) ||
               count > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      fail_data(std::string(what) + ": the shape has more elements than any file can hold");
    }
  }
  return empty ? 0 : count;
}

uint64_t checked_bytes(const std::vector<int64_t>& shape, size_t element, std::string_view what) {
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(checked_count(shape, what), uint64_t{element}, &bytes)) {
    fail_data(std::string(what) + ": the shape has more elements than any file can hold");
  }
  return bytes;
}

std::vector<std::byte> byte_swapped(ByteView data, std::string_view dtype) {
  const size_t size = dtype_size(dtype);
  const size_t step = std::max<size_t>(1, dtype.starts_with("complex") ? size / 2 : size);
  std::vector<std::byte> out(data.begin(), data.end());
  for (size_t at = 0; at + step <= out.size(); at += step) {
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(at), out.begin() + static_cast<std::ptrdiff_t>(at + step));
  }
  return out;
}

std::string sha256_hex(ByteView bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw Error(Code::kInternal, "the SHA-256 digest could not be computed");
  }
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 0xf];
  }
  return text;
}

}  // namespace onward
