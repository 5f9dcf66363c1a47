// Element by element: arithmetic, comparison, logic, rounding, elementary functions.
#include <cmath>
#include <numbers>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

using BinaryNode = Value* (ir::Builder::*)(Value*, Value*);

// self + alpha * other, for Add and Sub.
template <BinaryNode Node>
Value* add_scaled(Call& c) {
  ir::Values operands = c.promoted({"self", "other"});
  if (operands[0]->dtype == DType::kBool) return c.b.Or(operands[0], operands[1]);
  const bool plain = c.known("alpha") && c.number("alpha") == 1;
  if (!plain) operands[1] = c.b.Mul(operands[1], c.scalar("alpha", operands[1]->dtype));
  return (c.b.*Node)(operands[0], operands[1]);
}

Value* rsub(Call& c) {
  ir::Values operands = c.promoted({"self", "other"});
  const bool plain = c.known("alpha") && c.number("alpha") == 1;
  if (!plain) operands[0] = c.b.Mul(operands[0], c.scalar("alpha", operands[0]->dtype));
  return c.b.Sub(operands[1], operands[0]);
}

Value* mul(Call& c) {
  const ir::Values operands = c.promoted({"self", "other"});
  if (operands[0]->dtype == DType::kBool) return c.b.And(operands[0], operands[1]);
  return c.b.Mul(operands[0], operands[1]);
}

Value* floor_divide_values(Call& c, const ir::Values& operands) {
  ir::Builder& b = c.b;
  if (ir::is_floating(operands[0]->dtype)) return b.Floor(b.Div(operands[0], operands[1]));
  Value* x = operands[0];
  Value* y = operands[1];
  if (ir::is_unsigned_integer(x->dtype)) return b.Div(x, y);
  return b.Div(b.Sub(x, b.Mod(x, y)), y);  // exact: ONNX rounds towards zero
}

Value* div(Call& c) {
  const ir::Values operands = c.promoted_float({"self", "other"});
  return c.b.Div(operands[0], operands[1]);
}

Value* div_mode(Call& c) {
  if (!c.given("rounding_mode")) return div(c);
  const std::string mode = c.text("rounding_mode");
  const ir::Values operands = c.promoted({"self", "other"});
  if (mode == "floor") return floor_divide_values(c, operands);
  c.require(mode == "trunc", "rounding mode \"" + mode + "\" is unknown");
  if (!ir::is_floating(operands[0]->dtype)) return c.b.Div(operands[0], operands[1]);
  Value* ratio = c.b.Div(operands[0], operands[1]);
  return truncated(c.b, ratio);
}

Value* floor_divide(Call& c) { return floor_divide_values(c, c.promoted({"self", "other"})); }

// The rest with the divisor's sign (remainder) or the dividend's (fmod).
template <bool Fmod>
Value* modulo(Call& c) {
  const ir::Values operands = c.promoted({"self", "other"});
  ir::Builder& b = c.b;
  const DType dtype = operands[0]->dtype;
  if (!ir::is_floating(dtype)) return b.Mod(operands[0], operands[1], Fmod);
  if (Fmod) return b.Mod(operands[0], operands[1], true);
  return b.Sub(operands[0], b.Mul(b.Floor(b.Div(operands[0], operands[1])), operands[1]));
}

Value* pow(Call& c) {
  const ir::Values operands = c.promoted({"self", "exponent"});
  return c.b.Pow(operands[0], operands[1]);
}

template <BinaryNode Node>
Value* compare(Call& c) {
  const ir::Values operands = c.promoted({"self", "other"});
  return (c.b.*Node)(operands[0], operands[1]);
}
Value* not_equal(Call& c) { return c.b.Not(compare<static_cast<BinaryNode>(&ir::Builder::Equal)>(c)); }

template <BinaryNode Node>
Value* extreme(Call& c) {
  const ir::Values operands = c.promoted({"self", "other"});
  return (c.b.*Node)(operands[0], operands[1]);
}

template <BinaryNode Node>
Value* logical(Call& c) {
  return (c.b.*Node)(c.b.Cast(c.tensor("self"), DType::kBool), c.b.Cast(c.tensor("other"), DType::kBool));
}
Value* logical_not(Call& c) { return c.b.Not(c.b.Cast(c.tensor("self"), DType::kBool)); }

