#include "ir/shape.h"

#include "base/error.h"

namespace onward::ir {

std::string Dim::text() const {
  if (is_known()) return std::to_string(*value_);
  return is_symbol() ? symbol_ : "?";
}

Shape to_shape(const Dims& dims) { return {dims.begin(), dims.end()}; }

std::optional<Dims> static_dims(const Shape& shape) {
  Dims dims;
  dims.reserve(shape.size());
  for (const Dim& dim : shape) {
    if (!dim.is_known()) return std::nullopt;
    dims.push_back(dim.value());
  }
  return dims;
}

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (const Dim& dim : shape) {
    if (text.size() > 1) text += ',';
    text += dim.text();
  }
  return text + "]";
}

int64_t element_count(const Dims& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 0) fail_data("a tensor has the negative dimension " + std::to_string(dim));
    if (__builtin_mul_overflow(count, dim, &count)) fail_data("a tensor's size overflows");
  }
  return count;
}

}  // namespace onward::ir
