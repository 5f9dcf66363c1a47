#include "serving/layout.h"

#include <array>
#include <cstring>

namespace onward::serving {
namespace {

using ir::Dims;
using ir::Tensor;

// [N,R,C] → [N,C,R] of items of `size` bytes.
Bytes swap_last_two(const Bytes& bytes, size_t n, size_t r, size_t c, size_t size) {
  std::vector<std::byte> moved(bytes.size());
  const std::byte* from = bytes.data();
  for (size_t i = 0; i < n; ++i) {
    for (size_t row = 0; row < r; ++row) {
      for (size_t column = 0; column < c; ++column) {
        std::memcpy(moved.data() + ((i * c + column) * r + row) * size, from, size);
        from += size;
      }
    }
  }
  return Bytes::from_vector(std::move(moved));
}

// `tensor` read as [n,r,c], as [n,c,r] under `dims`.
Tensor transposed(const Tensor& tensor, size_t n, size_t r, size_t c, Dims dims) {
  if (r == 1 || c == 1 || tensor.count() == 0) return tensor.reshaped(std::move(dims));
  const size_t size = ir::dtype_bits(tensor.dtype()) / 8;
  return Tensor(tensor.dtype(), std::move(dims), swap_last_two(tensor.bytes(), n, r, c, size));
}

size_t at(const Dims& dims, size_t index) { return static_cast<size_t>(dims[index]); }

Tensor to_nchw(const Tensor& nhwc) {
  const Dims& d = nhwc.dims();
  return transposed(nhwc, at(d, 0), at(d, 1) * at(d, 2), at(d, 3), {d[0], d[3], d[1], d[2]});
}

Tensor to_nhwc(const Tensor& nchw) {
  const Dims& d = nchw.dims();
  return transposed(nchw, at(d, 0), at(d, 1), at(d, 2) * at(d, 3), {d[0], d[2], d[3], d[1]});
}

std::optional<Tensor> fit_image(const Tensor& nhwc_or_nchw, const ir::Shape& wanted) {
  const Dims& d = nhwc_or_nchw.dims();
  if (matches(d, wanted)) return nhwc_or_nchw;
  const bool movable = ir::dtype_bits(nhwc_or_nchw.dtype()) >= 8;
  if (movable && matches({d[0], d[3], d[1], d[2]}, wanted)) return to_nchw(nhwc_or_nchw);
  if (movable && matches({d[0], d[2], d[3], d[1]}, wanted)) return to_nhwc(nhwc_or_nchw);
  return std::nullopt;
}

}  // namespace

bool matches(const Dims& dims, const ir::Shape& wanted) {
  if (dims.size() != wanted.size()) return false;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (wanted[i].is_known() && wanted[i].value() != dims[i]) return false;
  }
  return true;
}

std::optional<Tensor> fit(const Tensor& tensor, const ir::Shape& wanted) {
  const Dims& d = tensor.dims();
  if (matches(d, wanted)) return tensor;
  Dims batched = d;
  batched.insert(batched.begin(), 1);
  if (matches(batched, wanted)) return tensor.reshaped(std::move(batched));
  if (wanted.size() != 4) return std::nullopt;
  switch (d.size()) {
    case 2:
      for (const Dims& image : {Dims{1, d[0], d[1], 1}, Dims{1, 1, d[0], d[1]}}) {
        if (matches(image, wanted)) return tensor.reshaped(image);
      }
      return std::nullopt;
    case 3:
      for (const Dims& images : {Dims{d[0], d[1], d[2], 1}, Dims{d[0], 1, d[1], d[2]}}) {
        if (matches(images, wanted)) return tensor.reshaped(images);
      }
      return fit_image(tensor.reshaped(std::move(batched)), wanted);
    case 4:
      return fit_image(tensor, wanted);
    default:
      return std::nullopt;
  }
}

}  // namespace onward::serving