template <BinaryNode Bools, BinaryNode Integers>
Value* bitwise(Call& c) {
  const ir::Values operands = c.promoted({"self", "other"});
  return (c.b.*(operands[0]->dtype == DType::kBool ? Bools : Integers))(operands[0], operands[1]);
}
Value* bitwise_not(Call& c) {
  Value* x = c.tensor("self");
  return x->dtype == DType::kBool ? c.b.Not(x) : c.b.BitwiseNot(x);
}

using UnaryNode = Value* (ir::Builder::*)(Value*);

// Functions whose result is a float also for integers.
template <UnaryNode Node>
Value* float_function(Call& c) {
  return (c.b.*Node)(c.promoted_float({"self"})[0]);
}
// Functions that keep the type.
template <UnaryNode Node>
Value* keeping(Call& c) {
  return (c.b.*Node)(c.tensor("self"));
}
// Rounding leaves integers alone.
template <UnaryNode Node>
Value* rounding(Call& c) {
  Value* x = c.tensor("self");
  return ir::is_floating(x->dtype) ? (c.b.*Node)(x) : x;
}

Value* trunc(Call& c) {
  Value* x = c.tensor("self");
  return truncated(c.b, x);
}
Value* frac(Call& c) {
  Value* x = c.tensor("self");
  return c.b.Sub(x, trunc(c));
}
Value* rsqrt(Call& c) { return c.b.Reciprocal(c.b.Sqrt(c.promoted_float({"self"})[0])); }
Value* square(Call& c) {
  Value* x = c.tensor("self");
  return c.b.Mul(x, x);
}
Value* log2(Call& c) { return c.b.Div(c.b.Log(c.promoted_float({"self"})[0]), std::numbers::ln2); }
Value* log10(Call& c) { return c.b.Div(c.b.Log(c.promoted_float({"self"})[0]), std::numbers::ln10); }
Value* exp2(Call& c) { return c.b.Exp(c.b.Mul(c.promoted_float({"self"})[0], std::numbers::ln2)); }
// log(1 + x) without loss near zero: x * log(u) / (u - 1), u = 1 + x.
Value* log1p(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.promoted_float({"self"})[0];
  Value* u = b.Add(x, 1);
  Value* d = b.Sub(u, 1);
  Value* tiny = b.Equal(d, b.number_like(0, x));
  Value* infinite = b.IsInf(u);
  Value* safe = b.Where(b.Or(tiny, infinite), b.number_like(1, x), d);
  Value* scaled = b.Div(b.Mul(b.Log(u), x), safe);
  return b.Where(infinite, u, b.Where(tiny, x, scaled));
}
// exp(x) - 1 without loss near zero: 2 * tanh(x / 2) / (1 - tanh(x / 2)) there.
Value* expm1(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.promoted_float({"self"})[0];
  Value* t = b.Tanh(b.Mul(x, 0.5));
  Value* near = b.Div(b.Mul(t, 2), b.Sub(b.number_like(1, x), t));
  return b.Where(b.Less(b.Abs(x), b.number_like(0.5, x)), near, b.Sub(b.Exp(x), 1));
}
Value* deg2rad(Call& c) { return c.b.Mul(c.promoted_float({"self"})[0], std::numbers::pi / 180); }
Value* rad2deg(Call& c) { return c.b.Mul(c.promoted_float({"self"})[0], 180 / std::numbers::pi); }

Value* is_nan(Call& c) {
  Value* x = c.tensor("self");
  return ir::is_floating(x->dtype) ? c.b.IsNaN(x) : c.b.Not(c.b.Equal(x, x));
}
Value* is_infinite(Call& c) {
  Value* x = c.tensor("self");
  return ir::is_floating(x->dtype) ? c.b.IsInf(x) : c.b.Not(c.b.Equal(x, x));
}
Value* is_finite(Call& c) {
  Value* x = c.tensor("self");
  if (!ir::is_floating(x->dtype)) return c.b.Equal(x, x);
  return c.b.Not(c.b.Or(c.b.IsInf(x), c.b.IsNaN(x)));
}

Value* clamp(Call& c) {
  std::vector<std::string_view> names{"self"};
  for (const std::string_view name : {"min", "max"}) {
    if (c.signature().find(name) != nullptr && c.given(name)) names.push_back(name);
  }
  const DType dtype = c.promoted_dtype(names);
  Value* x = c.b.Cast(c.tensor("self"), dtype);
  for (size_t i = 1; i < names.size(); ++i) {
    Value* bound = c.arg(names[i]).is_tensor() ? c.b.Cast(c.tensor(names[i]), dtype) : c.scalar(names[i], dtype);
    x = names[i] == "min" ? c.b.Max(x, bound) : c.b.Min(x, bound);
  }
  return x;
}

