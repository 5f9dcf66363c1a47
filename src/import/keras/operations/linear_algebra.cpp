// Factors, inverses and solutions of matrices.
#include "import/common/solving.h"
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

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

}  // namespace

void register_linear_algebra_operations(OperationTable& table) {
  table.add("Cholesky", {"x upper", cholesky_of});
  table.add("Det", {"x", det});
  table.add("Eigh", {"x", eigh});
  table.add("Inv", {"x", inv});
  table.add("Logdet", {"x", logdet});
  table.add("Qr", {"x mode", qr});
  table.add("Solve", {"a b", solved});
}

}  // namespace onward::importer::keras
