// Arrays as files hold them: a dtype by numpy's name, a shape and bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace onward {

// Row-major, little-endian. Where dtype is "string", `strings` holds the elements and `data` is empty.
struct Array {
  std::string dtype;
  std::vector<int64_t> shape;
  Bytes data;
  std::vector<std::string> strings;
};

// Bytes of one element by numpy's or PyTorch's name ("float32", "bfloat16", "bool", "qint8", "float8_e4m3fn" …); 0 for
// an unknown name and for strings.
size_t dtype_size(std::string_view dtype);

// The number of elements; throws Error(kDataLoss, "<what>: …") for a negative dimension or an overflow.
uint64_t checked_count(const std::vector<int64_t>& shape, std::string_view what);
// The same times the element's size.
uint64_t checked_bytes(const std::vector<int64_t>& shape, size_t element, std::string_view what);

// Reverses the bytes of each element: big-endian to little-endian. A complex number is two elements of half its size.
std::vector<std::byte> byte_swapped(ByteView data, std::string_view dtype);

// What a tensor in a listing shows.
struct ListedTensor {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  std::string sha256;  // lower-case hex, of the contiguous little-endian bytes
};

std::string sha256_hex(ByteView bytes);

}  // namespace onward