// aten::where.self(Tensor condition, Tensor self, Tensor other)
Value* where(Call& c) {
  const ir::Values operands = c.promoted({"self", "other"});
  return c.b.Where(c.b.Cast(c.tensor("condition"), DType::kBool), operands[0], operands[1]);
}

Value* masked_fill(Call& c) {
  Value* x = c.tensor("self");
  Value* value = c.arg("value").is_tensor() ? c.b.Cast(c.tensor("value"), x->dtype) : c.scalar("value", x->dtype);
  return c.b.Where(c.b.Cast(c.tensor("mask"), DType::kBool), value, x);
}

void register_arithmetic(OpTable& t) {
  constexpr auto kAdd = static_cast<BinaryNode>(&ir::Builder::Add);
  constexpr auto kSub = static_cast<BinaryNode>(&ir::Builder::Sub);
  for (const char* other : {"Tensor(Tensor self, Tensor other", "Scalar(Tensor self, Scalar other"}) {
    const std::string o(other);
    t.add("aten::add." + o + ", *, Scalar alpha=1) -> Tensor", add_scaled<kAdd>);
    t.add("aten::sub." + o + ", *, Scalar alpha=1) -> Tensor", add_scaled<kSub>);
    t.add("aten::rsub." + o + ", Scalar alpha=1) -> Tensor", rsub);
    t.add("aten::mul." + o + ") -> Tensor", mul);
    t.add("aten::div." + o + ") -> Tensor", div);
    t.add("aten::true_divide." + o + ") -> Tensor", div);
    t.add("aten::remainder." + o + ") -> Tensor", modulo<false>);
    t.add("aten::fmod." + o + ") -> Tensor", modulo<true>);
    t.add("aten::floor_divide." + o + ") -> Tensor", floor_divide);
    for (const char* name : {"eq", "ne", "lt", "le", "gt", "ge"}) {
      const std::string n(name);
      const TranslateOne translate = n == "eq"   ? compare<static_cast<BinaryNode>(&ir::Builder::Equal)>
                                     : n == "ne" ? not_equal
                                     : n == "lt" ? compare<static_cast<BinaryNode>(&ir::Builder::Less)>
                                     : n == "le" ? compare<static_cast<BinaryNode>(&ir::Builder::LessOrEqual)>
                                     : n == "gt" ? compare<static_cast<BinaryNode>(&ir::Builder::Greater)>
                                                 : compare<static_cast<BinaryNode>(&ir::Builder::GreaterOrEqual)>;
      t.add("aten::" + n + "." + o + ") -> Tensor", translate);
    }
  }
  t.add("aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor", div_mode);
  t.add("aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor", div_mode);
  t.add("aten::remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", modulo<false>);
  t.add("aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", pow);
  t.add("aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", pow);
  t.add("aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor", pow);
  t.add("aten::maximum(Tensor self, Tensor other) -> Tensor", extreme<static_cast<BinaryNode>(&ir::Builder::Max)>);
  t.add("aten::max.other(Tensor self, Tensor other) -> Tensor", extreme<static_cast<BinaryNode>(&ir::Builder::Max)>);
  t.add("aten::minimum(Tensor self, Tensor other) -> Tensor", extreme<static_cast<BinaryNode>(&ir::Builder::Min)>);
  t.add("aten::min.other(Tensor self, Tensor other) -> Tensor", extreme<static_cast<BinaryNode>(&ir::Builder::Min)>);
  t.add("aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", clamp);
  t.add("aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", clamp);
  t.add("aten::clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", clamp);
  t.add("aten::clamp_min(Tensor self, Scalar min) -> Tensor", clamp);
  t.add("aten::clamp_min.Tensor(Tensor self, Tensor min) -> Tensor", clamp);
  t.add("aten::clamp_max(Tensor self, Scalar max) -> Tensor", clamp);
  t.add("aten::clamp_max.Tensor(Tensor self, Tensor max) -> Tensor", clamp);
  for (const char* form : {".self(Tensor condition, Tensor self, Tensor other)",
                           ".ScalarOther(Tensor condition, Tensor self, Scalar other)",
                           ".ScalarSelf(Tensor condition, Scalar self, Tensor other)",
                           ".Scalar(Tensor condition, Scalar self, Scalar other)"}) {
    t.add("aten::where" + std::string(form) + " -> Tensor", where);
  }
  t.add("aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor", masked_fill);
  t.add("aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor", masked_fill);
}

