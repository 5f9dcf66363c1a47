// The gamma function's family: lgamma, digamma, polygamma, zeta, the incomplete gamma functions.
#include <cmath>
#include <numbers>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"
#include "import/torch/ops/special.h"

namespace onward::importer::torch {

using ir::DType;
using ir::Value;

namespace {

Value* zeta_of(Call& c) {
  const ir::Values x = c.promoted_float({"self", "other"});
  return c.b.Cast(special::zeta(c.b, c.b.Cast(x[0], DType::kDouble), c.b.Cast(x[1], DType::kDouble)), x[0]->dtype);
}

// aten::polygamma(int n, Tensor self) -> Tensor: (-1)^(n + 1) n! zeta(n + 1, x).
Value* polygamma(Call& c) {
  ir::Builder& b = c.b;
  const int64_t n = c.integer("n");
  c.require(n >= 0, "n must not be negative");
  if (n == 0) return of_double<special::digamma>(c);
  Value* x = c.promoted_float({"self"})[0];
  Value* shape = b.Shape(x);
  Value* order = b.Expand(b.number(static_cast<double>(n + 1), DType::kDouble), shape);
  const double factor = std::tgamma(static_cast<double>(n + 1)) * (n % 2 == 0 ? -1 : 1);
  return b.Cast(b.Mul(special::zeta(b, order, b.Cast(x, DType::kDouble)), factor), x->dtype);
}

// aten::mvlgamma(Tensor self, int p) -> Tensor
Value* mvlgamma(Call& c) {
  ir::Builder& b = c.b;
  const int64_t p = c.integer("p");
  Value* x = c.promoted_float({"self"})[0];
  std::vector<double> steps;
  for (int64_t i = 0; i < p; ++i) steps.push_back(-0.5 * static_cast<double>(i));
  Value* shifted = b.Add(b.Unsqueeze(b.Cast(x, DType::kDouble), {-1}), vector_of(b, steps, DType::kDouble));
  const double base = static_cast<double>(p * (p - 1)) / 4 * std::log(std::numbers::pi);
  return b.Cast(b.Add(b.ReduceSum(special::log_gamma(b, shifted), {-1}, false), base), x->dtype);
}

template <Value* (*F)(ir::Builder&, Value*, Value*)>
Value* incomplete_gamma(Call& c) {
  const ir::Values given = c.promoted_float({"self", "other"});
  return c.b.Cast(F(c.b, c.b.Cast(given[0], DType::kDouble), c.b.Cast(given[1], DType::kDouble)), given[0]->dtype);
}

}  // namespace

void register_special_gamma(OpTable& t) {
  t.add("aten::lgamma(Tensor self) -> Tensor", of_double<special::log_gamma>);
  t.add("aten::special_gammaln(Tensor self) -> Tensor", of_double<special::log_gamma>);
  t.add("aten::digamma(Tensor self) -> Tensor", of_double<special::digamma>);
  t.add("aten::special_digamma(Tensor self) -> Tensor", of_double<special::digamma>);
  t.add("aten::special_psi(Tensor self) -> Tensor", of_double<special::digamma>);
  t.add("aten::polygamma(int n, Tensor self) -> Tensor", polygamma);
  t.add("aten::special_polygamma(int n, Tensor self) -> Tensor", polygamma);
  t.add("aten::mvlgamma(Tensor self, int p) -> Tensor", mvlgamma);
  t.add("aten::special_multigammaln(Tensor self, int p) -> Tensor", mvlgamma);
  t.add("aten::special_zeta(Tensor self, Tensor other) -> Tensor", zeta_of);
  t.add("aten::special_zeta.other_scalar(Tensor self, Scalar other) -> Tensor", zeta_of);
  t.add("aten::special_zeta.self_scalar(Scalar self, Tensor other) -> Tensor", zeta_of);
  for (const char* prefix : {"aten::", "aten::special_gammainc"}) {
    const bool plain = prefix == std::string_view("aten::");
    t.add(prefix + std::string(plain ? "igamma" : "") + "(Tensor self, Tensor other) -> Tensor",
          incomplete_gamma<special::lower_gamma>);
    t.add(prefix + std::string(plain ? "igammac" : "c") + "(Tensor self, Tensor other) -> Tensor",
          incomplete_gamma<special::upper_gamma>);
  }
}

}  // namespace onward::importer::torch
