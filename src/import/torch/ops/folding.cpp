// Sliding blocks and moved channels: im2col, col2im, pixel_shuffle, channel_shuffle; bags of embeddings.
#include "import/common/folding.h"

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor
Value* im2col(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const bool single = x->rank() == 3;
  if (single) x = b.Unsqueeze(x, {0});
  const std::vector<int64_t> kernel = c.integers("kernel_size", 2);
  const std::vector<int64_t> dilation = c.integers("dilation", 2);
  const std::vector<int64_t> padding = c.integers("padding", 2);
  const std::vector<int64_t> stride = c.integers("stride", 2);
  Value* rows = block_places(b, b.dim(x, 2), {kernel[0], dilation[0], padding[0], stride[0]});
  Value* columns = block_places(b, b.dim(x, 3), {kernel[1], dilation[1], padding[1], stride[1]});
  Value* padded = b.Pad(x, {0, 0, padding[0], padding[1], 0, 0, padding[0], padding[1]});
  Value* folded = unfolded(b, padded, rows, columns);
  return single ? b.Squeeze(folded, {0}) : folded;
}

Value* col2im(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const bool single = x->rank() == 2;
  if (single) x = b.Unsqueeze(x, {0});
  const std::vector<int64_t> padding = c.integers("padding", 2);
  const std::vector<int64_t> dilation = c.integers("dilation", 2);
  const std::vector<int64_t> stride = c.integers("stride", 2);
  Value* image = b.op("Col2Im", {x, c.int_vector("output_size"), b.ints(c.integers("kernel_size", 2))},
                      {{"dilations", dilation},
                       {"pads", std::vector<int64_t>{padding[0], padding[1], padding[0], padding[1]}},
                       {"strides", stride}});
  return single ? b.Squeeze(image, {0}) : image;
}

// --- channels --------------------------------------------------------------------------------------------------------

// The last three dimensions as [1, …] images, whatever stands before.
template <class Work>
Value* on_images(Call& c, const Work& work) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  if (!x->has_rank() || x->rank() == 4) return work(x);
  const auto rank = static_cast<int64_t>(x->rank());
  Value* shape = b.Shape(x);
  Value* flat = b.Reshape(x, b.Concat({b.ints({-1}), b.Slice(shape, rank - 3, rank, 0)}, 0));
  Value* result = work(flat);
  return b.Reshape(result, b.Concat({b.Slice(shape, 0, rank - 3, 0), b.Slice(b.Shape(result), 1, kToEnd, 0)}, 0));
}
Value* pixel_shuffle(Call& c) {
  return on_images(c, [&](Value* x) {
    return c.b.op("DepthToSpace", {x}, {{"blocksize", c.integer("upscale_factor")}, {"mode", "CRD"}});
  });
}
Value* pixel_unshuffle(Call& c) {
  ir::Builder& b = c.b;
  const int64_t r = c.integer("downscale_factor");
  return on_images(c, [&](Value* x) {
    // [n, c, h, w] → [n, c, h/r, r, w/r, r] → [n, c, r, r, h/r, w/r] → [n, c r r, h/r, w/r]
    Value* part = b.ints({r});
    Value* height = b.Div(b.dim(x, 2), part);
    Value* width = b.Div(b.dim(x, 3), part);
    Value* split = b.Concat({b.dim(x, 0), b.dim(x, 1), height, part, width, part}, 0);
    Value* turned = b.Transpose(b.Reshape(x, split), {0, 1, 3, 5, 2, 4});
    return b.Reshape(turned, b.Concat({b.dim(x, 0), b.Mul(b.dim(x, 1), b.ints({r * r})), height, width}, 0));
  });
}
Value* channel_shuffle(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* shape = b.Shape(x);
  Value* front = b.Slice(shape, 0, 1, 0);
  Value* back = b.Slice(shape, 2, kToEnd, 0);
  Value* grouped = b.Reshape(x, b.Concat({front, b.ints({c.integer("groups"), -1}), back}, 0));
  return b.Reshape(swap_axes(b, grouped, 1, 2), shape);
}

