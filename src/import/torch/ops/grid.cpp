// Sampling at the points of a grid, and the grids that affine maps make.
#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

enum Padding : int64_t { kZeros, kBorder, kReflection };

// --- volumes, for which ONNX's GridSample of opset 18 has no form --------------------------------------------------

// A coordinate of -1 … 1 in voxels.
Value* in_voxels(ir::Builder& b, Value* x, Value* size, bool align_corners) {
  if (align_corners) return b.Mul(b.Mul(b.Add(x, 1), 0.5), b.Sub(size, 1));
  return b.Mul(b.Sub(b.Mul(b.Add(x, 1), size), 1), 0.5);
}
// Mirrored back and forth between low and high.
Value* reflected(ir::Builder& b, Value* x, Value* low, Value* high) {
  Value* span = b.Sub(high, low);
  Value* safe = b.Where(b.Equal(span, b.number_like(0, span)), b.number_like(1, span), span);
  Value* away = b.Abs(b.Sub(x, low));
  Value* turns = b.Floor(b.Div(away, safe));
  Value* rest = b.Sub(away, b.Mul(turns, safe));
  Value* odd = b.Equal(b.Sub(turns, b.Mul(b.Floor(b.Mul(turns, 0.5)), 2)), b.number_like(1, turns));
  Value* inside = b.Where(odd, b.Sub(b.Add(low, safe), rest), b.Add(low, rest));
  return b.Where(b.Equal(span, b.number_like(0, span)), b.number_like(0, span), inside);
}
Value* padded_coordinate(ir::Builder& b, Value* x, Value* size, int64_t padding, bool align_corners) {
  if (padding == kZeros) return x;
  Value* last = b.Sub(size, 1);
  if (padding == kReflection) {
    Value* low = b.number_like(align_corners ? 0 : -0.5, x);
    x = reflected(b, x, low, align_corners ? last : b.Sub(size, 0.5));
  }
  return b.Min(b.Max(x, 0.0), last);
}

// The input at whole coordinates, zero outside: [n, c, points].
Value* voxels(ir::Builder& b, Value* flat, const ir::Values& at, const ir::Values& sizes) {
  Value* inside = nullptr;
  Value* place = nullptr;
  for (size_t i = 0; i < at.size(); ++i) {
    Value* last = b.Sub(sizes[i], 1);
    Value* there = b.And(b.GreaterOrEqual(at[i], b.number_like(0, at[i])), b.LessOrEqual(at[i], last));
    inside = inside == nullptr ? there : b.And(inside, there);
    Value* clamped = b.Cast(b.Min(b.Max(at[i], 0.0), last), DType::kInt64);
    place = place == nullptr ? clamped : b.Add(b.Mul(place, b.Cast(sizes[i], DType::kInt64)), clamped);
  }
  Value* shape = b.Concat({b.dim(flat, 0), b.dim(flat, 1), b.ints({-1})}, 0);
  Value* index = b.Reshape(place, b.Concat({b.dim(flat, 0), b.ints({1, -1})}, 0));
  Value* wide = b.Expand(index, b.Concat({b.dim(flat, 0), b.dim(flat, 1), b.ints({1})}, 0));
  Value* found = b.Reshape(b.op("GatherElements", {flat, wide}, {{"axis", 2}}), shape);
  Value* mask = b.Reshape(inside, b.Concat({b.dim(flat, 0), b.ints({1, -1})}, 0));
  return b.Where(mask, found, b.number_like(0, found));
}

