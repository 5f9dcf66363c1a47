// Functions of two or three tensors, element by element, beyond plain arithmetic.
#include <cmath>
#include <numbers>

#include "import/common/arithmetic.h"
#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

Value* times(Call& c, Value* x, std::string_view factor) {
  if (c.known(factor) && c.number(factor) == 1) return x;
  return c.b.Mul(x, c.scalar(factor, x->dtype));
}
// aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor
Value* addcmul(Call& c) {
  const ir::Values x = c.promoted({"self", "tensor1", "tensor2"});
  return c.b.Add(x[0], times(c, c.b.Mul(x[1], x[2]), "value"));
}
Value* addcdiv(Call& c) {
  const ir::Values x = c.promoted_float({"self", "tensor1", "tensor2"});
  return c.b.Add(x[0], times(c, c.b.Div(x[1], x[2]), "value"));
}
// start + weight * (end - start), from the nearer end as PyTorch computes it.
Value* lerp(Call& c) {
  const ir::Values x = c.promoted({"self", "end"});
  Value* weight =
      c.arg("weight").is_tensor() ? c.b.Cast(c.tensor("weight"), x[0]->dtype) : c.scalar("weight", x[0]->dtype);
  Value* difference = c.b.Sub(x[1], x[0]);
  return c.b.Add(x[0], c.b.Mul(weight, difference));
}

Value* hypot(Call& c) {
  const ir::Values x = c.promoted({"self", "other"});
  return importer::abs(c.b, {x[0], x[1]});
}
Value* arc_tangent_2(Call& c) {
  const ir::Values x = c.promoted_float({"self", "other"});
  return atan2(c.b, x[0], x[1]);
}
// The sign bit, that of -0 too.
Value* negative(ir::Builder& b, Value* x) {
  Value* zero = b.number_like(0, x);
  if (!ir::is_floating(x->dtype)) return b.Less(x, zero);
  return b.Or(b.Less(x, zero), b.And(b.Equal(x, zero), b.Less(b.Reciprocal(x), zero)));
}
Value* copysign(Call& c) {
  const ir::Values x = c.promoted_float({"self", "other"});
  Value* size = c.b.Abs(x[0]);
  return c.b.Where(negative(c.b, x[1]), c.b.Neg(size), size);
}
Value* signbit(Call& c) {
  Value* x = c.tensor("self");
  if (x->dtype == DType::kBool || ir::is_unsigned_integer(x->dtype))
    return c.b.Expand(c.b.boolean(false), c.b.Shape(x));
  return negative(c.b, x);
}
// A NaN on one side gives the other side.
template <bool Larger>
Value* ignoring_nan(Call& c) {
  const ir::Values x = c.promoted({"self", "other"});
  if (!ir::is_floating(x[0]->dtype)) return Larger ? c.b.Max(x[0], x[1]) : c.b.Min(x[0], x[1]);
  Value* a = c.b.Where(c.b.IsNaN(x[0]), x[1], x[0]);
  Value* d = c.b.Where(c.b.IsNaN(x[1]), x[0], x[1]);
  return Larger ? c.b.Max(a, d) : c.b.Min(a, d);
}
Value* heaviside(Call& c) {
  const ir::Values x = c.promoted({"self", "values"});
  Value* zero = c.b.number_like(0, x[0]);
  Value* step = c.b.Cast(c.b.Greater(x[0], zero), x[0]->dtype);
  if (ir::is_floating(x[0]->dtype)) step = c.b.Where(c.b.IsNaN(x[0]), zero, step);
  return c.b.Where(c.b.Equal(x[0], zero), x[1], step);
}
// x * F(y), 0 where x is 0, NaN where y is NaN.
Value* guarded_product(Call& c, const ir::Values& x, Value* function) {
  ir::Builder& b = c.b;
  Value* zero = b.number_like(0, x[0]);
  Value* product = b.Where(b.Equal(x[0], zero), zero, b.Mul(x[0], function));
  return b.Where(b.IsNaN(x[1]), x[1], product);
}
Value* xlogy(Call& c) {
  const ir::Values x = c.promoted_float({"self", "other"});
  return guarded_product(c, x, c.b.Log(x[1]));
}
Value* xlog1py(Call& c) {
  const ir::Values x = c.promoted_float({"self", "other"});
  return guarded_product(c, x, c.b.Log(c.b.Add(x[1], 1)));
}
Value* log_sum(Call& c, double base_log) {
  ir::Builder& b = c.b;
  const ir::Values x = c.promoted_float({"self", "other"});
  Value* large = b.Max(x[0], x[1]);
  Value* difference = b.Neg(b.Abs(b.Sub(x[0], x[1])));
  if (base_log != 1) difference = b.Mul(difference, base_log);
  Value* rest = b.Log(b.Add(b.Exp(difference), 1));
  if (base_log != 1) rest = b.Div(rest, base_log);
  return b.Where(b.IsInf(large), large, b.Add(large, rest));
}
Value* logaddexp(Call& c) { return log_sum(c, 1); }
Value* logaddexp2(Call& c) { return log_sum(c, std::numbers::ln2); }

