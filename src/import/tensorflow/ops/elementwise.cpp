// Element by element: arithmetic, comparison, logic, rounding, elementary functions, casts.
#include <cmath>
#include <limits>
#include <numbers>

#include "import/common/arithmetic.h"
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;
using Builder = ir::Builder;

constexpr auto kAdd = static_cast<BinaryNode>(&Builder::Add);
constexpr auto kSub = static_cast<BinaryNode>(&Builder::Sub);
constexpr auto kMul = static_cast<BinaryNode>(&Builder::Mul);
constexpr auto kDiv = static_cast<BinaryNode>(&Builder::Div);
constexpr auto kPow = static_cast<BinaryNode>(&Builder::Pow);
constexpr auto kMax = static_cast<BinaryNode>(&Builder::Max);
constexpr auto kMin = static_cast<BinaryNode>(&Builder::Min);

template <UnaryNode Node, Widen In>
Value* unary(Call& c) {
  return computed(c.b, Node, c.input(0), In);
}

template <BinaryNode Node, Widen In = arithmetic_dtype>
Value* binary(Call& c) {
  return computed(c.b, Node, c.input(0), c.input(1), In);
}

template <BinaryNode Node>
Value* compare(Call& c) {
  const DType wide = arithmetic_dtype(c.input(0)->dtype);
  return (c.b.*Node)(c.b.Cast(c.input(0), wide), c.b.Cast(c.input(1), wide));
}

template <BinaryNode Node>
Value* plain(Call& c) {
  return (c.b.*Node)(c.input(0), c.input(1));
}

// Equal(x: T, y: T, incompatible_shape_error: bool = true) -> z
Value* equal(Call& c) {
  const DType dtype = c.input(0)->dtype;
  if (dtype == DType::kString || dtype == DType::kBool) return c.b.Equal(c.input(0), c.input(1));
  return compare<&Builder::Equal>(c);
}
Value* not_equal(Call& c) { return c.b.Not(equal(c)); }

// AddV2(x: T, y: T) -> z; strings are joined.
Value* add(Call& c) {
  if (c.input(0)->dtype == DType::kString) return c.b.op("StringConcat", {c.input(0), c.input(1)});
  return binary<kAdd>(c);
}

// AddN(inputs: N * T) -> sum
Value* add_n(Call& c) {
  Value* sum = c.input(0);
  for (size_t i = 1; i < c.input_count(); ++i) sum = computed(c.b, kAdd, sum, c.input(i), arithmetic_dtype);
  return sum;
}

// The quotient rounded down, exactly for integers.
Value* floor_quotient(Builder& b, Value* x, Value* y) {
  if (ir::is_floating(x->dtype))
    return computed(b, &Builder::Floor, computed(b, kDiv, x, y, arithmetic_dtype), floating_dtype);
  const DType wide = arithmetic_dtype(x->dtype);
  Value* a = b.Cast(x, wide);
  Value* d = b.Cast(y, wide);
  if (ir::is_unsigned_integer(x->dtype)) return b.Cast(b.Div(a, d), x->dtype);
  return b.Cast(b.Div(b.Sub(a, b.Mod(a, d)), d), x->dtype);
}
// FloorDiv(x: T, y: T) -> z
Value* floor_div(Call& c) { return floor_quotient(c.b, c.input(0), c.input(1)); }

// FloorMod(x: T, y: T) -> z, with the divisor's sign
Value* floor_mod(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* y = c.input(1);
  if (!ir::is_floating(x->dtype)) return b.Mod(x, y);
  const DType wide = floating_dtype(x->dtype);
  Value* a = b.Cast(x, wide);
  Value* d = b.Cast(y, wide);
  Value* rest = b.Mod(a, d, true);
  Value* zero = b.number_like(0, a);
  Value* turned = b.And(b.Not(b.Equal(rest, zero)), b.Xor(b.Less(rest, zero), b.Less(d, zero)));
  return b.Cast(b.Where(turned, b.Add(rest, d), rest), x->dtype);
}