Value* sample_volume(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  Value* grid = c.tensor("grid");
  const int64_t mode = c.integer("interpolation_mode");
  const int64_t padding = c.integer("padding_mode");
  const bool align_corners = c.flag("align_corners");
  c.require(mode < 2, "cubic sampling of volumes does not exist");
  ir::Values at;
  ir::Values sizes;
  for (int64_t i = 0; i < 3; ++i) {  // the grid's last dimension is x, y, z
    Value* size = b.Cast(b.dim_scalar(x, 2 + i), x->dtype);
    Value* coordinate = in_voxels(b, b.Select(grid, 2 - i, -1), size, align_corners);
    at.push_back(padded_coordinate(b, coordinate, size, padding, align_corners));
    sizes.push_back(size);
  }
  Value* flat = b.Reshape(x, {0, 0, -1});
  Value* result = nullptr;
  if (mode == 1) {
    for (Value*& coordinate : at) coordinate = b.Round(coordinate);
    result = voxels(b, flat, at, sizes);
  } else {
    for (int corner = 0; corner < 8; ++corner) {
      ir::Values place;
      Value* weight = nullptr;
      for (size_t i = 0; i < 3; ++i) {
        const bool upper = ((corner >> i) & 1) != 0;
        Value* low = b.Floor(at[i]);
        Value* part = b.Sub(at[i], low);
        Value* share = upper ? part : b.Sub(b.number_like(1, part), part);
        weight = weight == nullptr ? share : b.Mul(weight, share);
        place.push_back(upper ? b.Add(low, 1) : low);
      }
      Value* row = b.Reshape(weight, b.Concat({b.dim(x, 0), b.ints({1, -1})}, 0));
      Value* term = b.Mul(voxels(b, flat, place, sizes), row);
      result = result == nullptr ? term : b.Add(result, term);
    }
  }
  Value* shape = b.Concat({b.dim(x, 0), b.dim(x, 1), b.Slice(b.Shape(grid), 1, 4, 0)}, 0);
  return b.Reshape(result, shape);
}

// aten::grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor
Value* grid_sampler(Call& c) {
  const int64_t mode = c.integer("interpolation_mode");
  const int64_t padding = c.integer("padding_mode");
  static constexpr const char* kModes[] = {"bilinear", "nearest", "bicubic"};
  static constexpr const char* kPaddings[] = {"zeros", "border", "reflection"};
  c.require(mode >= 0 && mode < 3 && padding >= 0 && padding < 3, "the mode is unknown");
  Value* x = c.tensor("input");
  if (x->has_rank() && x->rank() == 5) return sample_volume(c);
  return c.b.op(
      "GridSample", {x, c.tensor("grid")},
      {{"mode", kModes[mode]}, {"padding_mode", kPaddings[padding]}, {"align_corners", c.flag("align_corners")}});
}

// --- affine grids ----------------------------------------------------------------------------------------------------

// The centres (or the corners) of `size` cells over -1 … 1.
Value* base_coordinates(ir::Builder& b, Value* size, bool align_corners, DType dtype) {
  Value* steps = b.Cast(counting(b, size), dtype);
  Value* count = b.Cast(size, dtype);
  if (!align_corners) return b.Sub(b.Div(b.Add(b.Mul(steps, 2), 1), count), 1);
  Value* gaps = b.Sub(count, 1);
  Value* single = b.Equal(gaps, b.number_like(0, gaps));
  Value* spread = b.Sub(b.Div(b.Mul(steps, 2), b.Where(single, b.number_like(1, gaps), gaps)), 1);
  return b.Where(single, b.number_like(0, gaps), spread);
}
// aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor
Value* affine_grid(Call& c) {
  ir::Builder& b = c.b;
  Value* theta = c.tensor("theta");
  const size_t spatial = c.arg("size").list()->size() - 2;
  Value* sizes = c.int_vector("size");
  const auto last = static_cast<int64_t>(spatial) + 2;
  Value* shape = b.Slice(sizes, 2, last, 0);
  ir::Values columns;
  for (size_t i = spatial; i-- > 0;) {  // x, y, z
    const auto axis = static_cast<int64_t>(i);
    Value* size = b.Slice(sizes, axis + 2, axis + 3, 0);
    Value* row = base_coordinates(b, size, c.flag("align_corners"), theta->dtype);
    columns.push_back(b.Reshape(b.Expand(along(b, row, axis, spatial), shape), {-1, 1}));
  }
  columns.push_back(b.Expand(b.number_like(1, theta), b.Shape(columns[0])));
  Value* points = b.MatMul(b.Concat(columns, 1), b.Transpose(theta, {0, 2, 1}));
  Value* count = b.ints({static_cast<int64_t>(spatial)});
  return b.Reshape(points, b.Concat({b.dim(theta, 0), shape, count}, 0));
}

}  // namespace

void register_grid(OpTable& t) {
  const std::string settings =
      "(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor";
  for (const char* name : {"grid_sampler", "grid_sampler_2d", "grid_sampler_3d"}) {
    t.add("aten::" + std::string(name) + settings, grid_sampler);
  }
  t.add("aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor", affine_grid);
}

}  // namespace onward::importer::torch
