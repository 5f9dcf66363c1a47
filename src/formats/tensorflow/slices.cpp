#include "formats/tensorflow/slices.h"

#include <array>
#include <bit>

#include "base/error.h"

namespace onward::tensorflow {
namespace {

void append_unsigned(std::string& out, uint64_t value) {
  std::string digits;
  for (; value > 0; value >>= 8U) digits.insert(digits.begin(), static_cast<char>(value & 0xffU));
  out.push_back(static_cast<char>(digits.size()));
  out += digits;
}

// Zero and 0xff bytes are escaped, so that the terminator is unique.
void append_text(std::string& out, const std::string& text) {
  for (const char c : text) {
    out.push_back(c);
    if (c == '\0') out.push_back('\xff');
    if (c == '\xff') out.push_back('\0');
  }
  out.push_back('\0');
  out.push_back('\x01');
}

// Seven bits a byte behind a unary length, the sign bit inverted.
void append_signed(std::string& out, int64_t value) {
  const uint64_t magnitude = value < 0 ? ~static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const auto bits = static_cast<size_t>(std::bit_width(magnitude));
  const size_t length = bits / 7 + 1;
  std::array<unsigned char, 10> bytes{};
  const unsigned char fill = value < 0 ? 0xff : 0;
  bytes[0] = bytes[1] = fill;
  for (size_t i = 0; i < 8; ++i) {
    bytes[2 + i] = static_cast<unsigned char>(static_cast<uint64_t>(value) >> (8 * (7 - i)));
  }
  unsigned char* begin = bytes.data() + (bytes.size() - length);
  const uint32_t header = (0xffff0000U >> length) & 0xffffU;
  begin[0] ^= static_cast<unsigned char>(header >> 8U);
  if (length > 1) begin[1] ^= static_cast<unsigned char>(header & 0xffU);
  out.append(reinterpret_cast<const char*>(begin), length);
}

struct Region {
  std::vector<int64_t> start;
  std::vector<int64_t> length;
};

Region checked(const std::vector<int64_t>& start, const std::vector<int64_t>& length, const std::vector<int64_t>& shape,
               const std::string& what) {
  if (start.size() != shape.size() || length.size() != shape.size()) fail_data(what + ": a part of another rank");
  Region region{start, length};
  for (size_t i = 0; i < shape.size(); ++i) {
    if (region.length[i] < 0) {
      region.start[i] = 0;
      region.length[i] = shape[i];
    }
    if (region.start[i] < 0 || region.length[i] > shape[i] || region.start[i] > shape[i] - region.length[i]) {
      fail_data(what + ": a part lies outside the tensor");
    }
  }
  return region;
}

// Calls `visit(offset in the whole, number of elements)` for each run of `region`, in row-major order.
template <class Visit>
void for_each_run(const Region& region, const std::vector<int64_t>& shape, const Visit& visit) {
  if (shape.empty()) return visit(0, 1);
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * shape[i];
  int64_t runs = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) runs *= region.length[i];
  std::vector<int64_t> index(shape.size(), 0);
  for (int64_t run = 0; run < runs && region.length.back() > 0; ++run) {
    int64_t offset = region.start.back();
    for (size_t i = 0; i + 1 < shape.size(); ++i) offset += (region.start[i] + index[i]) * strides[i];
    visit(static_cast<size_t>(offset), static_cast<size_t>(region.length.back()));
    for (size_t axis = shape.size() - 1; axis-- > 0;) {
      if (++index[axis] < region.length[axis]) break;
      index[axis] = 0;
    }
  }
}

}  // namespace

std::string slice_key(const std::string& name, const std::vector<int64_t>& start, const std::vector<int64_t>& length) {
  std::string key;
  append_unsigned(key, 0);
  append_text(key, name);
  append_unsigned(key, start.size());
  for (size_t i = 0; i < start.size(); ++i) {
    append_signed(key, start[i]);
    append_signed(key, length[i]);
  }
  return key;
}

void paste(const Array& part, const std::vector<int64_t>& start, const std::vector<int64_t>& length,
           const std::vector<int64_t>& shape, size_t element, std::vector<std::byte>& data, const std::string& what) {
  const Region region = checked(start, length, shape, what);
  if (part.shape != region.length) fail_data(what + ": a part has another shape than its slice");
  size_t at = 0;
  for_each_run(region, shape, [&](size_t offset, size_t count) {
    std::memcpy(data.data() + offset * element, part.data.data() + at, count * element);
    at += count * element;
  });
}

Array cut(const Array& array, const std::vector<int64_t>& start, const std::vector<int64_t>& length) {
  const Region region = checked(start, length, array.shape, "a slice of a tensor");
  if (region.length == array.shape) return array;
  Array part;
  part.dtype = array.dtype;
  part.shape = region.length;
  const size_t element = dtype_size(array.dtype);
  std::vector<std::byte> data;
  for_each_run(region, array.shape, [&](size_t offset, size_t count) {
    if (element == 0) {
      for (size_t i = 0; i < count; ++i) part.strings.push_back(array.strings[offset + i]);
      return;
    }
    const ByteView run = array.data.view().subspan(offset * element, count * element);
    data.insert(data.end(), run.begin(), run.end());
  });
  part.data = Bytes::from_vector(std::move(data));
  return part;
}

}  // namespace onward::tensorflow
