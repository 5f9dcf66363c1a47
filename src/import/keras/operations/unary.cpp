// Elementary functions of one tensor: keras.ops.sqrt and its kind, tf.math.sqrt and its kind.
#include <cmath>
#include <numbers>

#include "import/common/complex.h"
#include "import/common/special.h"
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

using Node = Value* (*)(Builder&, Value*);

// On numbers of any dtype: integers become float32 first.
template <Node Function>
ir::Values in_float(const Arguments& a) {
  Value* x = a.value("x");
  return {Function(a.b, a.tensorflow() ? x : floating(a.b, x))};
}

template <Node Function>
ir::Values plain(const Arguments& a) {
  return {Function(a.b, a.value("x"))};
}

template <Value* (Builder::*Method)(Value*)>
Value* node(Builder& b, Value* x) {
  return (b.*Method)(x);
}

Value* absolute(Builder& b, Value* x) {
  if (x->complex) return importer::abs(b, parts(b, x));
  return x->dtype == DType::kBool ? x : b.Abs(x);
}
Value* scaled(Builder& b, Value* x, double factor) { return b.Mul(x, factor); }
Value* cbrt(Builder& b, Value* x) { return b.Mul(b.Sign(x), b.Pow(b.Abs(x), 1.0 / 3)); }
Value* deg2rad(Builder& b, Value* x) { return scaled(b, x, std::numbers::pi / 180); }
Value* rad2deg(Builder& b, Value* x) { return scaled(b, x, 180 / std::numbers::pi); }
Value* exp2(Builder& b, Value* x) { return b.Pow(b.number_like(2, x), x); }
Value* log2(Builder& b, Value* x) { return scaled(b, b.Log(x), 1 / std::numbers::ln2); }
Value* log10(Builder& b, Value* x) { return scaled(b, b.Log(x), 1 / std::numbers::ln10); }
// exp(x) - 1, near 0 without cancellation: 2 sinh(x/2) exp(x/2).
Value* expm1(Builder& b, Value* x) {
  Value* half = b.Mul(x, 0.5);
  Value* small = b.Mul(b.Mul(b.Sinh(half), b.Exp(half)), 2.0);
  return b.Where(b.Less(b.Abs(x), b.number_like(1, x)), small, b.Sub(b.Exp(x), 1.0));
}
// log(1 + x) = 2 atanh(x / (2 + x)) near 0, where 1 + x would lose digits.
Value* log1p(Builder& b, Value* x) {
  Value* small = b.Mul(b.Atanh(b.Div(x, b.Add(x, 2.0))), 2.0);
  return b.Where(b.Less(b.Abs(x), b.number_like(0.5, x)), small, b.Log(b.Add(x, 1.0)));
}
Value* rsqrt(Builder& b, Value* x) { return b.Reciprocal(b.Sqrt(x)); }
Value* square(Builder& b, Value* x) {
  if (x->dtype == DType::kBool) x = b.Cast(x, DType::kInt32);
  return b.Mul(x, x);
}
Value* sinc(Builder& b, Value* x) {
  Value* angle = b.Mul(x, std::numbers::pi);
  Value* zero = b.Equal(x, b.number_like(0, x));
  return b.Where(zero, b.number_like(1, x), b.Div(b.Sin(angle), b.Where(zero, b.number_like(1, x), angle)));
}
Value* trunc(Builder& b, Value* x) {
  if (!ir::is_floating(x->dtype)) return x;
  return b.Mul(b.Sign(x), b.Floor(b.Abs(x)));
}
Value* same(Builder&, Value* x) { return x; }
Value* logical_not(Builder& b, Value* x) { return b.Not(b.Cast(x, DType::kBool)); }
Value* is_nan(Builder& b, Value* x) { return b.IsNaN(floating(b, x)); }
Value* is_inf(Builder& b, Value* x) { return b.IsInf(floating(b, x)); }
Value* is_finite(Builder& b, Value* x) {
  Value* y = floating(b, x);
  return b.Not(b.Or(b.IsInf(y), b.IsNaN(y)));
}
Value* is_posinf(Builder& b, Value* x) { return b.op("IsInf", {floating(b, x)}, {{"detect_negative", 0}}); }
Value* is_neginf(Builder& b, Value* x) { return b.op("IsInf", {floating(b, x)}, {{"detect_positive", 0}}); }
// Of a negative zero, too.
Value* signbit(Builder& b, Value* x) {
  if (x->dtype == DType::kBool) return b.And(x, b.Not(x));
  Value* zero = b.number_like(0, x);
  Value* below = b.Less(x, zero);
  return ir::is_floating(x->dtype) ? b.Or(below, b.And(b.Equal(x, zero), b.Less(b.Reciprocal(x), zero))) : below;
}
Value* zeros_like(Builder& b, Value* x) { return b.Fill(b.Shape(x), 0, x->dtype); }
Value* ones_like(Builder& b, Value* x) { return b.Fill(b.Shape(x), 1, x->dtype); }
Value* negative(Builder& b, Value* x) { return b.Neg(x); }
Value* reciprocal(Builder& b, Value* x) { return b.Reciprocal(x); }
Value* log_sigmoid(Builder& b, Value* x) { return b.Neg(b.Softplus(b.Neg(x))); }

