// Functions of one tensor, element by element, beyond the elementary ones.
#include <cmath>
#include <numbers>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

Value* float_of(Call& c) { return c.promoted_float({"self"})[0]; }

// aten::logit(Tensor self, float? eps=None) -> Tensor
Value* logit(Call& c) {
  ir::Builder& b = c.b;
  Value* x = float_of(c);
  if (c.given("eps")) {
    const double eps = c.number("eps");
    x = b.Clip(x, b.number_like(eps, x), b.number_like(1 - eps, x));
  }
  return b.Log(b.Div(x, b.Sub(b.number_like(1, x), x)));
}

// aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor
Value* nan_to_num(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  if (!ir::is_floating(x->dtype)) return x;
  const double largest = x->dtype == DType::kDouble     ? std::numeric_limits<double>::max()
                         : x->dtype == DType::kFloat16  ? 65504.0
                         : x->dtype == DType::kBFloat16 ? 3.3895313892515355e38
                                                        : static_cast<double>(std::numeric_limits<float>::max());
  Value* infinity = b.number_like(std::numeric_limits<double>::infinity(), x);
  Value* minus_infinity = b.number_like(-std::numeric_limits<double>::infinity(), x);
  Value* result = without_nan(b, x, c.maybe_number("nan").value_or(0));
  result = b.Where(b.Equal(x, infinity), b.number_like(c.maybe_number("posinf").value_or(largest), x), result);
  return b.Where(b.Equal(x, minus_infinity), b.number_like(c.maybe_number("neginf").value_or(-largest), x), result);
}

Value* sinc(Call& c) {
  ir::Builder& b = c.b;
  Value* x = float_of(c);
  Value* zero = b.number_like(0, x);
  Value* at_zero = b.Equal(x, zero);
  Value* angle = b.Mul(b.Where(at_zero, b.number_like(1, x), x), std::numbers::pi);
  return b.Where(at_zero, b.number_like(1, x), b.Div(b.Sin(angle), angle));
}

template <bool Positive>
Value* is_infinity(Call& c) {
  Value* x = c.tensor("self");
  if (!ir::is_floating(x->dtype)) return c.b.Expand(c.b.boolean(false), c.b.Shape(x));
  const double infinity = std::numeric_limits<double>::infinity();
  return c.b.Equal(x, c.b.number_like(Positive ? infinity : -infinity, x));
}

// Half to even, at a number of decimals; a negative one rounds before the point.
Value* round_decimals(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const int64_t decimals = c.integer("decimals");
  if (!ir::is_floating(x->dtype)) return x;
  if (decimals == 0) return b.Round(x);
  const double scale = std::pow(10.0, static_cast<double>(std::abs(decimals)));
  return decimals > 0 ? b.Div(b.Round(b.Mul(x, scale)), scale) : b.Mul(b.Round(b.Div(x, scale)), scale);
}

// x = mantissa * 2^exponent with 0.5 <= |mantissa| < 1.
ir::Values frexp(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* wide = b.Cast(x, DType::kDouble);
  Value* size = b.Abs(wide);
  Value* plain = b.Not(b.Or(b.Equal(size, b.number_like(0, size)), b.Or(b.IsInf(size), b.IsNaN(size))));
  Value* safe = b.Where(plain, size, b.number_like(1, size));
  // The logarithm may be off by a hair: what it gives is corrected by one in either direction.
  Value* exponent = b.Add(b.Floor(b.Div(b.Log(safe), std::numbers::ln2)), 1);
  const auto mantissa_at = [&](Value* power) {
    Value* half = b.Floor(b.Div(power, 2));  // in two steps: 2^power alone may overflow
    Value* two = b.number_like(2, size);
    return b.Div(b.Div(safe, b.Pow(two, half)), b.Pow(two, b.Sub(power, half)));
  };
  Value* mantissa = mantissa_at(exponent);
  Value* low = b.Cast(b.Less(mantissa, b.number_like(0.5, size)), DType::kDouble);
  Value* high = b.Cast(b.GreaterOrEqual(mantissa, b.number_like(1, size)), DType::kDouble);
  exponent = b.Add(b.Sub(exponent, low), high);
  mantissa = b.Mul(mantissa_at(exponent), b.Sign(wide));
  Value* zero = b.number_like(0, size);
  return {b.Where(plain, b.Cast(mantissa, x->dtype), x), b.Cast(b.Where(plain, exponent, zero), DType::kInt32)};
}

// -x log x, 0 at 0, -inf below.
Value* entropy(Call& c) {
  ir::Builder& b = c.b;
  Value* x = float_of(c);
  Value* zero = b.number_like(0, x);
  Value* inside = b.Neg(b.Mul(x, b.Log(x)));
  Value* outside = b.number_like(-std::numeric_limits<double>::infinity(), x);
  return b.Where(b.Equal(x, zero), zero, b.Where(b.Less(x, zero), outside, inside));
}
Value* sign_of(Call& c) { return c.b.Sign(c.tensor("self")); }
// The angle of a real number: 0, or pi below zero.
Value* real_angle(Call& c) {
  ir::Builder& b = c.b;
  Value* x = float_of(c);
  Value* angle = b.Where(b.Less(x, b.number_like(0, x)), b.number_like(std::numbers::pi, x), b.number_like(0, x));
  return b.Where(b.IsNaN(x), x, angle);
}

}  // namespace

void register_unary_functions(OpTable& t) {
  t.add("aten::logit(Tensor self, float? eps=None) -> Tensor", logit);
  t.add("aten::special_logit(Tensor self, float? eps=None) -> Tensor", logit);
  t.add("aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor", nan_to_num);
  const auto add = [&](const char* name, TranslateOne translate) {
    t.add("aten::" + std::string(name) + "(Tensor self) -> Tensor", translate);
  };
  add("sinc", sinc);
  add("special_sinc", sinc);
  add("isposinf", is_infinity<true>);
  add("isneginf", is_infinity<false>);
  add("special_entr", entropy);
  add("sgn", sign_of);
  add("angle", real_angle);
  t.add("aten::round.decimals(Tensor self, *, int decimals) -> Tensor", round_decimals);
  t.add("aten::special_round(Tensor self, *, int decimals=0) -> Tensor", round_decimals);
  t.add("aten::frexp.Tensor(Tensor self) -> (Tensor mantissa, Tensor exponent)", frexp);
}

}  // namespace onward::importer::torch
