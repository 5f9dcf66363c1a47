// Error functions, Bessel and Airy functions; orthogonal polynomials by recurrence.
#include <functional>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"
#include "import/torch/ops/special.h"

namespace onward::importer::torch {

using ir::DType;
using ir::Value;

namespace {

Value* number(ir::Builder& b, double value) { return b.number(value, DType::kDouble); }

// --- orthogonal polynomials ------------------------------------------------------------------------------------------

// p_0 = 1, p_1 given, p_(k+1) = (a_k x + b_k) p_k - c_k p_(k-1), up to the largest degree asked for.
struct Recurrence {
  Value* x;      // the argument, shifted where the family is
  Value* first;  // p_1
  // p_(k+1) from k (as a double), p_k and p_(k-1).
  std::function<Value*(ir::Builder&, Value* k, Value* now, Value* before)> next;
};
Value* of_degree(ir::Builder& b, const Recurrence& r, Value* degree) {
  Value* one = b.Expand(number(b, 1), b.Shape(degree));
  Value* zero = number(b, 0);
  Value* start = b.Where(b.Equal(degree, zero), one, b.Where(b.Equal(degree, number(b, 1)), r.first, zero));
  Value* most = b.ReduceMax(b.Concat({b.Reshape(degree, {-1}), b.Reshape(zero, {1})}, 0), {}, false);
  const auto step = [&](ir::Builder& i, Value* n, Value*, const ir::Values& state) -> ir::Builder::LoopResult {
    Value* k = i.Cast(i.Add(n, i.i64(1)), DType::kDouble);
    Value* next = r.next(i, k, state[0], state[1]);
    Value* wanted = i.Equal(degree, i.Add(k, 1));
    return {nullptr, {next, state[0], i.Where(wanted, next, state[2])}, {}};
  };
  return b.Loop(b.Max(b.Cast(b.Sub(most, 1), DType::kInt64), b.i64(0)), nullptr, {r.first, one, start}, step)[2];
}

// Chebyshev's four kinds differ in p_1 only; the shifted ones take 2 x - 1.
template <char Kind, bool Shifted>
Recurrence chebyshev(ir::Builder& b, Value* x) {
  if (Shifted) x = b.Sub(b.Mul(x, 2), 1);
  Value* twice = b.Mul(x, 2);
  Value* first = Kind == 't' ? x : Kind == 'u' ? twice : Kind == 'v' ? b.Sub(twice, 1) : b.Add(twice, 1);
  return {x, first,
          [twice](ir::Builder& i, Value*, Value* now, Value* before) { return i.Sub(i.Mul(twice, now), before); }};
}
template <bool Physicist>
Recurrence hermite(ir::Builder& b, Value* x) {
  Value* first = Physicist ? b.Mul(x, 2) : x;
  return {x, first, [first](ir::Builder& i, Value* k, Value* now, Value* before) {
            return i.Sub(i.Mul(first, now), i.Mul(Physicist ? i.Mul(k, 2) : k, before));
          }};
}
Recurrence laguerre(ir::Builder& b, Value* x) {
  return {x, b.Sub(number(b, 1), x), [x](ir::Builder& i, Value* k, Value* now, Value* before) {
            Value* factor = i.Sub(i.Add(i.Mul(k, 2), 1), x);
            return i.Div(i.Sub(i.Mul(factor, now), i.Mul(k, before)), i.Add(k, 1));
          }};
}
Recurrence legendre(ir::Builder&, Value* x) {
  return {x, x, [x](ir::Builder& i, Value* k, Value* now, Value* before) {
            Value* factor = i.Mul(i.Add(i.Mul(k, 2), 1), x);
            return i.Div(i.Sub(i.Mul(factor, now), i.Mul(k, before)), i.Add(k, 1));
          }};
}
template <Recurrence (*Family)(ir::Builder&, Value*)>
Value* orthogonal_polynomial(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values given = c.promoted_float({"x", "n"});
  Value* shape = broadcast_shape(b, given);
  Value* x = b.Expand(b.Cast(given[0], DType::kDouble), shape);
  // The degree is a whole number; none below 0 exists.
  Value* degree = truncated(b, b.Expand(b.Cast(given[1], DType::kDouble), shape));
  return b.Cast(of_degree(b, Family(b, x), degree), given[0]->dtype);
}

}  // namespace

void register_special_functions(OpTable& t) {
  const auto add = [&](const char* name, TranslateOne translate) {
    t.add("aten::" + std::string(name) + "(Tensor self) -> Tensor", translate);
  };
  add("special_i0e", of_double<special::i0e>);
  add("i0", of_double<special::i0>);
  add("special_i0", of_double<special::i0>);
  add("special_i1e", of_double<special::i1e>);
  add("special_i1", of_double<special::i1>);
  add("special_modified_bessel_i0", of_double<special::i0>);
  add("special_modified_bessel_i1", of_double<special::i1>);
  add("special_modified_bessel_k0", of_double<special::k0>);
  add("special_modified_bessel_k1", of_double<special::k1>);
  t.add("aten::special_scaled_modified_bessel_k0(Tensor x) -> Tensor", of_double<special::k0e>);
  t.add("aten::special_scaled_modified_bessel_k1(Tensor x) -> Tensor", of_double<special::k1e>);
  add("special_bessel_j0", of_double<special::j0>);
  add("special_bessel_j1", of_double<special::j1>);
  add("special_bessel_y0", of_double<special::y0>);
  add("special_bessel_y1", of_double<special::y1>);
  t.add("aten::special_spherical_bessel_j0(Tensor x) -> Tensor", of_double<special::spherical_j0>);
  t.add("aten::special_airy_ai(Tensor x) -> Tensor", of_double<special::airy_ai>);
  add("special_erfcx", of_double<special::scaled_erfc>);
  add("erfc", of_double<special::erfc>);
  add("special_erfc", of_double<special::erfc>);
  add("erfinv", of_double<special::erfinv>);
  add("special_erfinv", of_double<special::erfinv>);
  add("special_ndtr", of_double<special::ndtr>);
  add("special_ndtri", of_double<special::ndtri>);
  add("special_log_ndtr", of_double<special::log_ndtr>);
  const std::pair<const char*, TranslateOne> polynomials[] = {
      {"chebyshev_polynomial_t", orthogonal_polynomial<chebyshev<'t', false>>},
      {"chebyshev_polynomial_u", orthogonal_polynomial<chebyshev<'u', false>>},
      {"chebyshev_polynomial_v", orthogonal_polynomial<chebyshev<'v', false>>},
      {"chebyshev_polynomial_w", orthogonal_polynomial<chebyshev<'w', false>>},
      {"shifted_chebyshev_polynomial_t", orthogonal_polynomial<chebyshev<'t', true>>},
      {"shifted_chebyshev_polynomial_u", orthogonal_polynomial<chebyshev<'u', true>>},
      {"shifted_chebyshev_polynomial_v", orthogonal_polynomial<chebyshev<'v', true>>},
      {"shifted_chebyshev_polynomial_w", orthogonal_polynomial<chebyshev<'w', true>>},
      {"hermite_polynomial_h", orthogonal_polynomial<hermite<true>>},
      {"hermite_polynomial_he", orthogonal_polynomial<hermite<false>>},
      {"laguerre_polynomial_l", orthogonal_polynomial<laguerre>},
      {"legendre_polynomial_p", orthogonal_polynomial<legendre>}};
  for (const auto& [name, translate] : polynomials) {
    const std::string full = "aten::special_" + std::string(name);
    t.add(full + "(Tensor x, Tensor n) -> Tensor", translate);
    t.add(full + ".x_scalar(Scalar x, Tensor n) -> Tensor", translate);
    t.add(full + ".n_scalar(Tensor x, Scalar n) -> Tensor", translate);
  }
}

}  // namespace onward::importer::torch
