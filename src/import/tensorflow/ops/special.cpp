// Special functions: of the gamma, Bessel and error families.
#include "import/common/special.h"

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// (x: T) -> y, computed in double.
template <special::Function F>
Value* of_one(Call& c) {
  Value* x = c.input(0);
  return c.b.Cast(F(c.b, c.b.Cast(x, DType::kDouble)), x->dtype);
}

using FunctionOfTwo = Value* (*)(ir::Builder&, Value*, Value*);
// (a: T, x: T) -> z, broadcast to one another.
template <FunctionOfTwo F>
Value* of_two(Call& c) {
  Value* x = c.input(0);
  return c.b.Cast(F(c.b, c.b.Cast(x, DType::kDouble), c.b.Cast(c.input(1), DType::kDouble)), x->dtype);
}

Value* whole(ir::Builder& b, Value* x) { return b.Equal(x, b.Floor(x)); }

// Polygamma(a: T, x: T) -> z: the derivative of order a of digamma, (-1)^(a + 1) a! zeta(a + 1, x)
Value* polygamma(ir::Builder& b, Value* a, Value* x) {
  Value* order = b.Expand(a, broadcast_shape(b, {a, x}));
  Value* zero = b.number_like(0, order);
  Value* up = b.Add(order, 1);
  Value* size = b.Mul(b.Exp(special::log_gamma(b, up)), special::zeta(b, up, x));
  Value* odd = b.Equal(b.Mod(order, b.number_like(2, order), true), b.number_like(1, order));
  Value* result = b.Where(b.Equal(order, zero), special::digamma(b, x), b.Where(odd, size, b.Neg(size)));
  Value* nan = b.number_like(std::numeric_limits<double>::quiet_NaN(), order);
  return b.Where(b.And(whole(b, order), b.GreaterOrEqual(order, zero)), result, nan);
}

// Betainc(a: T, b: T, x: T) -> z
Value* betainc(Call& c) {
  const auto wide = [&](size_t index) { return c.b.Cast(c.input(index), DType::kDouble); };
  return c.b.Cast(special::incomplete_beta(c.b, wide(0), wide(1), wide(2)), c.input(0)->dtype);
}

}  // namespace

void register_special(OpTable& t) {
  t.add("Betainc", betainc);
  t.add("Dawsn", of_one<special::dawson>);
  t.add("Expint", of_one<special::exponential_integral>);
  t.add("Spence", of_one<special::spence>);
  t.add("FresnelSin", of_one<special::fresnel_sin>);
  t.add("FresnelCos", of_one<special::fresnel_cos>);
  t.add("BesselI0", of_one<special::i0>);
  t.add("BesselI0e", of_one<special::i0e>);
  t.add("BesselI1", of_one<special::i1>);
  t.add("BesselI1e", of_one<special::i1e>);
  t.add("BesselJ0", of_one<special::j0>);
  t.add("BesselJ1", of_one<special::j1>);
  t.add("BesselK0", of_one<special::k0>);
  t.add("BesselK0e", of_one<special::k0e>);
  t.add("BesselK1", of_one<special::k1>);
  t.add("BesselK1e", of_one<special::k1e>);
  t.add("BesselY0", of_one<special::y0>);
  t.add("BesselY1", of_one<special::y1>);
  t.add("Digamma", of_one<special::digamma>);
  t.add("Erfinv", of_one<special::erfinv>);
  t.add("Igamma", of_two<special::lower_gamma>);
  t.add("Igammac", of_two<special::upper_gamma>);
  t.add("Lgamma", of_one<special::log_gamma>);
  t.add("Ndtri", of_one<special::ndtri>);
  t.add("Polygamma", of_two<polygamma>);
  t.add("Zeta", of_two<special::zeta>);
}

}  // namespace onward::importer::tf
