// Diagonals, and views by strides: diagonal, diag_embed, block_diag, trace, as_strided, unfold.
#include <algorithm>
#include <cstdlib>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// --- diagonals -------------------------------------------------------------------------------------------------------

// Rows and columns of the diagonal's elements as [n, 2], n elements from (row, column) on.
Value* diagonal_places(ir::Builder& b, Value* count, int64_t offset) {
  Value* steps = counting(b, count);
  Value* rows = offset < 0 ? b.Add(steps, b.i64(-offset)) : steps;
  Value* columns = offset > 0 ? b.Add(steps, b.i64(offset)) : steps;
  return b.Concat({b.Unsqueeze(rows, {1}), b.Unsqueeze(columns, {1})}, 1);
}

struct Plane {
  int64_t rows;
  int64_t columns;
  int64_t offset;
};
Plane plane_of(Call& c, size_t rank) {
  const auto at = [&](const char* name, int64_t fallback) {
    const int64_t size = static_cast<int64_t>(rank);
    const int64_t axis = c.has(name) ? c.integer(name) : fallback;
    c.require(axis >= -size && axis < size, "a dimension is out of range");
    return axis < 0 ? axis + size : axis;
  };
  const bool linalg = c.signature().name == "aten::linalg_diagonal";
  return {at("dim1", linalg ? -2 : 0), at("dim2", linalg ? -1 : 1), c.has("offset") ? c.integer("offset") : 0};
}
// The plane's two dimensions first.
std::vector<int64_t> plane_first(const Plane& plane, size_t rank) {
  std::vector<int64_t> perm{plane.rows, plane.columns};
  for (const int64_t axis : all_axes(rank)) {
    if (axis != plane.rows && axis != plane.columns) perm.push_back(axis);
  }
  return perm;
}
std::vector<int64_t> inverse(const std::vector<int64_t>& perm) {
  std::vector<int64_t> back(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return back;
}
Value* diagonal_length(ir::Builder& b, Value* x, const Plane& plane) {
  Value* rows = b.dim(x, plane.rows);
  Value* columns = b.dim(x, plane.columns);
  if (plane.offset < 0) rows = b.Add(rows, b.ints({plane.offset}));
  if (plane.offset > 0) columns = b.Sub(columns, b.ints({plane.offset}));
  return b.Max(b.Min(rows, columns), b.ints({0}));
}

Value* diagonal_of(ir::Builder& b, Value* x, const Plane& plane) {
  Value* places = diagonal_places(b, diagonal_length(b, x, plane), plane.offset);
  Value* found = b.op("GatherND", {b.Transpose(x, plane_first(plane, x->rank())), places});
  return move_axis(b, found, 0, -1);
}
Value* diagonal(Call& c) {
  Value* x = c.tensor(c.has("A") ? "A" : "self");
  return diagonal_of(c.b, x, plane_of(c, x->rank()));
}
Value* diagonal_scatter(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const Plane plane = plane_of(c, x->rank());
  const std::vector<int64_t> perm = plane_first(plane, x->rank());
  Value* places = diagonal_places(b, diagonal_length(b, x, plane), plane.offset);
  Value* source = move_axis(b, b.Cast(c.tensor("src"), x->dtype), -1, 0);
  return b.Transpose(b.op("ScatterND", {b.Transpose(x, perm), places, source}), inverse(perm));
}

// The last dimension becomes the diagonal of a square of zeros.
Value* embedded(ir::Builder& b, Value* x, const Plane& plane) {
  Value* length = b.dim(x, -1);
  Value* side = b.Add(length, b.ints({std::abs(plane.offset)}));
  Value* source = move_axis(b, x, -1, 0);
  Value* shape = b.Concat({side, side, b.Slice(b.Shape(source), 1, kToEnd, 0)}, 0);
  Value* square = b.op("ScatterND", {b.Fill(shape, 0, x->dtype), diagonal_places(b, length, plane.offset), source});
  return b.Transpose(square, inverse(plane_first(plane, x->rank() + 1)));
}
Value* diag_embed(Call& c) { return embedded(c.b, c.tensor("self"), plane_of(c, c.tensor("self")->rank() + 1)); }
Value* diag(Call& c) {
  Value* x = c.tensor("self");
  const Plane plane{0, 1, c.integer("diagonal")};
  return x->rank() == 1 ? embedded(c.b, x, plane) : diagonal_of(c.b, x, plane);
}
Value* diagflat(Call& c) { return embedded(c.b, c.b.Reshape(c.tensor("self"), {-1}), {0, 1, c.integer("offset")}); }
Value* trace(Call& c) {
  Value* x = c.tensor("self");
  if (!ir::is_floating(x->dtype)) x = c.b.Cast(x, DType::kInt64);
  return c.b.ReduceSum(diagonal_of(c.b, x, {0, 1, 0}), {0}, false);
}

// aten::block_diag(Tensor[] tensors) -> Tensor
Value* block_diag(Call& c) {
  ir::Builder& b = c.b;
  const DType dtype = c.promoted_dtype({"tensors"});
  ir::Values blocks = c.tensors("tensors");
  ir::Values widths;
  for (Value*& block : blocks) {
    block = b.Cast(block, dtype);
    if (block->rank() < 2) block = block->rank() == 0 ? b.Reshape(block, {1, 1}) : b.Unsqueeze(block, {0});
    widths.push_back(b.dim(block, 1));
  }
  Value* before = b.ints({0});
  Value* total = b.ints({0});
  for (Value* width : widths) total = b.Add(total, width);
  for (size_t i = 0; i < blocks.size(); ++i) {
    Value* after = b.Sub(b.Sub(total, before), widths[i]);
    blocks[i] = b.op("Pad", {blocks[i], b.Concat({b.ints({0}), before, b.ints({0}), after}, 0)});
    before = b.Add(before, widths[i]);
  }
  return b.Concat(blocks, 0);
}

// --- by strides ------------------------------------------------------------------------------------------------------

// Positions in the flattened tensor. A tensor's memory is taken to be in order, as after contiguous().
Value* strided_places(Call& c) {
  ir::Builder& b = c.b;
  Value* sizes = c.int_vector("size");
  Value* strides = c.int_vector("stride");
  const size_t rank = c.arg("size").list() == nullptr ? 1 : c.arg("size").list()->size();
  Value* places = c.given("storage_offset") ? c.int_scalar("storage_offset") : b.i64(0);
  for (size_t i = 0; i < rank; ++i) {
    const auto at = static_cast<int64_t>(i);
    Value* steps = b.Mul(counting(b, b.Slice(sizes, at, at + 1, 0)), b.Slice(strides, at, at + 1, 0));
    places = b.Add(places, along(b, steps, at, rank));
  }
  return places;
}
Value* as_strided(Call& c) { return c.b.Gather(c.b.Reshape(c.tensor("self"), {-1}), strided_places(c), 0); }
Value* as_strided_scatter(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* places = b.Reshape(strided_places(c), {-1, 1});
  Value* source = b.Reshape(b.Cast(c.tensor("src"), x->dtype), {-1});
  return b.Reshape(b.op("ScatterND", {b.Reshape(x, {-1}), places, source}), b.Shape(x));
}

// aten::unfold(Tensor self, int dimension, int size, int step) -> Tensor
Value* unfold(Call& c) {
  ir::Builder& b = c.b;
  Value* x = at_least_1d(b, c.tensor("self"));
  const int64_t axis = c.axis("dimension", x->rank());
  const int64_t size = c.integer("size");
  const int64_t step = c.integer("step");
  Value* count = b.Add(b.Div(b.Sub(b.dim(x, axis), b.ints({size})), b.ints({step})), b.ints({1}));
  Value* starts = b.Unsqueeze(b.Mul(counting(b, count), b.i64(step)), {1});
  Value* windows = b.Gather(x, b.Add(starts, counting(b, b.i64(size))), axis);
  Value* result = move_axis(b, windows, axis + 1, -1);
  return c.tensor("self")->rank() == 0 ? b.Reshape(result, {-1}) : result;
}

}  // namespace

void register_diagonal(OpTable& t) {
  t.add("aten::diagonal(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor", diagonal);
  t.add("aten::linalg_diagonal(Tensor A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor", diagonal);
  t.add("aten::diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor",
        diagonal_scatter);
  t.add("aten::diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor", diag_embed);
  t.add("aten::diag(Tensor self, int diagonal=0) -> Tensor", diag);
  t.add("aten::diagflat(Tensor self, int offset=0) -> Tensor", diagflat);
  t.add("aten::trace(Tensor self) -> Tensor", trace);
  t.add("aten::block_diag(Tensor[] tensors) -> Tensor", block_diag);
  const std::string strided = "SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor";
  t.add("aten::as_strided(Tensor self, " + strided, as_strided);
  t.add("aten::as_strided_scatter(Tensor self, Tensor src, " + strided, as_strided_scatter);
  t.add("aten::unfold(Tensor self, int dimension, int size, int step) -> Tensor", unfold);
}

}  // namespace onward::importer::torch