void register_logic(OpTable& t) {
  t.add("aten::logical_and(Tensor self, Tensor other) -> Tensor", logical<&ir::Builder::And>);
  t.add("aten::logical_or(Tensor self, Tensor other) -> Tensor", logical<&ir::Builder::Or>);
  t.add("aten::logical_xor(Tensor self, Tensor other) -> Tensor", logical<&ir::Builder::Xor>);
  t.add("aten::logical_not(Tensor self) -> Tensor", logical_not);
  for (const char* other :
       {"Tensor(Tensor self, Tensor other) -> Tensor", "Scalar(Tensor self, Scalar other) -> Tensor"}) {
    const std::string o(other);
    for (const char* name : {"aten::bitwise_and.", "aten::__and__."}) {
      t.add(name + o, bitwise<&ir::Builder::And, &ir::Builder::BitwiseAnd>);
    }
    for (const char* name : {"aten::bitwise_or.", "aten::__or__."}) {
      t.add(name + o, bitwise<&ir::Builder::Or, &ir::Builder::BitwiseOr>);
    }
    for (const char* name : {"aten::bitwise_xor.", "aten::__xor__."}) {
      t.add(name + o, bitwise<&ir::Builder::Xor, &ir::Builder::BitwiseXor>);
    }
  }
  t.add("aten::bitwise_not(Tensor self) -> Tensor", bitwise_not);
  t.add("aten::isnan(Tensor self) -> Tensor", is_nan);
  t.add("aten::isinf(Tensor self) -> Tensor", is_infinite);
  t.add("aten::isfinite(Tensor self) -> Tensor", is_finite);
}

void register_functions(OpTable& t) {
  const auto add = [&](const char* name, TranslateOne translate) {
    t.add("aten::" + std::string(name) + "(Tensor self) -> Tensor", translate);
  };
  add("acos", float_function<&ir::Builder::Acos>);
  add("acosh", float_function<&ir::Builder::Acosh>);
  add("asin", float_function<&ir::Builder::Asin>);
  add("asinh", float_function<&ir::Builder::Asinh>);
  add("atan", float_function<&ir::Builder::Atan>);
  add("atanh", float_function<&ir::Builder::Atanh>);
  add("cos", float_function<&ir::Builder::Cos>);
  add("cosh", float_function<&ir::Builder::Cosh>);
  add("sin", float_function<&ir::Builder::Sin>);
  add("sinh", float_function<&ir::Builder::Sinh>);
  add("tan", float_function<&ir::Builder::Tan>);
  add("tanh", float_function<&ir::Builder::Tanh>);
  add("erf", float_function<&ir::Builder::Erf>);
  add("exp", float_function<&ir::Builder::Exp>);
  add("exp2", exp2);
  add("expm1", expm1);
  add("log", float_function<&ir::Builder::Log>);
  add("log1p", log1p);
  add("log2", log2);
  add("log10", log10);
  add("reciprocal", float_function<&ir::Builder::Reciprocal>);
  add("sqrt", float_function<&ir::Builder::Sqrt>);
  add("rsqrt", rsqrt);
  add("square", square);
  add("sigmoid", float_function<&ir::Builder::Sigmoid>);
  add("deg2rad", deg2rad);
  add("rad2deg", rad2deg);
  add("abs", keeping<&ir::Builder::Abs>);
  add("absolute", keeping<&ir::Builder::Abs>);
  add("neg", keeping<&ir::Builder::Neg>);
  add("negative", keeping<&ir::Builder::Neg>);
  add("sign", keeping<&ir::Builder::Sign>);
  add("ceil", rounding<&ir::Builder::Ceil>);
  add("floor", rounding<&ir::Builder::Floor>);
  add("round", rounding<&ir::Builder::Round>);
  add("trunc", trunc);
  add("fix", trunc);
  add("frac", frac);
  add("relu", keeping<&ir::Builder::Relu>);
  add("positive", keeping<&ir::Builder::Identity>);
}

}  // namespace

void register_pointwise(OpTable& table) {
  register_arithmetic(table);
  register_logic(table);
  register_functions(table);
}

}  // namespace onward::importer::torch
