#include "import/keras/ops/aspect.h"

namespace onward::importer::keras {

using ir::Builder;
using ir::DType;
using ir::Value;

namespace {

// Sizes as scalars of int64.
struct Sizes {
  Value* height;
  Value* width;
};

Sizes sizes_of(Builder& b, Value* x, int64_t height) { return {b.dim_scalar(x, height), b.dim_scalar(x, height + 1)}; }

// int(float(a * b) / c)
Value* share(Builder& b, Value* a, int64_t factor, int64_t divisor) {
  Value* product = b.Cast(b.Mul(a, b.i64(factor)), DType::kFloat);
  return b.Cast(b.Div(product, static_cast<double>(divisor)), DType::kInt64);
}

Value* half(Builder& b, Value* x) { return b.Div(x, b.i64(2)); }

}  // namespace

Value* cropped_to_aspect(Builder& b, Value* x, int64_t axis, int64_t height, int64_t width) {
  const Sizes size = sizes_of(b, x, axis);
  Value* one = b.i64(1);
  Value* rows = b.Max(b.Min(size.height, share(b, size.width, height, width)), one);
  Value* columns = b.Max(b.Min(size.width, share(b, size.height, width, height)), one);
  Value* top = half(b, b.Sub(size.height, rows));
  Value* left = half(b, b.Sub(size.width, columns));
  return b.Slice(x, b.join({top, left}), b.join({b.Add(top, rows), b.Add(left, columns)}), b.ints({axis, axis + 1}));
}

Value* padded_to_aspect(Builder& b, Value* x, int64_t axis, int64_t height, int64_t width, double value) {
  const Sizes size = sizes_of(b, x, axis);
  Value* rows = b.Max(size.height, share(b, size.width, height, width));
  Value* columns = b.Max(size.width, share(b, size.height, width, height));
  Value* top = half(b, b.Sub(rows, size.height));
  Value* left = half(b, b.Sub(columns, size.width));
  Value* both = b.join({top, left});
  ir::Values pads;
  const std::vector<int64_t> before(static_cast<size_t>(axis), 0);
  const std::vector<int64_t> after(x->rank() - static_cast<size_t>(axis) - 2, 0);
  for (int side = 0; side < 2; ++side) {
    pads.push_back(b.ints(before));
    pads.push_back(both);
    pads.push_back(b.ints(after));
  }
  return b.op("Pad", {x, b.Concat(pads, 0), b.number_like(value, x)}, {{"mode", "constant"}});
}

}  // namespace onward::importer::keras
