// Two operands: arithmetic, comparison, logic, and what picks between values.
#include "import/common/arithmetic.h"

#include "import/common/complex.h"
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

using Binary = Value* (*)(Builder&, Value*, Value*);

template <Binary Function>
ir::Values binary(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  return {Function(a.b, x, y)};
}

template <Value* (Builder::*Method)(Value*, Value*)>
Value* node(Builder& b, Value* x, Value* y) {
  return (b.*Method)(x, y);
}

// ONNX Runtime's arithmetic lacks the small integers.
DType wide(DType dtype) {
  switch (dtype) {
    case DType::kBool:
    case DType::kInt8:
    case DType::kUInt8:
    case DType::kInt16:
    case DType::kUInt16:
      return DType::kInt32;
    default:
      return dtype;
  }
}

template <Value* (Builder::*Method)(Value*, Value*)>
Value* arithmetic(Builder& b, Value* x, Value* y) {
  const DType dtype = x->dtype;
  return b.Cast((b.*Method)(b.Cast(x, wide(dtype)), b.Cast(y, wide(dtype))), dtype);
}

Value* add(Builder& b, Value* x, Value* y) {
  return x->dtype == DType::kBool ? b.Or(x, y) : arithmetic<&Builder::Add>(b, x, y);
}
Value* multiply(Builder& b, Value* x, Value* y) {
  return x->dtype == DType::kBool ? b.And(x, y) : arithmetic<&Builder::Mul>(b, x, y);
}
Value* divide(Builder& b, Value* x, Value* y) { return b.Div(floating(b, x), floating(b, y)); }
Value* divide_no_nan(Builder& b, Value* x, Value* y) {
  Value* c = floating(b, y);
  Value* zero = b.Equal(c, b.number_like(0, c));
  return b.Where(zero, b.number_like(0, c), b.Div(floating(b, x), b.Where(zero, b.number_like(1, c), c)));
}
// Python's: towards minus infinity, the remainder has the divisor's sign.
Value* floor_mod(Builder& b, Value* x, Value* y) {
  if (!ir::is_floating(x->dtype)) return b.Cast(b.Mod(b.Cast(x, wide(x->dtype)), b.Cast(y, wide(y->dtype))), x->dtype);
  Value* rest = b.Mod(x, y, true);
  Value* zero = b.number_like(0, x);
  Value* wrong = b.And(b.Not(b.Equal(rest, zero)), b.Xor(b.Less(rest, zero), b.Less(y, zero)));
  return b.Where(wrong, b.Add(rest, y), rest);
}
Value* floor_divide(Builder& b, Value* x, Value* y) {
  if (ir::is_floating(x->dtype)) return b.Floor(b.Div(x, y));
  const DType dtype = x->dtype;
  Value* p = b.Cast(x, wide(dtype));
  Value* q = b.Cast(y, wide(dtype));
  return b.Cast(b.Div(b.Sub(p, b.Mod(p, q)), q), dtype);
}
Value* power(Builder& b, Value* x, Value* y) { return b.Cast(b.Pow(b.Cast(x, wide(x->dtype)), y), x->dtype); }
Value* squared_difference(Builder& b, Value* x, Value* y) {
  Value* d = b.Sub(x, y);
  return b.Mul(d, d);
}
Value* not_equal(Builder& b, Value* x, Value* y) { return b.Not(b.Equal(x, y)); }

template <Value* (Builder::*Method)(Value*, Value*)>
Value* logical(Builder& b, Value* x, Value* y) {
  return (b.*Method)(b.Cast(x, DType::kBool), b.Cast(y, DType::kBool));
}

Value* hypot(Builder& b, Value* x, Value* y) {
  Value* p = floating(b, x);
  Value* q = floating(b, y);
  return b.Sqrt(b.Add(b.Mul(p, p), b.Mul(q, q)));
}

Value* logaddexp(Builder& b, Value* x, Value* y) {
  Value* p = floating(b, x);
  Value* q = floating(b, y);
  // Equal ones may be infinite.
  Value* same = b.Equal(p, q);
  Value* apart = b.Where(same, b.number_like(0, p), b.Sub(p, q));
  return b.Add(b.Max(p, q), b.Softplus(b.Neg(b.Abs(apart))));
}

Value* arctan2(Builder& b, Value* y, Value* x) { return atan2(b, floating(b, y), floating(b, x)); }

// clip(x, x_min, x_max)
ir::Values clip(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const auto bound = [&](const char* name) -> Value* {
    if (!a.has(name)) return nullptr;
    return b.Cast(a.from_json(a.json(name), x->dtype), x->dtype);
  };
  Value* low = bound("x_min");
  Value* high = bound("x_max");
  const auto scalar = [](const Value* v) { return v == nullptr || (v->has_rank() && v->rank() == 0); };
  if (scalar(low) && scalar(high)) return {b.Clip(x, low, high)};
  if (low != nullptr) x = b.Max(x, low);
  return {high != nullptr ? b.Min(x, high) : x};
}