// TruncateMod(x: T, y: T) -> z, with the dividend's sign
Value* truncate_mod(Call& c) {
  Value* x = c.input(0);
  const DType wide = ir::is_floating(x->dtype) ? floating_dtype(x->dtype) : x->dtype;
  return c.b.Cast(c.b.Mod(c.b.Cast(x, wide), c.b.Cast(c.input(1), wide), true), x->dtype);
}

Value* towards_zero(Builder& b, Value* x) { return b.Mul(b.Sign(x), b.Floor(b.Abs(x))); }

// TruncateDiv(x: T, y: T) -> z
Value* truncate_div(Call& c) {
  Value* quotient = binary<kDiv>(c);
  return ir::is_floating(quotient->dtype) ? towards_zero(c.b, quotient) : quotient;
}

// `result` where y is not zero, else zero.
Value* unless_zero(Builder& b, Value* y, Value* result) {
  Value* zero = b.number_like(0, y);
  return b.Where(b.Equal(y, zero), zero, result);
}
// DivNoNan(x: T, y: T) -> z
Value* div_no_nan(Call& c) { return unless_zero(c.b, c.input(1), c.b.Div(c.input(0), c.input(1))); }
// MulNoNan(x: T, y: T) -> z: zero where y is, whatever x
Value* mul_no_nan(Call& c) { return unless_zero(c.b, c.input(1), c.b.Mul(c.input(0), c.input(1))); }
// Xdivy(x: T, y: T) -> z: x / y, zero where x is
Value* xdivy(Call& c) { return unless_zero(c.b, c.input(0), c.b.Div(c.input(0), c.input(1))); }
// Xlogy(x: T, y: T) -> z: x * log(y), zero where x is
Value* xlogy(Call& c) { return unless_zero(c.b, c.input(0), c.b.Mul(c.input(0), c.b.Log(c.input(1)))); }

// log(1 + x) without loss near zero: x * log(u) / (u - 1), u = 1 + x
Value* log1p_of(Builder& b, Value* x) {
  Value* u = b.Add(x, 1);
  Value* d = b.Sub(u, 1);
  Value* tiny = b.Equal(d, b.number_like(0, x));
  Value* infinite = b.IsInf(u);
  Value* safe = b.Where(b.Or(tiny, infinite), b.number_like(1, x), d);
  return b.Where(infinite, u, b.Where(tiny, x, b.Div(b.Mul(b.Log(u), x), safe)));
}
Value* log1p(Call& c) { return log1p_of(c.b, c.input(0)); }
// Xlog1py(x: T, y: T) -> z
Value* xlog1py(Call& c) { return unless_zero(c.b, c.input(0), c.b.Mul(c.input(0), log1p_of(c.b, c.input(1)))); }

// Expm1(x: T) -> y: near zero 2 t / (1 - t), t = tanh(x / 2)
Value* expm1(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* t = b.Tanh(b.Mul(x, 0.5));
  Value* near = b.Div(b.Mul(t, 2), b.Sub(b.number_like(1, x), t));
  return b.Where(b.Less(b.Abs(x), b.number_like(0.5, x)), near, b.Sub(b.Exp(x), 1));
}

// SquaredDifference(x: T, y: T) -> z
Value* squared_difference(Call& c) {
  Builder& b = c.b;
  const DType wide = arithmetic_dtype(c.input(0)->dtype);
  Value* d = b.Sub(b.Cast(c.input(0), wide), b.Cast(c.input(1), wide));
  return b.Cast(b.Mul(d, d), c.input(0)->dtype);
}
// Square(x: T) -> y
Value* square(Call& c) { return computed(c.b, kMul, c.input(0), c.input(0), arithmetic_dtype); }
// Rsqrt(x: T) -> y
Value* rsqrt(Call& c) {
  const DType wide = floating_dtype(c.input(0)->dtype);
  return c.b.Cast(c.b.Reciprocal(c.b.Sqrt(c.b.Cast(c.input(0), wide))), c.input(0)->dtype);
}
// Reciprocal(x: T) -> y; of integers, too
Value* reciprocal(Call& c) {
  Value* x = c.input(0);
  if (ir::is_floating(x->dtype)) return computed(c.b, &Builder::Reciprocal, x, floating_dtype);
  return computed(c.b, kDiv, c.b.number_like(1, x), x, arithmetic_dtype);
}
// Erfc(x: T) -> y
Value* erfc(Call& c) {
  Value* x = c.b.Cast(c.input(0), single_dtype(c.input(0)->dtype));
  return c.b.Cast(c.b.Sub(c.b.number_like(1, x), c.b.Erf(x)), c.input(0)->dtype);
}

