// Functions of two numbers beyond arithmetic, and the cast that saturates.
#include <cmath>
#include <numbers>

#include "import/common/arithmetic.h"
#include "import/common/complex.h"
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

// heaviside(x1, x2): 0, x2 at 0, 1
ir::Values heaviside(const Arguments& a) {
  Builder& b = a.b;
  auto [x, at_zero] = a.operands("x1", "x2");
  x = floating(b, x);
  Value* zero = b.number_like(0, x);
  Value* step = b.Where(b.Less(x, zero), zero, b.number_like(1, x));
  return {b.Where(b.Equal(x, zero), b.Cast(at_zero, x->dtype), step)};
}

// isclose(x1, x2, rtol=1e-5, atol=1e-8)
Value* close(const Arguments& a) {
  Builder& b = a.b;
  auto [x, y] = a.operands("x1", "x2");
  x = floating(b, x);
  y = floating(b, y);
  Value* allowed = b.Add(b.Mul(b.Abs(y), a.number("rtol", 1e-5)), a.number("atol", 1e-8));
  Value* near = b.And(b.LessOrEqual(b.Abs(b.Sub(x, y)), allowed), b.Not(b.Or(b.IsInf(x), b.IsInf(y))));
  Value* result = b.Or(near, b.Equal(x, y));
  return a.flag("equal_nan", false) ? b.Or(result, b.And(b.IsNaN(x), b.IsNaN(y))) : result;
}
ir::Values isclose(const Arguments& a) { return {close(a)}; }
ir::Values allclose(const Arguments& a) {
  return {a.b.Cast(a.b.ReduceMin(a.b.Cast(close(a), DType::kInt32), {}, false), DType::kBool)};
}

// fmod(x1, x2): the remainder with the dividend's sign
ir::Values fmod(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  return {a.b.Mod(x, y, true)};
}

// ldexp(x1, x2): x1 · 2^x2
ir::Values ldexp(const Arguments& a) {
  Value* x = floating(a.b, a.value("x1"));
  return {a.b.Mul(x, a.b.Pow(a.b.number_like(2, x), a.b.Cast(a.value("x2"), x->dtype)))};
}

ir::Values logaddexp2(const Arguments& a) {
  Builder& b = a.b;
  auto [x, y] = a.operands("x1", "x2");
  Value* p = b.Mul(floating(b, x), std::numbers::ln2);
  Value* q = b.Mul(floating(b, y), std::numbers::ln2);
  Value* apart = b.Where(b.Equal(p, q), b.number_like(0, p), b.Sub(p, q));  // equal ones may be infinite
  Value* sum = b.Add(b.Max(p, q), b.Softplus(b.Neg(b.Abs(apart))));
  return {b.Div(sum, std::numbers::ln2)};
}

// ONNX Runtime divides and takes remainders of int32 and int64.
DType whole(DType dtype) {
  return ir::dtype_bits(dtype) >= 32 && dtype != DType::kInt32 ? DType::kInt64 : DType::kInt32;
}

// gcd(x1, x2)
ir::Values gcd(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  const DType wide = whole(x->dtype);
  return {a.b.Cast(greatest_divisor(a.b, a.b.Cast(x, wide), a.b.Cast(y, wide)), x->dtype)};
}

// lcm(x1, x2)
ir::Values lcm(const Arguments& a) {
  Builder& b = a.b;
  const auto [x, y] = a.operands("x1", "x2");
  const DType wide = whole(x->dtype);
  Value* p = b.Abs(b.Cast(x, wide));
  Value* q = b.Abs(b.Cast(y, wide));
  Value* divisor = b.Max(greatest_divisor(b, p, q), b.number(1, wide));
  return {b.Cast(b.Mul(p, b.Div(q, divisor)), x->dtype)};
}

// nextafter(x1, x2): Keras computes it in double and casts back, so that a float stays what it is
ir::Values nextafter(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  Value* first = floating(a.b, x);
  a.require(first->dtype != DType::kDouble, "of doubles is not supported");
  Value* second = floating(a.b, y);
  Value* nothing = a.b.number_like(std::nan(""), first);
  return {a.b.Where(a.b.IsNaN(second), nothing, first)};
}

// polar(abs_, angle) → complex
ir::Values polar_of(const Arguments& a) {
  const auto [size, angle] = a.operands("abs_", "angle");
  return {join(a.b, polar(a.b, size, angle))};
}

// saturate_cast(x, dtype): what does not fit becomes the nearest that does
ir::Values saturate_cast(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const auto dtype = a.dtype("dtype");
  a.require(dtype.has_value(), "needs a dtype");
  return {saturated(b, x, *dtype)};
}

}  // namespace

Value* saturated(Builder& b, Value* x, DType dtype) {
  if (ir::is_integer(dtype) && ir::dtype_bits(dtype) < 64) {
    const auto bits = static_cast<int>(ir::dtype_bits(dtype)) - (ir::is_signed_integer(dtype) ? 1 : 0);
    const double most = std::ldexp(1.0, bits) - 1;
    const double least = ir::is_signed_integer(dtype) ? -most - 1 : 0;
    x = b.Min(b.Max(x, least), most);
  }
  return b.Cast(x, dtype);
}

void register_pairwise_operations(OperationTable& table) {
  table.add("Heaviside", {"x1 x2", heaviside});
  table.add("Isclose", {"x1 x2 rtol atol", isclose});
  table.add("AllClose", {"x1 x2 rtol atol", allclose});
  table.add("Fmod", {"x1 x2", fmod});
  table.add("Ldexp", {"x1 x2", ldexp});
  table.add("Logaddexp2", {"x1 x2", logaddexp2});
  table.add("Gcd", {"x1 x2", gcd});
  table.add("Lcm", {"x1 x2", lcm});
  table.add("Nextafter", {"x1 x2", nextafter});
  table.add("Polar", {"abs_ angle", polar_of});
  table.add("SaturateCast", {"x dtype", saturate_cast});
  table.add("tf.saturate_cast", {"x:value dtype", saturate_cast});
}

}  // namespace onward::importer::keras
