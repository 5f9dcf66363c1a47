// LU, Cholesky and QR factors.
#include "import/common/solving.h"
#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// --- LU --------------------------------------------------------------------------------------------------------------

Value* pivots_of(Call& c, const Lu& f) { return c.b.Add(c.b.Cast(f.pivots, DType::kInt32), 1); }
ir::Values lu_factor(Call& c) {
  const Lu f = lu(c.b, matrix_of(c));
  return {f.packed, pivots_of(c, f)};
}
ir::Values lu_factor_ex(Call& c) {
  const Lu f = lu(c.b, matrix_of(c));
  return {f.packed, pivots_of(c, f), no_error(c, f.packed)};
}
// L is m × k, U k × n.
ir::Values triangles(Call& c, Value* packed) {
  ir::Builder& b = c.b;
  Value* side = b.Min(b.dim(packed, -2), b.dim(packed, -1));
  Value* zero = b.ints({0});
  Value* lower = triangle(b, b.Slice(packed, zero, side, b.ints({-1})), false, false);
  Value* rows = b.Unsqueeze(counting(b, b.dim(lower, -2)), {1});
  Value* columns = counting(b, b.dim(lower, -1));
  lower = b.Where(b.Equal(rows, columns), b.number_like(1, packed), lower);
  return {lower, triangle(b, b.Slice(packed, zero, side, b.ints({-2})), true, false)};
}
// A one for each row of A at its place in L U.
Value* permutation_matrix(Call& c, Value* order, DType dtype) {
  ir::Builder& b = c.b;
  Value* rows = b.Unsqueeze(counting(b, b.dim(order, -1)), {1});
  return b.Cast(b.Equal(rows, b.Unsqueeze(order, {-2})), dtype);
}
ir::Values linalg_lu(Call& c) {
  Value* a = matrix_of(c);
  const Lu f = lu(c.b, a);
  ir::Values both = triangles(c, f.packed);
  Value* p =
      c.flag("pivot") ? permutation_matrix(c, f.order, a->dtype) : c.b.constant(ir::Tensor::filled(a->dtype, {0}, 0));
  c.require(c.flag("pivot"), "a factorization without pivots is not supported");
  return {p, both[0], both[1]};
}
// The swaps one after the other.
Value* order_of_pivots(ir::Builder& b, Value* pivots, Value* rows) {
  Value* start = b.Expand(counting(b, rows), b.Concat({b.Slice(b.Shape(pivots), 0, -1, 0), rows}, 0));
  Value* places = b.Sub(b.Cast(pivots, DType::kInt64), b.i64(1));
  const auto swap = [&](ir::Builder& i, Value* k, Value*, const ir::Values& state) -> ir::Builder::LoopResult {
    Value* other = i.Gather(places, i.Unsqueeze(k, {0}), -1);
    Value* numbers = counting(i, i.dim(state[0], -1));
    Value* order = i.Where(i.Equal(numbers, k), other, i.Where(i.Equal(numbers, other), k, numbers));
    return {nullptr, {i.op("GatherElements", {state[0], order}, {{"axis", -1}})}, {}};
  };
  return b.Loop(b.dim_scalar(pivots, -1), nullptr, {start}, swap)[0];
}
ir::Values lu_unpack(Call& c) {
  ir::Builder& b = c.b;
  Value* packed = c.tensor("LU_data");
  ir::Values both = triangles(c, packed);
  Value* order = order_of_pivots(b, c.tensor("LU_pivots"), b.dim(packed, -2));
  return {permutation_matrix(c, order, packed->dtype), both[0], both[1]};
}
Value* lu_solved(Call& c, Value* packed, Value* pivots, Value* right, bool left, bool adjoint) {
  ir::Builder& b = c.b;
  const ir::Values both = triangles(c, packed);
  Value* order = order_of_pivots(b, pivots, b.dim(packed, -2));
  Value* a = b.MatMul(permutation_matrix(c, order, packed->dtype), b.MatMul(both[0], both[1]));
  if (adjoint) a = transposed(b, a);
  return left ? solve(b, a, right) : transposed(b, solve(b, transposed(b, a), transposed(b, right)));
}
Value* lu_solve(Call& c) {
  return lu_solved(c, c.tensor("LU_data"), c.tensor("LU_pivots"), c.tensor("self"), true, false);
}
Value* linalg_lu_solve(Call& c) {
  return lu_solved(c, c.tensor("LU"), c.tensor("pivots"), c.tensor("B"), c.flag("left"), c.flag("adjoint"));
}

// --- Cholesky --------------------------------------------------------------------------------------------------------