// Atan2(y: T, x: T) -> z
Value* atan2(Call& c) {
  Builder& b = c.b;
  const DType dtype = c.input(0)->dtype;
  Value* y = b.Cast(c.input(0), single_dtype(dtype));
  Value* x = b.Cast(c.input(1), single_dtype(dtype));
  Value* zero = b.number_like(0, x);
  Value* pi = b.number_like(std::numbers::pi, x);
  Value* angle = b.Atan(b.Div(y, x));
  Value* turned = b.Where(b.Less(y, zero), b.Sub(angle, pi), b.Add(angle, pi));
  Value* result = b.Where(b.Less(x, zero), turned, angle);
  return b.Cast(b.Where(b.And(b.Equal(x, zero), b.Equal(y, zero)), zero, result), dtype);
}

template <UnaryNode Node>
Value* rounding(Call& c) {
  Value* x = c.input(0);
  return ir::is_floating(x->dtype) ? computed(c.b, Node, x, floating_dtype) : x;
}

template <UnaryNode Node>
Value* float_test(Call& c) {
  Value* x = c.input(0);
  return (c.b.*Node)(c.b.Cast(x, floating_dtype(x->dtype)));
}
// IsFinite(x: T) -> y
Value* is_finite(Call& c) {
  Value* x = c.b.Cast(c.input(0), floating_dtype(c.input(0)->dtype));
  return c.b.Not(c.b.Or(c.b.IsInf(x), c.b.IsNaN(x)));
}

// ClipByValue(t: T, clip_value_min: T, clip_value_max: T) -> output
Value* clip_by_value(Call& c) {
  return computed(c.b, kMin, computed(c.b, kMax, c.input(0), c.input(1), arithmetic_dtype), c.input(2),
                  arithmetic_dtype);
}

// Sign(x: T) -> y
Value* sign(Call& c) { return computed(c.b, &Builder::Sign, c.input(0), any_dtype); }

// LeftShift(x: T, y: T) -> z
template <bool Left>
Value* shift(Call& c) {
  Builder& b = c.b;
  const DType dtype = c.input(0)->dtype;
  // ONNX Runtime shifts these; others go by arithmetic.
  if (dtype == DType::kUInt8 || dtype == DType::kUInt32 || dtype == DType::kUInt64) {
    return b.op("BitShift", {c.input(0), c.input(1)}, {{"direction", Left ? "LEFT" : "RIGHT"}});
  }
  return shifted(b, c.input(0), c.input(1), Left);
}

// LogicalXor(x: bool, y: bool) -> z and kin take bools as they are.

// PopulationCount(x: T) -> y: uint8
Value* population_count(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  const size_t bits = ir::dtype_bits(x->dtype);
  Value* count = nullptr;
  Value* wide = b.Cast(x, DType::kUInt64);
  for (size_t bit = 0; bit < bits; ++bit) {
    Value* at = b.op("BitShift", {wide, b.number(static_cast<double>(bit), DType::kUInt64)}, {{"direction", "RIGHT"}});
    Value* one = b.Cast(b.Mod(b.Cast(at, DType::kUInt64), b.number(2, DType::kUInt64)), DType::kInt32);
    count = count == nullptr ? one : b.Add(count, one);
  }
  return b.Cast(count, DType::kUInt8);
}

