// Determinants, inverses and solutions of linear systems.
#include <algorithm>

#include "import/common/solving.h"
#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// --- determinants ----------------------------------------------------------------------------------------------------

Value* det(Call& c) { return c.b.op("Det", {matrix_of(c)}); }
Value* logdet(Call& c) { return c.b.Log(det(c)); }
ir::Values slogdet(Call& c) {
  Value* d = det(c);
  return {c.b.Sign(d), c.b.Log(c.b.Abs(d))};
}

// --- solving ---------------------------------------------------------------------------------------------------------

Value* inverse(Call& c) { return inverse_of(c.b, matrix_of(c)); }
ir::Values inverse_ex(Call& c) { return {inverse(c), no_error(c, matrix_of(c))}; }

// Vectors stand for matrices of one column.
Value* solved(ir::Builder& b, Value* a, Value* right, bool left) {
  const bool vector = right->rank() == 1 || (a->rank() == right->rank() + 1);
  if (vector) return b.Squeeze(solve(b, a, b.Unsqueeze(right, {-1})), {-1});
  if (left) return solve(b, a, right);
  return transposed(b, solve(b, transposed(b, a), transposed(b, right)));
}
Value* linalg_solve(Call& c) { return solved(c.b, c.tensor("A"), c.tensor("B"), !c.has("left") || c.flag("left")); }
ir::Values linalg_solve_ex(Call& c) { return {linalg_solve(c), no_error(c, c.tensor("A"))}; }
// With the factors that it went by.
ir::Values solve_with_factors(Call& c) {
  const Lu f = lu(c.b, c.tensor("A"));
  Value* pivots = c.b.Add(c.b.Cast(f.pivots, DType::kInt32), 1);
  return {linalg_solve(c), f.packed, pivots, no_error(c, c.tensor("A"))};
}

Value* solve_triangular(Call& c) {
  ir::Builder& b = c.b;
  Value* a = triangle(b, c.tensor("self"), c.flag("upper"), c.flag("unitriangular"));
  if (c.flag("left")) return solve(b, a, c.tensor("B"));
  return transposed(b, solve(b, transposed(b, a), transposed(b, c.tensor("B"))));
}
// aten::triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False)
ir::Values triangular_solve(Call& c) {
  ir::Builder& b = c.b;
  Value* a = triangle(b, c.tensor("A"), c.flag("upper"), c.flag("unitriangular"));
  return {solve(b, c.flag("transpose") ? transposed(b, a) : a, c.tensor("self")), c.tensor("A")};
}
// A seen as a matrix from its last `count` dimensions to its first ones.
Value* tensorinv(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const int64_t ind = c.integer("ind");
  Value* first = b.Slice(b.Shape(x), 0, ind, 0);
  Value* last = b.Slice(b.Shape(x), ind, kToEnd, 0);
  Value* side = b.ReduceProd(first, {0});
  Value* inverted = inverse_of(b, b.Reshape(x, b.Concat({side, b.ints({-1})}, 0)));
  return b.Reshape(inverted, b.Concat({last, first}, 0));
}
Value* tensorsolve(Call& c) {
  ir::Builder& b = c.b;
  Value* a = c.tensor("self");
  Value* right = c.tensor("other");
  if (c.given("dims")) {
    std::vector<int64_t> perm;
    const std::vector<int64_t> moved = c.axes("dims", a->rank());
    for (const int64_t axis : all_axes(a->rank())) {
      if (std::find(moved.begin(), moved.end(), axis) == moved.end()) perm.push_back(axis);
    }
    perm.insert(perm.end(), moved.begin(), moved.end());
    a = b.Transpose(a, perm);
  }
  Value* shape = b.Slice(b.Shape(a), static_cast<int64_t>(right->rank()), kToEnd, 0);
  Value* side = b.Unsqueeze(b.Size(right), {0});
  Value* flat = b.Reshape(a, b.Concat({side, b.ints({-1})}, 0));
  return b.Reshape(solve(b, flat, b.Reshape(right, {-1, 1})), shape);
}

}  // namespace

void register_linear_systems(OpTable& t) {
  t.add("aten::linalg_det(Tensor A) -> Tensor", det);
  t.add("aten::det(Tensor self) -> Tensor", det);
  t.add("aten::logdet(Tensor self) -> Tensor", logdet);
  t.add("aten::linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)", slogdet);
  t.add("aten::slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)", slogdet);
  t.add("aten::linalg_inv(Tensor A) -> Tensor", inverse);
  t.add("aten::inverse(Tensor self) -> Tensor", inverse);
  t.add("aten::linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)", inverse_ex);
  t.add("aten::linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor", linalg_solve);
  t.add(
      "aten::linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, Tensor "
      "info)",
      linalg_solve_ex);
  t.add(
      "aten::_linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, "
      "Tensor "
      "LU, Tensor pivots, Tensor info)",
      solve_with_factors);
  t.add(
      "aten::linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool unitriangular=False) "
      "-> "
      "Tensor",
      solve_triangular);
  t.add(
      "aten::triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False) "
      "-> "
      "(Tensor solution, Tensor cloned_coefficient)",
      triangular_solve);
  t.add("aten::linalg_tensorinv(Tensor self, int ind=2) -> Tensor", tensorinv);
  t.add("aten::linalg_tensorsolve(Tensor self, Tensor other, int[]? dims=None) -> Tensor", tensorsolve);
}

}  // namespace onward::importer::torch