Value* cholesky_factor(Call& c) {
  Value* a = matrix_of(c);
  const bool upper = c.flag("upper");
  // Only the named triangle counts.
  Value* lower = triangle(c.b, upper ? transposed(c.b, a) : a, false, false);
  Value* strict = c.b.Sub(lower, c.b.Mul(lower, identity_matrix(c.b, a)));
  Value* factor = cholesky(c.b, c.b.Add(lower, transposed(c.b, strict)));
  return upper ? transposed(c.b, factor) : factor;
}
Value* linalg_cholesky(Call& c) {
  Value* a = matrix_of(c);
  const bool upper = c.flag("upper");
  Value* lower = triangle(c.b, a, false, false);  // linalg reads the lower triangle whatever it returns
  Value* strict = c.b.Sub(lower, c.b.Mul(lower, identity_matrix(c.b, a)));
  Value* factor = cholesky(c.b, c.b.Add(lower, transposed(c.b, strict)));
  return upper ? transposed(c.b, factor) : factor;
}
ir::Values linalg_cholesky_ex(Call& c) { return {linalg_cholesky(c), no_error(c, matrix_of(c))}; }
Value* product_of_factor(ir::Builder& b, Value* factor, bool upper) {
  Value* part = triangle(b, factor, upper, false);
  return upper ? b.MatMul(transposed(b, part), part) : b.MatMul(part, transposed(b, part));
}
Value* cholesky_inverse(Call& c) { return inverse_of(c.b, product_of_factor(c.b, c.tensor("self"), c.flag("upper"))); }
Value* cholesky_solve(Call& c) {
  return solve(c.b, product_of_factor(c.b, c.tensor("input2"), c.flag("upper")), c.tensor("self"));
}

// --- QR --------------------------------------------------------------------------------------------------------------

ir::Values qr_of(Call& c, bool reduced, bool only_r) {
  Value* a = matrix_of(c);
  const Qr factors = orthogonal_factors(c.b, a, reduced);
  if (only_r) return {c.b.constant(ir::Tensor::filled(a->dtype, {0}, 0)), factors.r};
  return {factors.q, factors.r};
}
ir::Values linalg_qr(Call& c) {
  const std::string mode = c.text("mode");
  return qr_of(c, mode != "complete", mode == "r");
}
ir::Values qr(Call& c) { return qr_of(c, c.flag("some"), false); }
ir::Values geqrf(Call& c) {
  const Reflections f = householder(c.b, c.tensor("self"));
  return {f.packed, f.factors};
}
Value* householder_product(Call& c) {
  ir::Builder& b = c.b;
  Value* vectors = matrix_of(c);
  Value* one = b.Cast(b.Equal(b.Unsqueeze(counting(b, b.dim(vectors, -2)), {1}), counting(b, b.dim(vectors, -1))),
                      vectors->dtype);
  return reflected_product(b, vectors, c.tensor(c.has("tau") ? "tau" : "input2"), b.Expand(one, b.Shape(vectors)),
                           false);
}
// aten::ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor
Value* ormqr(Call& c) {
  ir::Builder& b = c.b;
  Value* matrix = c.tensor("input3");
  const bool transpose = c.flag("transpose");
  if (c.flag("left")) return reflected_product(b, c.tensor("self"), c.tensor("input2"), matrix, transpose);
  Value* turned = reflected_product(b, c.tensor("self"), c.tensor("input2"), transposed(b, matrix), !transpose);
  return transposed(b, turned);
}

}  // namespace

void register_factorization(OpTable& t) {
  t.add("aten::linalg_lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)", lu_factor);
  t.add(
      "aten::linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor LU, Tensor pivots, "
      "Tensor info)",
      lu_factor_ex);
  t.add(
      "aten::_lu_with_info(Tensor self, bool pivot=True, bool check_errors=True) -> (Tensor LU, Tensor pivots, Tensor "
      "info)",
      lu_factor_ex);
  t.add("aten::linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)", linalg_lu);
  t.add(
      "aten::lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True) -> (Tensor P, "
      "Tensor L, Tensor U)",
      lu_unpack);
  t.add("aten::lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor", lu_solve);
  t.add("aten::linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False) -> Tensor",
        linalg_lu_solve);
  t.add("aten::cholesky(Tensor self, bool upper=False) -> Tensor", cholesky_factor);
  t.add("aten::linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor", linalg_cholesky);
  t.add(
      "aten::linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, Tensor info)",
      linalg_cholesky_ex);
  t.add("aten::cholesky_inverse(Tensor self, bool upper=False) -> Tensor", cholesky_inverse);
  t.add("aten::cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor", cholesky_solve);
  t.add("aten::linalg_qr(Tensor A, str mode='reduced') -> (Tensor Q, Tensor R)", linalg_qr);
  t.add("aten::qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)", qr);
  t.add("aten::geqrf(Tensor self) -> (Tensor a, Tensor tau)", geqrf);
  t.add("aten::linalg_householder_product(Tensor input, Tensor tau) -> Tensor", householder_product);
  t.add("aten::orgqr(Tensor self, Tensor input2) -> Tensor", householder_product);
  t.add("aten::ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor",
        ormqr);
}

}  // namespace onward::importer::torch
