// Functions of two numbers beyond arithmetic, and the cast that saturates.
#include <cmath>
#include <numbers>

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
  return b.Or(b.LessOrEqual(b.Abs(b.Sub(x, y)), allowed), b.Equal(x, y));
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
  Value* sum = b.Add(b.Max(p, q), b.Softplus(b.Neg(b.Abs(b.Sub(p, q)))));
  return {b.Div(sum, std::numbers::ln2)};
}

// saturate_cast(x, dtype): what does not fit becomes the nearest that does
ir::Values saturate_cast(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const auto dtype = a.dtype("dtype");
  a.require(dtype.has_value(), "needs a dtype");
  if (ir::is_integer(*dtype) && ir::dtype_bits(*dtype) < 64) {
    const auto bits = static_cast<int>(ir::dtype_bits(*dtype)) - (ir::is_signed_integer(*dtype) ? 1 : 0);
    const double most = std::ldexp(1.0, bits) - 1;
    const double least = ir::is_signed_integer(*dtype) ? -most - 1 : 0;
    x = b.Min(b.Max(x, least), most);
  }
  return {b.Cast(x, *dtype)};
}

}  // namespace

void register_pairwise_operations(OperationTable& table) {
  table.add("Heaviside", {"x1 x2", heaviside});
  table.add("Isclose", {"x1 x2 rtol atol", isclose});
  table.add("AllClose", {"x1 x2 rtol atol", allclose});
  table.add("Fmod", {"x1 x2", fmod});
  table.add("Ldexp", {"x1 x2", ldexp});
  table.add("Logaddexp2", {"x1 x2", logaddexp2});
  table.add("SaturateCast", {"x dtype", saturate_cast});
  table.add("tf.saturate_cast", {"x:value dtype", saturate_cast});
}

}  // namespace onward::importer::keras