// --- bags ------------------------------------------------------------------------------------------------------------

// aten::embedding_bag(Tensor weight, Tensor indices, Tensor offsets, …, int mode, …): sum, mean or maximum of the rows
// of each bag. Bags × positions, so that offsets may be anything.
ir::Values embedding_bag(Call& c) {
  ir::Builder& b = c.b;
  Value* weight = c.tensor("weight");
  Value* indices = b.Cast(c.tensor("indices"), DType::kInt64);
  Value* offsets = b.Cast(c.tensor("offsets"), DType::kInt64);
  Value* positions = counting(b, b.dim(indices, 0));
  Value* starts = c.flag("include_last_offset") ? b.Slice(offsets, 0, -1, 0) : offsets;
  Value* ends = c.flag("include_last_offset") ? b.Slice(offsets, 1, kToEnd, 0)
                                              : b.Concat({b.Slice(offsets, 1, kToEnd, 0), b.dim(indices, 0)}, 0);
  Value* member =
      b.And(b.GreaterOrEqual(positions, b.Unsqueeze(starts, {1})), b.Less(positions, b.Unsqueeze(ends, {1})));
  if (c.has("padding_idx") && c.given("padding_idx")) {
    int64_t padding = c.integer("padding_idx");
    if (padding < 0 && weight->dim(0).is_known()) padding += weight->dim(0).value();
    member = b.And(member, b.Not(b.Equal(indices, b.i64(padding))));
  }
  Value* rows = b.Gather(weight, indices, 0);
  Value* sizes = b.ReduceSum(b.Cast(member, DType::kInt64), {1}, false);
  Value* bag_of = b.ReduceSum(b.Cast(b.GreaterOrEqual(b.Unsqueeze(positions, {1}), starts), DType::kInt64), {1}, false);
  const int64_t mode = c.integer("mode");
  Value* result = nullptr;
  if (mode == 2) {
    Value* low = b.number_like(-std::numeric_limits<double>::infinity(), weight);
    Value* most = b.ReduceMax(b.Where(b.Unsqueeze(member, {2}), rows, low), {1}, false);
    result = b.Where(b.Unsqueeze(b.Equal(sizes, b.i64(0)), {1}), b.number_like(0, weight), most);
  } else {
    Value* share = b.Cast(member, weight->dtype);
    if (Value* scale = c.maybe_tensor("per_sample_weights")) share = b.Mul(share, scale);
    result = b.MatMul(share, rows);
    if (mode == 1) result = b.Div(result, b.Cast(b.Unsqueeze(b.Max(sizes, b.i64(1)), {1}), weight->dtype));
  }
  Value* none = b.constant(ir::Tensor::filled(DType::kInt64, {0}, 0));
  return {result, b.Sub(bag_of, b.i64(1)), sizes, none};
}

}  // namespace

void register_folding(OpTable& t) {
  t.add("aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor",
        im2col);
  t.add(
      "aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, "
      "int[2] stride) -> Tensor",
      col2im);
  t.add("aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor", pixel_shuffle);
  t.add("aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor", pixel_unshuffle);
  t.add("aten::channel_shuffle(Tensor self, SymInt groups) -> Tensor", channel_shuffle);
  t.add("aten::native_channel_shuffle(Tensor self, SymInt groups) -> Tensor", channel_shuffle);
  const std::string bag =
      "(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, "
      "Tensor? per_sample_weights=None, bool include_last_offset=False";
  const std::string four = " -> (Tensor, Tensor, Tensor, Tensor)";
  t.add("aten::embedding_bag" + bag + ")" + four, embedding_bag);
  t.add(
      "aten::embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int "
      "mode, "
      "bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx)" +
          four,
      embedding_bag);
  for (const char* name : {"aten::_embedding_bag", "aten::_embedding_bag_forward_only"}) {
    t.add(name + bag + ", int padding_idx=-1)" + four, embedding_bag);
  }
}

}  // namespace onward::importer::torch