// where(condition, x1=None, x2=None)
ir::Values where(const Arguments& a) {
  Value* condition = a.b.Cast(a.value("condition"), DType::kBool);
  a.require(a.has("x1") && a.has("x2"), "with a condition alone is not supported");
  const auto [x, y] = a.operands("x1", "x2");
  return {a.b.Where(condition, x, y)};
}

ir::Values add_n(const Arguments& a) {
  const ir::Values values = a.values("x");
  Value* sum = values.front();
  for (size_t i = 1; i < values.size(); ++i) sum = a.b.Add(sum, values[i]);
  return {sum};
}

Value* right_shift(Builder& b, Value* x, Value* y) { return shifted(b, x, y, false); }
Value* left_shift(Builder& b, Value* x, Value* y) { return shifted(b, x, y, true); }

struct Entry {
  const char* keras;       // class names, separated by spaces
  const char* tensorflow;  // functions
  ir::Values (*translate)(const Arguments&);
};

constexpr Entry kBinary[] = {
    {"Add", "math.add add __operators__.add", binary<add>},
    {"Subtract", "math.subtract subtract __operators__.sub", binary<arithmetic<&Builder::Sub>>},
    {"Multiply", "math.multiply multiply __operators__.mul", binary<multiply>},
    {"Divide TrueDivide", "math.divide divide math.truediv truediv __operators__.truediv realdiv", binary<divide>},
    {"DivideNoNan", "math.divide_no_nan math.multiply_no_nan", binary<divide_no_nan>},
    {"FloorDivide", "math.floordiv __operators__.floordiv floordiv", binary<floor_divide>},
    {"Mod Remainder", "math.floormod math.mod __operators__.mod", binary<floor_mod>},
    {"Power", "math.pow pow __operators__.pow", binary<power>},
    {"Maximum Fmax", "math.maximum maximum", binary<node<&Builder::Max>>},
    {"Minimum Fmin", "math.minimum minimum", binary<node<&Builder::Min>>},
    {"Greater", "math.greater greater __operators__.gt", binary<node<&Builder::Greater>>},
    {"GreaterEqual", "math.greater_equal greater_equal __operators__.ge", binary<node<&Builder::GreaterOrEqual>>},
    {"Less", "math.less less __operators__.lt", binary<node<&Builder::Less>>},
    {"LessEqual", "math.less_equal less_equal __operators__.le", binary<node<&Builder::LessOrEqual>>},
    {"Equal", "math.equal equal __operators__.eq", binary<node<&Builder::Equal>>},
    {"NotEqual", "math.not_equal not_equal __operators__.ne", binary<not_equal>},
    {"LogicalAnd", "math.logical_and logical_and __operators__.and", binary<logical<&Builder::And>>},
    {"LogicalOr", "math.logical_or logical_or __operators__.or", binary<logical<&Builder::Or>>},
    {"LogicalXor", "math.logical_xor __operators__.xor", binary<logical<&Builder::Xor>>},
    {"BitwiseAnd", "bitwise.bitwise_and", binary<node<&Builder::BitwiseAnd>>},
    {"BitwiseOr", "bitwise.bitwise_or", binary<node<&Builder::BitwiseOr>>},
    {"BitwiseXor", "bitwise.bitwise_xor", binary<node<&Builder::BitwiseXor>>},
    {"BitwiseLeftShift LeftShift", "bitwise.left_shift", binary<left_shift>},
    {"BitwiseRightShift RightShift", "bitwise.right_shift", binary<right_shift>},
    {"Arctan2", "math.atan2", binary<arctan2>},
    {"Hypot", "", binary<hypot>},
    {"Logaddexp", "", binary<logaddexp>},
    {"", "math.squared_difference", binary<squared_difference>},
};

}  // namespace

void register_arithmetic(OperationTable& table) {
  for (const Entry& entry : kBinary) {
    for_each_word(entry.keras, [&](std::string name) { table.add(std::move(name), {"x1 x2", entry.translate}); });
    for_each_word(entry.tensorflow, [&](const std::string& name) {
      table.add("tf." + name, {"x1:x x2:y", entry.translate});
    });
  }
  table.add("Clip", {"x x_min x_max", clip});
  table.add("tf.clip_by_value", {"x:t x_min:clip_value_min x_max:clip_value_max", clip});
  table.add("Where", {"condition x1 x2", where});
  table.add("tf.where", {"condition x1:x x2:y", where});
  table.add("tf.math.add_n", {"x:inputs", add_n});
  table.add("tf.add_n", {"x:inputs", add_n});
}

}  // namespace onward::importer::keras
