#include "import/common/arithmetic.h"

namespace onward::importer {

using ir::DType;
using ir::Value;

Value* vector_of(ir::Builder& b, const std::vector<double>& values, DType dtype) {
  return b.constant(ir::Tensor::from_doubles(dtype, {static_cast<int64_t>(values.size())}, values));
}

// A long one as powers times coefficients: four nodes instead of two for each coefficient.
Value* polynomial(ir::Builder& b, Value* x, const std::vector<double>& coefficients) {
  if (coefficients.size() > 4) {
    std::vector<double> powers;
    for (size_t i = coefficients.size(); i-- > 0;) powers.push_back(static_cast<double>(i));
    Value* terms =
        b.Mul(b.Pow(b.Unsqueeze(x, {-1}), vector_of(b, powers, x->dtype)), vector_of(b, coefficients, x->dtype));
    return b.ReduceSum(terms, {-1}, false);
  }
  Value* sum = b.number_like(coefficients.at(0), x);
  for (size_t i = 1; i < coefficients.size(); ++i) sum = b.Add(b.Mul(sum, x), coefficients[i]);
  return sum;
}

Value* truncated(ir::Builder& b, Value* x) {
  if (!ir::is_floating(x->dtype)) return x;
  return b.Where(b.Less(x, b.number_like(0, x)), b.Ceil(x), b.Floor(x));
}

Value* broadcast_shape(ir::Builder& b, const ir::Values& tensors) {
  Value* all = nullptr;
  for (Value* tensor : tensors) {
    Value* there = b.Expand(b.boolean(true), b.Shape(tensor));
    all = all == nullptr ? there : b.And(all, there);
  }
  return b.Shape(all);
}

// ONNX shifts unsigned numbers only: multiplication and floored division by a power of two do the same.
Value* shifted(ir::Builder& b, Value* x, Value* count, bool left) {
  const DType dtype = x->dtype;
  const auto bits = static_cast<int64_t>(ir::dtype_bits(dtype));
  Value* value = b.Cast(x, DType::kInt64);
  Value* by = b.Cast(count, DType::kInt64);
  Value* zero = b.i64(0);
  Value* all = b.Or(b.Less(by, zero), b.GreaterOrEqual(by, b.i64(bits)));
  Value* kept = b.Where(all, zero, by);
  Value* power = b.Cast(
      b.op("BitShift", {b.Cast(b.i64(1), DType::kUInt64), b.Cast(kept, DType::kUInt64)}, {{"direction", "LEFT"}}),
      DType::kInt64);
  if (left) return b.Cast(b.Where(all, zero, b.Mul(value, power)), dtype);
  // 2^63 is negative as an int64: that shift leaves the sign alone.
  Value* top = b.Less(power, zero);
  Value* divisor = b.Where(top, b.i64(1), power);
  Value* floored = b.Div(b.Sub(value, b.Mod(value, divisor)), divisor);
  Value* sign = b.Where(b.Less(value, zero), b.i64(-1), zero);
  return b.Cast(b.Where(b.Or(all, top), sign, floored), dtype);
}

// Euclid's algorithm on all elements at once.
Value* greatest_divisor(ir::Builder& b, Value* x, Value* y) {
  Value* shape = broadcast_shape(b, {x, y});
  Value* first = b.Expand(b.Abs(x), shape);
  Value* second = b.Expand(b.Abs(y), shape);
  const auto any_left = [](ir::Builder& inner, Value* rest) {
    Value* size = inner.ReduceMax(
        inner.Concat({inner.Reshape(rest, {-1}), inner.Cast(inner.ints({0}), rest->dtype)}, 0), {}, false);
    return inner.Greater(size, inner.number_like(0, size));
  };
  const auto step = [&](ir::Builder& inner, Value*, Value*, const ir::Values& state) -> ir::Builder::LoopResult {
    Value* zero = inner.number_like(0, state[1]);
    Value* done = inner.Equal(state[1], zero);
    Value* divisor = inner.Where(done, inner.number_like(1, state[1]), state[1]);
    Value* rest = inner.Where(done, zero, inner.Mod(state[0], divisor));
    Value* larger = inner.Where(done, state[0], state[1]);
    return {any_left(inner, rest), {larger, rest}, {}};
  };
  return b.Loop(nullptr, any_left(b, second), {first, second}, step)[0];
}

}  // namespace onward::importer