Value* float_power(Call& c) {
  return c.b.Pow(c.b.Cast(c.promoted({"self", "exponent"})[0], DType::kDouble),
                 c.b.Cast(c.promoted({"self", "exponent"})[1], DType::kDouble));
}
Value* ldexp(Call& c) {
  ir::Values x = c.promoted_float({"self", "other"});
  return c.b.Mul(x[0], c.b.Pow(c.b.number_like(2, x[0]), x[1]));
}

// --- integers --------------------------------------------------------------------------------------------------------

Value* gcd(Call& c) {
  const ir::Values x = c.promoted({"self", "other"});
  return greatest_divisor(c.b, x[0], x[1]);
}
Value* lcm(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = c.promoted({"self", "other"});
  Value* divisor = greatest_divisor(b, x[0], x[1]);
  Value* zero = b.number_like(0, divisor);
  Value* safe = b.Where(b.Equal(divisor, zero), b.number_like(1, divisor), divisor);
  return b.Abs(b.Mul(b.Div(x[0], safe), x[1]));
}

template <bool Left>
Value* shift(Call& c) {
  const ir::Values x = c.promoted({"self", "other"});
  return shifted(c.b, x[0], x[1], Left);
}

// --- closeness -------------------------------------------------------------------------------------------------------

// aten::isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> Tensor
Value* isclose(Call& c) {
  ir::Builder& b = c.b;
  ir::Values x = c.promoted({"self", "other"});
  Value* same = b.Equal(x[0], x[1]);
  const bool floats = ir::is_floating(x[0]->dtype);
  if (c.number("rtol") == 0 && c.number("atol") == 0 && !floats) return same;
  Value* both_nan = floats && c.flag("equal_nan") ? b.And(b.IsNaN(x[0]), b.IsNaN(x[1])) : nullptr;
  if (!floats) {
    for (Value*& value : x) value = b.Cast(value, DType::kDouble);
  }
  Value* distance = b.Abs(b.Sub(x[0], x[1]));
  Value* allowed = b.Add(b.Mul(b.Abs(x[1]), c.number("rtol")), c.number("atol"));
  Value* finite = b.Not(b.Or(b.IsInf(distance), b.IsNaN(distance)));
  Value* close = b.Or(same, b.And(finite, b.LessOrEqual(distance, allowed)));
  return both_nan == nullptr ? close : b.Or(close, both_nan);
}
Value* allclose(Call& c) {
  return c.b.Cast(c.b.ReduceMin(c.b.Cast(isclose(c), DType::kInt32), {}, false), DType::kBool);
}
Value* all_equal(Call& c) {
  const ir::Values x = c.promoted({"self", "other"});
  return c.b.Cast(c.b.ReduceMin(c.b.Cast(c.b.Equal(x[0], x[1]), DType::kInt32), {}, false), DType::kBool);
}

}  // namespace

void register_binary_functions(OpTable& t) {
  t.add("aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", addcmul);
  t.add("aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", addcdiv);
  t.add("aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor", lerp);
  t.add("aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor", lerp);
  const auto add = [&](const char* name, TranslateOne translate) {
    t.add("aten::" + std::string(name) + "(Tensor self, Tensor other) -> Tensor", translate);
  };
  add("hypot", hypot);
  add("atan2", arc_tangent_2);
  add("fmax", ignoring_nan<true>);
  add("fmin", ignoring_nan<false>);
  add("logaddexp", logaddexp);
  add("logaddexp2", logaddexp2);
  add("gcd", gcd);
  add("lcm", lcm);
  add("equal", all_equal);
  const std::pair<const char*, TranslateOne> either[] = {{"copysign", copysign},
                                                         {"xlogy", xlogy},
                                                         {"special_xlog1py", xlog1py},
                                                         {"ldexp", ldexp},
                                                         {"bitwise_left_shift", shift<true>},
                                                         {"__lshift__", shift<true>},
                                                         {"bitwise_right_shift", shift<false>},
                                                         {"__rshift__", shift<false>}};
  for (const auto& [name, translate] : either) {
    const std::string full = "aten::" + std::string(name);
    t.add(full + ".Tensor(Tensor self, Tensor other) -> Tensor", translate);
    t.add(full + ".Scalar_Other(Tensor self, Scalar other) -> Tensor", translate);
    t.add(full + ".Scalar_Self(Scalar self, Tensor other) -> Tensor", translate);
  }
  t.alias("aten::special_xlogy", "aten::xlogy");
  t.add("aten::heaviside(Tensor self, Tensor values) -> Tensor", heaviside);
  t.add("aten::signbit(Tensor self) -> Tensor", signbit);
  t.add("aten::float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", float_power);
  t.add("aten::float_power.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", float_power);
  t.add("aten::float_power.Scalar(Scalar self, Tensor exponent) -> Tensor", float_power);
  const std::string tolerances =
      "(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False)";
  t.add("aten::isclose" + tolerances + " -> Tensor", isclose);
  t.add("aten::allclose" + tolerances + " -> Tensor", allclose);
}

}  // namespace onward::importer::torch
