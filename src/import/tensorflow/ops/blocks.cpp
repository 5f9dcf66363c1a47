// Blocks of space moved to depth or batch and back; patches of images.
#include "import/common/folding.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"
#include "import/tensorflow/ops/windows.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// DepthToSpace(input: T, block_size: int, data_format: string = "NHWC") -> output
Value* depth_to_space(Call& c) {
  return in_nchw(c.b, c.input(0), 4, channels_first(c), [&](Value* image) {
    return c.b.op("DepthToSpace", {image}, {{"blocksize", c.integer("block_size")}, {"mode", "DCR"}});
  });
}
// SpaceToDepth(input: T, block_size: int, data_format: string = "NHWC") -> output
Value* space_to_depth(Call& c) {
  return in_nchw(c.b, c.input(0), 4, channels_first(c), [&](Value* image) {
    return c.b.op("SpaceToDepth", {image}, {{"blocksize", c.integer("block_size")}});
  });
}

// --- space and batch -------------------------------------------------------------------------------------------------

// [pads of the spatial axes: count, 2] as ONNX has it for a tensor of `rank` dimensions.
Value* spatial_pads(ir::Builder& b, Value* pads, size_t count, size_t rank) {
  const std::vector<int64_t> behind(rank - count - 1, 0);
  Value* sides = b.Transpose(pads, {1, 0});
  Value* none = b.ints({0});
  return b.Concat({none, b.Select(sides, 0, 0), b.ints(behind), none, b.Select(sides, 1, 0), b.ints(behind)}, 0);
}

Value* space_to_batch(Call& c, Value* x, const std::vector<int64_t>& block, Value* pads) {
  ir::Builder& b = c.b;
  const size_t count = block.size();
  const size_t rank = x->rank();
  c.require(rank > count, "its block has more dimensions than its input");
  x = b.op("Pad", {x, spatial_pads(b, pads, count, rank)}, {{"mode", "constant"}});
  // [n, h, w, c] → [n, h/b0, b0, w/b1, b1, c] → [b0, b1, n, h/b0, w/b1, c]
  ir::Values shape{b.dim(x, 0)};
  ir::Values merged{b.Mul(b.dim(x, 0), product(b, b.ints(block)))};
  std::vector<int64_t> perm;
  for (size_t i = 0; i < count; ++i) {
    Value* size = b.ints({block[i]});
    Value* fewer = b.Div(b.dim(x, static_cast<int64_t>(i) + 1), size);
    shape.insert(shape.end(), {fewer, size});
    merged.push_back(fewer);
    perm.push_back(static_cast<int64_t>(2 * i) + 2);
  }
  perm.push_back(0);
  for (size_t i = 0; i < count; ++i) perm.push_back(static_cast<int64_t>(2 * i) + 1);
  for (size_t i = count + 1; i < rank; ++i) perm.push_back(static_cast<int64_t>(i + count));
  Value* behind = dims(b, x, static_cast<int64_t>(count) + 1);
  shape.push_back(behind);
  merged.push_back(behind);
  return b.Reshape(b.Transpose(b.Reshape(x, b.Concat(shape, 0)), perm), b.Concat(merged, 0));
}

Value* batch_to_space(Call& c, Value* x, const std::vector<int64_t>& block, Value* crops) {
  ir::Builder& b = c.b;
  const size_t count = block.size();
  const size_t rank = x->rank();
  c.require(rank > count, "its block has more dimensions than its input");
  // [b0 b1 n, h, w, c] → [b0, b1, n, h, w, c] → [n, h, b0, w, b1, c]
  Value* fewer = b.Div(b.dim(x, 0), product(b, b.ints(block)));
  ir::Values shape{b.ints(block), fewer, dims(b, x, 1)};
  ir::Values merged{fewer};
  std::vector<int64_t> perm{static_cast<int64_t>(count)};
  for (size_t i = 0; i < count; ++i) {
    perm.push_back(static_cast<int64_t>(count + 1 + i));
    perm.push_back(static_cast<int64_t>(i));
    merged.push_back(b.Mul(b.dim(x, static_cast<int64_t>(i) + 1), b.ints({block[i]})));
  }
  for (size_t i = count + 1; i < rank; ++i) perm.push_back(static_cast<int64_t>(i + count));
  merged.push_back(dims(b, x, static_cast<int64_t>(count) + 1));
  Value* full = b.Reshape(b.Transpose(b.Reshape(x, b.Concat(shape, 0)), perm), b.Concat(merged, 0));
  Value* sides = b.Transpose(crops, {1, 0});
  const std::vector<int64_t> axes = all_axes(count + 1);
  Value* end = b.Sub(dims(b, full, 1, static_cast<int64_t>(count) + 1), b.Select(sides, 1, 0));
  return b.Slice(full, b.Select(sides, 0, 0), end, b.ints({axes.begin() + 1, axes.end()}));
}

// SpaceToBatchND(input: T, block_shape: Tblock_shape, paddings: Tpaddings) -> output
Value* space_to_batch_nd(Call& c) {
  return space_to_batch(c, c.input(0), c.constant_ints(1, "block_shape"), c.b.Cast(c.input(2), DType::kInt64));
}
Value* batch_to_space_nd(Call& c) {
  return batch_to_space(c, c.input(0), c.constant_ints(1, "block_shape"), c.b.Cast(c.input(2), DType::kInt64));
}
// SpaceToBatch(input: T, paddings: Tpaddings, block_size: int) -> output
Value* space_to_batch_v1(Call& c) {
  const int64_t size = c.integer("block_size");
  return space_to_batch(c, c.input(0), {size, size}, c.b.Cast(c.input(1), DType::kInt64));
}
Value* batch_to_space_v1(Call& c) {
  const int64_t size = c.integer("block_size");
  return batch_to_space(c, c.input(0), {size, size}, c.b.Cast(c.input(1), DType::kInt64));
}

// --- patches ---------------------------------------------------------------------------------------------------------

// ExtractImagePatches(images: T, ksizes: ints, strides: ints, rates: ints, padding: string) -> patches: each window's
// content along the last axis. ExtractVolumePatches has no rates.
Value* extract_patches(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  Windows w;
  w.kernel = spatial(c.integers("ksizes"), false);
  w.strides = spatial(c.integers("strides"), false);
  w.dilations = spatial(c.integers("rates"), false);
  const size_t count = w.kernel.size();
  if (w.dilations.empty()) w.dilations.assign(count, 1);
  c.require(w.strides.size() == count && w.dilations.size() == count, "its strides or rates do not fit its ksizes");
  if (c.text("padding") == "SAME") {
    const SamePads pads = same_pads(b, dims(b, x, 1, static_cast<int64_t>(count) + 1), w);
    Value* none = b.ints({0});
    x = b.op("Pad", {x, b.Concat({none, pads.begins, none, none, pads.ends, none}, 0)}, {{"mode", "constant"}});
  }
  return patches(b, x, w.kernel, w.strides, w.dilations);
}

}  // namespace

void register_blocks(OpTable& t) {
  t.add("DepthToSpace", depth_to_space);
  t.add("SpaceToDepth", space_to_depth);
  t.add("SpaceToBatchND", space_to_batch_nd);
  t.add("BatchToSpaceND", batch_to_space_nd);
  t.add("SpaceToBatch", space_to_batch_v1);
  t.add("BatchToSpace", batch_to_space_v1);
  t.add("ExtractImagePatches", extract_patches);
  t.add("ExtractVolumePatches", extract_patches);
}

}  // namespace onward::importer::tf