// round(x, decimals=0)
ir::Values round_decimals(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const int64_t decimals = a.integer("decimals", 0);
  if (!ir::is_floating(x->dtype) && decimals >= 0) return {x};
  if (decimals == 0) return {b.Round(x)};
  const double factor = std::pow(10.0, static_cast<double>(decimals));
  Value* scaled_up = b.Mul(floating(b, x), factor);
  return {b.Cast(b.Div(b.Round(scaled_up), factor), x->dtype)};
}

// nan_to_num(x, nan=0.0, posinf=None, neginf=None)
ir::Values nan_to_num(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const double most = x->dtype == DType::kFloat16 ? 65504.0 : 3.4028234663852886e38;
  Value* y = b.Where(b.IsNaN(x), b.number_like(a.number("nan", 0), x), x);
  y = b.Where(is_posinf(b, x), b.number_like(a.number("posinf", most), x), y);
  return {b.Where(is_neginf(b, x), b.number_like(a.number("neginf", -most), x), y)};
}

// cast(x, dtype)
ir::Values cast(const Arguments& a) {
  const auto dtype = a.dtype("dtype");
  a.require(dtype.has_value(), "needs a dtype");
  Value* x = a.value("x");
  // Towards an integer TensorFlow cuts off, as ONNX does.
  return {a.b.Cast(x, *dtype)};
}

// array(x, dtype=None)
ir::Values array(const Arguments& a) {
  Value* x = a.value("x");
  return {a.b.Cast(x, a.dtype("dtype").value_or(x->dtype))};
}

// full_like(x, fill_value, dtype=None)
ir::Values full_like(const Arguments& a) {
  Value* x = a.value("x");
  Value* fill = a.b.Cast(a.value("fill_value"), a.dtype("dtype").value_or(x->dtype));
  return {a.b.Expand(fill, a.b.Shape(x))};
}

template <Node Function>
ir::Values like(const Arguments& a) {
  Value* y = Function(a.b, a.value("x"));
  return {a.b.Cast(y, a.dtype("dtype").value_or(y->dtype))};
}

// i0(x)
ir::Values bessel_i0(const Arguments& a) {
  Value* x = floating(a.b, a.value("x"));
  return {a.b.Cast(special::i0(a.b, a.b.Cast(x, DType::kDouble)), x->dtype)};
}

struct Unary {
  const char* keras;       // class name, null where there is none
  const char* tensorflow;  // functions, separated by spaces
  ir::Values (*translate)(const Arguments&);
};