void register_functions(OpTable& t) {
  t.add("Abs", unary<&Builder::Abs, any_dtype>);
  t.add("Neg", unary<&Builder::Neg, arithmetic_dtype>);
  t.add("Acos", unary<&Builder::Acos, single_dtype>);
  t.add("Acosh", unary<&Builder::Acosh, single_dtype>);
  t.add("Asin", unary<&Builder::Asin, single_dtype>);
  t.add("Asinh", unary<&Builder::Asinh, single_dtype>);
  t.add("Atan", unary<&Builder::Atan, single_dtype>);
  t.add("Atanh", unary<&Builder::Atanh, single_dtype>);
  t.add("Cos", unary<&Builder::Cos, single_dtype>);
  t.add("Cosh", unary<&Builder::Cosh, single_dtype>);
  t.add("Sin", unary<&Builder::Sin, floating_dtype>);
  t.add("Sinh", unary<&Builder::Sinh, single_dtype>);
  t.add("Tan", unary<&Builder::Tan, single_dtype>);
  t.add("Tanh", unary<&Builder::Tanh, floating_dtype>);
  t.add("Exp", unary<&Builder::Exp, floating_dtype>);
  t.add("Log", unary<&Builder::Log, floating_dtype>);
  t.add("Sqrt", unary<&Builder::Sqrt, floating_dtype>);
  t.add("Erf", unary<&Builder::Erf, single_dtype>);
  t.add("Ceil", rounding<&Builder::Ceil>);
  t.add("Floor", rounding<&Builder::Floor>);
  t.add("Round", rounding<&Builder::Round>);
  t.add("Rint", rounding<&Builder::Round>);
  t.add("Erfc", erfc);
  t.add("Expm1", expm1);
  t.add("Log1p", log1p);
  t.add("Rsqrt", rsqrt);
  t.add("Reciprocal", reciprocal);
  t.add("Inv", reciprocal);
  t.add("Sign", sign);
  t.add("Square", square);
  t.add("IsNan", float_test<&Builder::IsNaN>);
  t.add("IsInf", float_test<&Builder::IsInf>);
  t.add("IsFinite", is_finite);
  t.add("PopulationCount", population_count);
}

void register_arithmetic(OpTable& t) {
  t.add("Add", add);
  t.add("AddV2", add);
  t.add("AddN", add_n);
  t.add("AccumulateNV2", add_n);
  t.add("Sub", binary<kSub>);
  t.add("Mul", binary<kMul>);
  t.add("Div", binary<kDiv>);
  t.add("RealDiv", binary<kDiv>);
  t.add("TruncateDiv", truncate_div);
  t.add("FloorDiv", floor_div);
  t.add("FloorMod", floor_mod);
  t.add("Mod", truncate_mod);
  t.add("TruncateMod", truncate_mod);
  t.add("Pow", binary<kPow>);
  t.add("Maximum", binary<kMax>);
  t.add("Minimum", binary<kMin>);
  t.add("DivNoNan", div_no_nan);
  t.add("MulNoNan", mul_no_nan);
  t.add("Xdivy", xdivy);
  t.add("Xlogy", xlogy);
  t.add("Xlog1py", xlog1py);
  t.add("Atan2", atan2);
  t.add("SquaredDifference", squared_difference);
  t.add("ClipByValue", clip_by_value);
}

void register_logic(OpTable& t) {
  t.add("Equal", equal);
  t.add("NotEqual", not_equal);
  t.add("Less", compare<&Builder::Less>);
  t.add("LessEqual", compare<&Builder::LessOrEqual>);
  t.add("Greater", compare<&Builder::Greater>);
  t.add("GreaterEqual", compare<&Builder::GreaterOrEqual>);
  t.add("LogicalAnd", plain<&Builder::And>);
  t.add("LogicalOr", plain<&Builder::Or>);
  t.add("LogicalXor", plain<&Builder::Xor>);
  t.add("LogicalNot", unary<&Builder::Not, any_dtype>);
  t.add("BitwiseAnd", plain<&Builder::BitwiseAnd>);
  t.add("BitwiseOr", plain<&Builder::BitwiseOr>);
  t.add("BitwiseXor", plain<&Builder::BitwiseXor>);
  t.add("Invert", unary<&Builder::BitwiseNot, any_dtype>);
  t.add("LeftShift", shift<true>);
  t.add("RightShift", shift<false>);
}

}  // namespace

void register_elementwise(OpTable& t) {
  register_functions(t);
  register_arithmetic(t);
  register_logic(t);
}

}  // namespace onward::importer::tf
