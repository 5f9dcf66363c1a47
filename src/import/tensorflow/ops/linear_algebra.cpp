// Solving, inverting and factoring matrices (the last two dimensions).
#include "import/common/solving.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// The algorithms' own numbers: double, whatever comes in.
Value* wide(Call& c, size_t index) { return c.b.Cast(c.input(index), DType::kDouble); }
Value* narrow(Call& c, Value* x) { return c.b.Cast(x, c.input(0)->dtype); }

// MatrixDeterminant(input: T) -> output
Value* determinant(Call& c) { return c.b.op("Det", {c.input(0)}); }
// LogMatrixDeterminant(input: T) -> sign, log_abs_determinant
ir::Values log_determinant(Call& c) {
  Value* d = determinant(c);
  return {c.b.Sign(d), c.b.Log(c.b.Abs(d))};
}

Value* adjoint_where_asked(Call& c, Value* x) { return c.flag("adjoint") ? transposed(c.b, x) : x; }

// MatrixInverse(input: T, adjoint: bool = false) -> output
Value* inverse(Call& c) { return narrow(c, inverse_of(c.b, adjoint_where_asked(c, wide(c, 0)))); }
// MatrixSolve(matrix: T, rhs: T, adjoint: bool = false) -> output
Value* matrix_solve(Call& c) { return narrow(c, solve(c.b, adjoint_where_asked(c, wide(c, 0)), wide(c, 1))); }
// MatrixTriangularSolve(matrix: T, rhs: T, lower: bool = true, adjoint: bool = false) -> output
Value* triangular_solve(Call& c) {
  Value* part = triangle(c.b, wide(c, 0), !c.flag("lower", true), false);
  return narrow(c, solve(c.b, adjoint_where_asked(c, part), wide(c, 1)));
}
// MatrixSolveLs(matrix: T, rhs: T, l2_regularizer: double, fast: bool = true) -> output: the least squares by the
// normal equations
Value* least_squares(Call& c) {
  ir::Builder& b = c.b;
  Value* a = wide(c, 0);
  Value* turned = transposed(b, a);
  Value* weight = as_scalar(b, b.Cast(c.input(2), DType::kDouble));
  const ir::Dim rows = a->dim(a->rank() - 2);
  const ir::Dim columns = a->dim(a->rank() - 1);
  c.require(rows.is_known() && columns.is_known(), "its matrix's size is only known when the model runs");
  if (rows.value() >= columns.value()) {
    Value* squares = b.MatMul(turned, a);
    return narrow(c,
                  solve(b, b.Add(squares, b.Mul(identity_matrix(b, squares), weight)), b.MatMul(turned, wide(c, 1))));
  }
  Value* squares = b.MatMul(a, turned);
  Value* inner = solve(b, b.Add(squares, b.Mul(identity_matrix(b, squares), weight)), wide(c, 1));
  return narrow(c, b.MatMul(turned, inner));
}

// Cholesky(input: T) -> output: lower; reads the lower triangle
Value* cholesky_factor(Call& c) { return narrow(c, cholesky(c.b, symmetric(c.b, wide(c, 0), false))); }

// Qr(input: T, full_matrices: bool = false) -> q, r
ir::Values qr(Call& c) {
  const Qr factors = orthogonal_factors(c.b, wide(c, 0), !c.flag("full_matrices"));
  return {narrow(c, factors.q), narrow(c, factors.r)};
}

// SelfAdjointEigV2(input: T, compute_v: bool = true) -> e, v
ir::Values symmetric_eigenvalues(Call& c) {
  const Eigen eigen = symmetric_eigen(c.b, symmetric(c.b, wide(c, 0), false));
  return {narrow(c, eigen.values), narrow(c, eigen.vectors)};
}

// Svd(input: T, compute_uv: bool = true, full_matrices: bool = false) -> s, u, v
ir::Values svd(Call& c) {
  if (c.flag("compute_uv", true)) {  // the vectors are unique up to signs only
    const Svd factors = singular_factors(c.b, c.input(0), c.flag("full_matrices"));
    return {factors.values, factors.u, factors.v};
  }
  Value* none = c.b.constant(ir::Tensor::filled(c.input(0)->dtype, {0}, 0));
  return {singular_values(c.b, c.input(0)), none, none};
}

// Lu(input: T, output_idx_type: type = int32) -> lu, p
ir::Values lu_factors(Call& c) {
  const Lu factors = lu(c.b, wide(c, 0));
  return {narrow(c, factors.packed), c.b.Cast(factors.order, c.dtype("output_idx_type", tensorflow::DataType::kInt32))};
}

// A matrix whose diagonal `offset` above the main one is `values` [*, n], each in its row; what falls outside is left
// out.
Value* on_diagonal(ir::Builder& b, Value* values, int64_t offset) {
  Value* number = counting(b, b.dim(values, -1));
  Value* on = b.Equal(b.Add(b.Unsqueeze(number, {1}), b.i64(offset)), number);
  return b.Where(on, b.Unsqueeze(values, {-1}), b.number_like(0, values));
}

// TridiagonalSolve(diagonals: T, rhs: T, partial_pivoting: bool = true) -> output: diagonals [*, 3, n] are the upper,
// the main and the lower one, each by rows
Value* tridiagonal_solve(Call& c) {
  ir::Builder& b = c.b;
  Value* diagonals = wide(c, 0);
  Value* matrix = nullptr;
  for (int64_t i = 0; i < 3; ++i) {
    Value* part = on_diagonal(b, b.Select(diagonals, i, -2), 1 - i);
    matrix = matrix == nullptr ? part : b.Add(matrix, part);
  }
  return narrow(c, solve(b, matrix, wide(c, 1)));
}

// BandedTriangularSolve(matrix: T, rhs: T, lower: bool = true, adjoint: bool = false) -> output: the matrix's bands [*,
// k, n], each by rows, from the main diagonal down (the rows up to it where it is not lower)
Value* banded_solve(Call& c) {
  ir::Builder& b = c.b;
  Value* bands = wide(c, 0);
  const ir::Dim count = bands->dim(bands->rank() - 2);
  c.require(count.is_known(), "the number of its bands is only known when the model runs");
  const bool lower = c.flag("lower", true);
  Value* matrix = nullptr;
  for (int64_t i = 0; i < count.value(); ++i) {
    const int64_t offset = lower ? -i : count.value() - 1 - i;
    Value* part = on_diagonal(b, b.Select(bands, i, -2), offset);
    matrix = matrix == nullptr ? part : b.Add(matrix, part);
  }
  return narrow(c, solve(b, adjoint_where_asked(c, matrix), wide(c, 1)));
}

}  // namespace

void register_linear_algebra(OpTable& t) {
  for (const std::string batch : {"", "Batch"}) {
    t.add(batch + "MatrixDeterminant", determinant);
    t.add(batch + "MatrixInverse", inverse);
    t.add(batch + "MatrixSolve", matrix_solve);
    t.add(batch + "MatrixTriangularSolve", triangular_solve);
    t.add(batch + "Cholesky", cholesky_factor);
  }
  t.add("LogMatrixDeterminant -> sign, log_abs_determinant", log_determinant);
  t.add("MatrixSolveLs", least_squares);
  t.add("TridiagonalSolve", tridiagonal_solve);
  t.add("BandedTriangularSolve", banded_solve);
  t.add("Qr -> q, r", qr);
  t.add("SelfAdjointEigV2 -> e, v", symmetric_eigenvalues);
  t.add("Svd -> s, u, v", svd);
  t.add("Lu -> lu, p", lu_factors);
}

}  // namespace onward::importer::tf