constexpr Unary kUnary[] = {
    {"Absolute", "math.abs abs __operators__.abs", plain<absolute>},
    {"Arccos", "math.acos acos", in_float<node<&Builder::Acos>>},
    {"Arccosh", "math.acosh acosh", in_float<node<&Builder::Acosh>>},
    {"Arcsin", "math.asin asin", in_float<node<&Builder::Asin>>},
    {"Arcsinh", "math.asinh asinh", in_float<node<&Builder::Asinh>>},
    {"Arctan", "math.atan atan", in_float<node<&Builder::Atan>>},
    {"Arctanh", "math.atanh atanh", in_float<node<&Builder::Atanh>>},
    {"Cbrt", nullptr, in_float<cbrt>},
    {"Ceil", "math.ceil", in_float<node<&Builder::Ceil>>},
    {"Abs", nullptr, plain<absolute>},
    {"Fabs", nullptr, in_float<node<&Builder::Abs>>},
    {"EmptyLike", nullptr, like<zeros_like>},
    {"I0", nullptr, bessel_i0},
    {"Cos", "math.cos cos", in_float<node<&Builder::Cos>>},
    {"Cosh", "math.cosh cosh", in_float<node<&Builder::Cosh>>},
    {"Deg2rad", nullptr, in_float<deg2rad>},
    {"Rad2deg", nullptr, in_float<rad2deg>},
    {"Erf", "math.erf", in_float<node<&Builder::Erf>>},
    {"Exp", "math.exp exp", in_float<node<&Builder::Exp>>},
    {"Exp2", nullptr, in_float<exp2>},
    {"Expm1", "math.expm1", in_float<expm1>},
    {"Floor", "math.floor floor", in_float<node<&Builder::Floor>>},
    {"Isfinite", "math.is_finite", plain<is_finite>},
    {"Isinf", "math.is_inf", plain<is_inf>},
    {"Isnan", "math.is_nan", plain<is_nan>},
    {"Isneginf", nullptr, plain<is_neginf>},
    {"Isposinf", nullptr, plain<is_posinf>},
    {"Log", "math.log", in_float<node<&Builder::Log>>},
    {"Log10", nullptr, in_float<log10>},
    {"Log1p", "math.log1p", in_float<log1p>},
    {"Log2", nullptr, in_float<log2>},
    {"LogicalNot", "math.logical_not logical_not __operators__.invert", plain<logical_not>},
    {"BitwiseNot", "bitwise.invert", plain<node<&Builder::BitwiseNot>>},
    {"BitwiseInvert", nullptr, plain<node<&Builder::BitwiseNot>>},
    {"Negative", "math.negative negative __operators__.neg", plain<negative>},
    {"Reciprocal", "math.reciprocal", in_float<reciprocal>},
    {"Rsqrt", "math.rsqrt", in_float<rsqrt>},
    {"Sign", "math.sign sign", plain<node<&Builder::Sign>>},
    {"Signbit", nullptr, plain<signbit>},
    {"Sin", "math.sin sin", in_float<node<&Builder::Sin>>},
    {"Sinc", nullptr, in_float<sinc>},
    {"Sinh", "math.sinh sinh", in_float<node<&Builder::Sinh>>},
    {"Sqrt", "math.sqrt sqrt", in_float<node<&Builder::Sqrt>>},
    {"Square", "math.square square", plain<square>},
    {"Tan", "math.tan tan", in_float<node<&Builder::Tan>>},
    {"Tanh", "math.tanh tanh nn.tanh", in_float<node<&Builder::Tanh>>},
    {"Trunc", nullptr, plain<trunc>},
    {nullptr, "math.sigmoid sigmoid nn.sigmoid", plain<node<&Builder::Sigmoid>>},
    {nullptr, "math.log_sigmoid nn.log_sigmoid", plain<log_sigmoid>},
    {nullptr, "math.softplus nn.softplus", plain<node<&Builder::Softplus>>},
    {nullptr, "math.round round", plain<node<&Builder::Round>>},
    {"StopGradient", "stop_gradient", plain<same>},
    {"Copy", "identity", plain<same>},
    {nullptr, "ensure_shape", plain<same>},
    {"ConvertToTensor", "convert_to_tensor", plain<same>},
};

// erfinv(x)
ir::Values erfinv(const Arguments& a) {
  Value* x = floating(a.b, a.value("x"));
  return {a.b.Cast(special::erfinv(a.b, a.b.Cast(x, DType::kDouble)), x->dtype)};
}

// erfc(x) = 1 - erf(x)
ir::Values erfc(const Arguments& a) {
  Value* x = floating(a.b, a.value("x"));
  return {a.b.Sub(a.b.number_like(1, x), a.b.Erf(x))};
}

}  // namespace

void register_unary_operations(OperationTable& table) {
  for (const Unary& unary : kUnary) {
    if (unary.keras != nullptr) table.add(unary.keras, {"x", unary.translate});
    if (unary.tensorflow == nullptr) continue;
    for_each_word(unary.tensorflow, [&](const std::string& name) { table.add("tf." + name, {"x", unary.translate}); });
  }
  for (const char* name : {"Round", "Around"}) table.add(name, {"x decimals", round_decimals});
  table.add("NanToNum", {"x nan posinf neginf", nan_to_num});
  table.add("Cast", {"x dtype", cast});
  table.add("tf.cast", {"x dtype", cast});
  table.add("FullLike", {"x fill_value dtype", full_like});
  table.add("ZerosLike", {"x dtype", like<zeros_like>});
  table.add("OnesLike", {"x dtype", like<ones_like>});
  table.add("tf.zeros_like", {"x:input dtype", like<zeros_like>});
  table.add("tf.ones_like", {"x:input dtype", like<ones_like>});
  for (const char* name : {"Erfc", "tf.math.erfc"}) table.add(name, {"x", erfc});
  table.add("Erfinv", {"x", erfinv});
  table.add("Array", {"x dtype", array});
}

}  // namespace onward::importer::keras
