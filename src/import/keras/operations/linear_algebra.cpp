// Factors, inverses and solutions of matrices.
#include <limits>

#include "import/common/solving.h"
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

Value* matrix(const Arguments& a, std::string_view name) { return floating(a.b, a.value(name)); }

// cholesky(x, upper=False)
ir::Values cholesky_of(const Arguments& a) {
  Value* lower = cholesky(a.b, matrix(a, "x"));
  return {a.flag("upper", false) ? transposed(a.b, lower) : lower};
}

// inv(x)
ir::Values inv(const Arguments& a) { return {inverse_of(a.b, matrix(a, "x"))}; }

// det(x)
ir::Values det(const Arguments& a) { return {a.b.op("Det", {matrix(a, "x")})}; }

// logdet(x) of positive definite matrices
ir::Values logdet(const Arguments& a) { return {a.b.Log(a.b.op("Det", {matrix(a, "x")}))}; }

// solve(a, b): b may be one vector
ir::Values solved(const Arguments& a) {
  Value* left = matrix(a, "a");
  Value* right = matrix(a, "b");
  const bool vector = right->rank() + 1 == left->rank();
  Value* x = solve(a.b, left, vector ? a.b.Unsqueeze(right, {-1}) : right);
  return {vector ? a.b.Squeeze(x, {-1}) : x};
}

// qr(x, mode="reduced")
ir::Values qr(const Arguments& a) {
  const Qr factors = orthogonal_factors(a.b, matrix(a, "x"), a.text("mode", "reduced") == "reduced");
  return {factors.q, factors.r};
}

// eigh(x)
ir::Values eigh(const Arguments& a) {
  const Eigen eigen = symmetric_eigen(a.b, symmetric(a.b, matrix(a, "x"), false));
  return {eigen.values, eigen.vectors};
}

// cholesky_inverse(x, upper=False): the inverse of the matrix whose factor is x
ir::Values cholesky_inverse(const Arguments& a) {
  Value* x = matrix(a, "x");
  const bool upper = a.flag("upper", false);
  Value* inverse = inverse_of(a.b, triangle(a.b, x, upper, false));
  Value* turned = transposed(a.b, inverse);
  return {upper ? a.b.MatMul(inverse, turned) : a.b.MatMul(turned, inverse)};
}

// solve_triangular(a, b, lower=False): b may be vectors
ir::Values solve_triangular(const Arguments& a) {
  Value* left = triangle(a.b, matrix(a, "a"), !a.flag("lower", false), false);
  Value* right = matrix(a, "b");
  const bool vector = right->rank() + 1 == left->rank();
  Value* x = solve(a.b, left, vector ? a.b.Unsqueeze(right, {-1}) : right);
  return {vector ? a.b.Squeeze(x, {-1}) : x};
}

// slogdet(x) → sign, logarithm of the size
ir::Values slogdet(const Arguments& a) {
  Value* det = a.b.op("Det", {matrix(a, "x")});
  return {a.b.Sign(det), a.b.Log(a.b.Abs(det))};
}

// lu_factor(x) → both factors in one matrix; the place of each row of x in their product
ir::Values lu_factor(const Arguments& a) {
  Builder& b = a.b;
  const Lu factors = lu(b, matrix(a, "x"));
  Value* count = b.dim(factors.order, -1);
  const ir::Values places = b.ops("TopK", {factors.order, count}, 2, {{"axis", -1}, {"largest", 0}, {"sorted", 1}});
  return {factors.packed, b.Cast(places[1], DType::kInt32)};
}

double epsilon(const Value* x) {
  return x->dtype == DType::kDouble ? std::numeric_limits<double>::epsilon()
                                    : static_cast<double>(std::numeric_limits<float>::epsilon());
}
Value* larger_side(Builder& b, Value* x) { return b.Cast(b.Max(b.dim_scalar(x, -2), b.dim_scalar(x, -1)), x->dtype); }

// pinv(x, rcond=None): singular values up to rcond · the largest count as zero
ir::Values pinv(const Arguments& a) {
  Builder& b = a.b;
  Value* x = matrix(a, "x");
  return {pseudo_inverse(b, x, [&](Value* largest) {
    if (a.has("rcond")) return b.Mul(largest, a.number("rcond", 0));
    return b.Mul(b.Mul(largest, larger_side(b, x)), 10 * epsilon(x));
  })};
}

// lstsq(a, b, rcond=None): the shortest of the best solutions
ir::Values lstsq(const Arguments& a) {
  Builder& b = a.b;
  Value* x = matrix(a, "a");
  Value* right = matrix(a, "b");
  const bool vector = right->rank() == 1;
  Value* inverse = pseudo_inverse(b, x, [&](Value* largest) {
    if (!a.has("rcond")) return b.Mul(b.Mul(largest, larger_side(b, x)), epsilon(x));
    return b.Mul(largest, a.number("rcond", 0) < 0 ? epsilon(x) : a.number("rcond", 0));
  });
  Value* solution = b.MatMul(inverse, vector ? b.Unsqueeze(right, {1}) : right);
  return {vector ? b.Squeeze(solution, {1}) : solution};
}

// matrix_rank(x, tol=None)
ir::Values matrix_rank(const Arguments& a) {
  Builder& b = a.b;
  Value* x = matrix(a, "x");
  Value* values = singular_values(b, x);
  Value* bound = a.has("tol") ? b.number_like(a.number("tol", 0), x)
                              : b.Mul(b.Mul(b.ReduceMax(values, {-1}), larger_side(b, x)), epsilon(x));
  return {b.ReduceSum(b.Cast(b.Greater(values, bound), DType::kInt32), {-1}, false)};
}

// svd(x, full_matrices=True, compute_uv=True) → u, values, v transposed; unique up to signs only
ir::Values svd(const Arguments& a) {
  Value* x = matrix(a, "x");
  if (!a.flag("compute_uv", true)) return {singular_values(a.b, x)};
  const Svd factors = singular_factors(a.b, x, a.flag("full_matrices", true));
  return {factors.u, factors.values, transposed(a.b, factors.v)};
}

// cdist(x, y): the distance of every row of one from every row of the other
ir::Values cdist(const Arguments& a) {
  const auto [x, y] = a.operands("x", "y");
  Value* between = a.b.Sub(a.b.Unsqueeze(floating(a.b, x), {-2}), a.b.Unsqueeze(floating(a.b, y), {-3}));
  return {a.b.ReduceL2(between, {-1}, false)};
}

}  // namespace

void register_linear_algebra_operations(OperationTable& table) {
  table.add("Cholesky", {"x upper", cholesky_of});
  table.add("Det", {"x", det});
  table.add("Eigh", {"x", eigh});
  table.add("Inv", {"x", inv});
  table.add("Logdet", {"x", logdet});
  table.add("Qr", {"x mode", qr});
  table.add("Solve", {"a b", solved});
  table.add("CholeskyInverse", {"x", cholesky_inverse});
  table.add("SolveTriangular", {"a b", solve_triangular});
  table.add("Slogdet", {"x", slogdet});
  table.add("LuFactor", {"x", lu_factor});
  table.add("Pinv", {"x", pinv});
  table.add("Lstsq", {"a b", lstsq});
  table.add("MatrixRank", {"x", matrix_rank});
  table.add("SVD", {"x", svd});
  table.add("CDist", {"x y", cdist});
}

}  // namespace onward::importer::keras
