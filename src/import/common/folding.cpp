#include "import/common/folding.h"

#include "import/common/axes.h"

namespace onward::importer {

using ir::Value;

Value* block_places(ir::Builder& b, Value* size, const Blocks& blocks) {
  Value* reach = b.Add(size, b.ints({2 * blocks.padding - blocks.dilation * (blocks.kernel - 1) - 1}));
  Value* count = b.Add(b.Div(reach, b.ints({blocks.stride})), b.ints({1}));
  Value* starts = b.Mul(counting(b, count), b.i64(blocks.stride));
  Value* inside = b.Mul(counting(b, b.i64(blocks.kernel)), b.i64(blocks.dilation));
  return b.Add(b.Unsqueeze(inside, {1}), starts);
}

Value* unfolded(ir::Builder& b, Value* padded, Value* rows, Value* columns) {
  // [n, c, kh, bh, w] → [n, c, kh, bh, kw, bw] → [n, c, kh, kw, bh, bw]
  Value* blocks = b.Gather(b.Gather(padded, rows, 2), columns, 4);
  Value* ordered = b.Transpose(blocks, {0, 1, 2, 4, 3, 5});
  Value* channels = b.Mul(b.dim(padded, 1), b.Mul(b.dim(rows, 0), b.dim(columns, 0)));
  return b.Reshape(ordered, b.Concat({b.dim(padded, 0), channels, b.ints({-1})}, 0));
}

Value* patches(ir::Builder& b, Value* x, const std::vector<int64_t>& kernel, const std::vector<int64_t>& strides,
               const std::vector<int64_t>& dilations) {
  // Each axis becomes two: the window's number and the place in it.
  std::vector<int64_t> perm{0};
  ir::Values shape{b.dim(x, 0)};
  int64_t inside = 1;
  for (size_t i = 0; i < kernel.size(); ++i) {
    const int64_t axis = static_cast<int64_t>(2 * i) + 1;
    Value* extent = b.i64((kernel[i] - 1) * dilations[i] + 1);
    Value* windows = b.Add(b.Div(b.Sub(b.dim_scalar(x, axis), extent), b.i64(strides[i])), b.i64(1));
    Value* starts = b.Mul(counting(b, windows), b.i64(strides[i]));
    Value* places = b.Mul(counting(b, b.i64(kernel[i])), b.i64(dilations[i]));
    x = b.Gather(x, b.Add(b.Unsqueeze(starts, {1}), places), axis);
    perm.push_back(axis);
    shape.push_back(b.Unsqueeze(windows, {0}));
    inside *= kernel[i];
  }
  for (size_t i = 0; i < kernel.size(); ++i) perm.push_back(static_cast<int64_t>(2 * i) + 2);
  perm.push_back(static_cast<int64_t>(2 * kernel.size()) + 1);
  shape.push_back(b.Mul(b.dim(x, -1), b.ints({inside})));
  return b.Reshape(b.Transpose(x, perm), b.Concat(shape, 0));
}

}  // namespace onward::importer
