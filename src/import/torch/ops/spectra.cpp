// Eigenvalues of symmetric matrices, singular values, and what follows from them: condition, rank, pseudo-inverse.
#include <cmath>

#include "import/common/solving.h"
#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// --- eigenvalues and singular values ---------------------------------------------------------------------------------

Eigen symmetric_of(Call& c, bool lower) {
  ir::Builder& b = c.b;
  Value* a = matrix_of(c);
  Eigen eigen = symmetric_eigen(b, b.Cast(symmetric(b, a, !lower), DType::kDouble));
  return {b.Cast(eigen.values, a->dtype), b.Cast(eigen.vectors, a->dtype)};
}
bool reads_lower(Call& c) { return !c.has("UPLO") || c.text("UPLO") == "L" || c.text("UPLO") == "l"; }
ir::Values eigh(Call& c) {
  const Eigen eigen = symmetric_of(c, reads_lower(c));
  return {eigen.values, eigen.vectors};
}
Value* eigvalsh(Call& c) { return symmetric_of(c, reads_lower(c)).values; }
Value* svdvals(Call& c) { return singular_values(c.b, matrix_of(c)); }
// U, the values, and V or its transpose. The vectors are unique up to signs only.
template <bool Transposed>
ir::Values svd(Call& c) {
  const bool full = c.has("full_matrices") ? c.flag("full_matrices") : !c.flag("some");
  const Svd factors = singular_factors(c.b, matrix_of(c), full);
  return {factors.u, factors.values, Transposed ? transposed(c.b, factors.v) : factors.v};
}

// aten::linalg_cond(Tensor self, Scalar? p=None): by singular values, or |A| |A^-1| in another norm.
Value* norm_for_cond(Call& c, Value* x, double p) {
  ir::Builder& b = c.b;
  Value* sums = b.ReduceSum(b.Abs(x), {std::isinf(p) ? -1 : -2}, false);
  return b.reduce(p > 0 ? "ReduceMax" : "ReduceMin", sums, {-1}, false);
}
Value* cond(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const auto* name = std::get_if<std::string>(&c.arg("p").data);
  if (name != nullptr && *name == "fro") {
    return b.Mul(b.ReduceL2(x, {-2, -1}, false), b.ReduceL2(inverse_of(b, x), {-2, -1}, false));
  }
  const double p = name != nullptr || !c.given("p") ? 2 : c.number("p");
  if (name != nullptr) {
    return b.Mul(b.ReduceSum(singular_values(b, x), {-1}, false),
                 b.ReduceSum(singular_values(b, inverse_of(b, x)), {-1}, false));
  }
  if (std::abs(p) != 2) return b.Mul(norm_for_cond(c, x, p), norm_for_cond(c, inverse_of(b, x), p));
  Value* values = singular_values(b, x);
  Value* largest = b.Select(values, 0, -1);
  Value* smallest = b.Select(values, -1, -1);
  return p > 0 ? b.Div(largest, smallest) : b.Div(smallest, largest);
}

double rank_tolerance(const Value* x) {
  return x->dtype == DType::kDouble ? std::numeric_limits<double>::epsilon()
                                    : static_cast<double>(std::numeric_limits<float>::epsilon());
}
// The singular values below which all counts as zero: max(atol, rtol * largest).
Value* cut_off(Call& c, Value* x, Value* largest) {
  ir::Builder& b = c.b;
  const bool absolute = c.has("atol") && c.given("atol");
  const bool relative = c.has("rtol") && c.given("rtol");
  const auto value = [&](const char* name) {
    return c.arg(name).is_tensor() ? b.Cast(c.tensor(name), x->dtype) : c.scalar(name, x->dtype);
  };
  Value* rtol = nullptr;
  if (relative) {
    rtol = value("rtol");
  } else if (!absolute) {
    Value* side = b.Cast(b.Max(b.dim_scalar(x, -2), b.dim_scalar(x, -1)), x->dtype);
    rtol = b.Mul(side, rank_tolerance(x));
  }
  Value* bound = rtol == nullptr ? nullptr : b.Mul(rtol, largest);
  if (!absolute) return bound;
  return bound == nullptr ? value("atol") : b.Max(value("atol"), bound);
}
Value* magnitudes(Call& c, Value* x) {
  if (c.has("hermitian") && c.flag("hermitian")) return c.b.Abs(symmetric_of(c, true).values);
  return singular_values(c.b, x);
}
Value* matrix_rank(Call& c) {
  ir::Builder& b = c.b;
  Value* x = matrix_of(c);
  Value* values = magnitudes(c, x);
  Value* bound = cut_off(c, x, b.ReduceMax(values, {-1}, false));
  Value* above = b.Greater(values, bound->rank() == 0 ? bound : b.Unsqueeze(bound, {-1}));
  return b.ReduceSum(b.Cast(above, DType::kInt64), {-1}, false);
}
Value* pinv(Call& c) {
  Value* x = matrix_of(c);
  if (c.has("hermitian") && c.flag("hermitian")) x = symmetric(c.b, x, false);  // the lower triangle counts
  return pseudo_inverse(c.b, x, [&](Value* largest) {
    if (!c.has("rcond")) return cut_off(c, x, largest);
    Value* rcond = c.arg("rcond").is_tensor() ? c.b.Cast(c.tensor("rcond"), x->dtype) : c.scalar("rcond", x->dtype);
    return c.b.Mul(rcond, largest);
  });
}

}  // namespace

void register_spectra(OpTable& t) {
  t.add("aten::linalg_eigh(Tensor self, str UPLO='L') -> (Tensor eigenvalues, Tensor eigenvectors)", eigh);
  t.add("aten::linalg_eigvalsh(Tensor self, str UPLO='L') -> Tensor", eigvalsh);
  t.add("aten::linalg_svdvals(Tensor A, *, str? driver=None) -> Tensor", svdvals);
  t.add("aten::linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)",
        svd<true>);
  t.add(
      "aten::_linalg_svd(Tensor A, bool full_matrices=False, bool compute_uv=True, *, str? driver=None) -> (Tensor U, "
      "Tensor S, Tensor Vh)",
      svd<true>);
  t.add("aten::svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)", svd<false>);
  t.add("aten::linalg_cond(Tensor self, Scalar? p=None) -> Tensor", cond);
  t.add("aten::linalg_cond.p_str(Tensor self, str p) -> Tensor", cond);
  const std::string hermitian = "bool hermitian=False) -> Tensor";
  t.add("aten::linalg_matrix_rank(Tensor self, float tol, " + hermitian, [](Call& c) {
    Value* above = c.b.Greater(magnitudes(c, c.tensor("self")), c.scalar("tol", c.tensor("self")->dtype));
    return c.b.ReduceSum(c.b.Cast(above, DType::kInt64), {-1}, false);
  });
  for (const char* name : {"linalg_matrix_rank", "linalg_pinv"}) {
    const std::string full = "aten::" + std::string(name);
    const TranslateOne translate = name == std::string_view("linalg_pinv") ? pinv : matrix_rank;
    const std::string first = translate == pinv ? "(Tensor self, *, " : "(Tensor input, *, ";
    t.add(full + ".atol_rtol_tensor" + first + "Tensor? atol=None, Tensor? rtol=None, " + hermitian, translate);
    t.add(full + ".atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, " + hermitian, translate);
  }
  t.add("aten::linalg_pinv(Tensor self, float rcond, " + hermitian, pinv);
  t.add("aten::pinverse(Tensor self, float rcond=1e-15) -> Tensor", pinv);
}

}  // namespace onward::importer::torch
