#include "import/common/random.h"

#include <cmath>
#include <numbers>

#include "import/common/special.h"

namespace onward::importer::random {
namespace {

using ir::DType;
using ir::Value;

// ONNX Runtime draws float and double.
Value* drawn(ir::Builder& b, const char* generator, Value* shape, DType dtype) {
  const DType wide = dtype == DType::kDouble ? DType::kDouble : DType::kFloat;
  Value* like = b.Fill(shape, 0, wide);
  return b.Cast(b.op(generator, {like}, {{"dtype", wide}}), dtype);
}

// A float drawn "below 1" may round up to 1.
constexpr double kBelowOne = 1.0 - 1.0 / (1 << 24);

// Added to the logarithms of weights, the largest sum is at each class as often as its weight says (Gumbel, 1954).
Value* gumbel(ir::Builder& b, Value* shape) {
  Value* u = b.Min(uniform(b, shape, DType::kDouble), kBelowOne);
  return b.Neg(b.Log(b.Neg(b.Log(u))));
}

}  // namespace

Value* uniform(ir::Builder& b, Value* shape, DType dtype) { return drawn(b, "RandomUniformLike", shape, dtype); }

Value* normal(ir::Builder& b, Value* shape, DType dtype) { return drawn(b, "RandomNormalLike", shape, dtype); }

Value* truncated_normal(ir::Builder& b, Value* shape, DType dtype) {
  const double within = std::erf(std::numbers::sqrt2);  // the share of a normal distribution that is not cut off
  Value* spread = b.Mul(b.Sub(b.Mul(uniform(b, shape, DType::kDouble), 2), 1), within);
  return b.Cast(b.Mul(special::erfinv(b, spread), std::numbers::sqrt2), dtype);
}

Value* integers(ir::Builder& b, Value* shape, Value* low, Value* high, DType dtype) {
  low = b.Cast(low, DType::kInt64);
  high = b.Cast(high, DType::kInt64);
  Value* range = b.Cast(b.Sub(high, low), DType::kDouble);
  Value* steps = b.Cast(b.Floor(b.Mul(uniform(b, shape, DType::kDouble), range)), DType::kInt64);
  return b.Cast(b.Min(b.Add(low, steps), b.Sub(high, b.i64(1))), dtype);
}

Value* events(ir::Builder& b, Value* shape, Value* p) {
  return b.Less(uniform(b, shape, DType::kDouble), b.Cast(p, DType::kDouble));
}

Value* classes(ir::Builder& b, Value* logits, Value* count, bool replacement) {
  Value* wide = b.Cast(logits, DType::kDouble);
  if (!replacement) {
    Value* noisy = b.Add(wide, gumbel(b, b.Shape(wide)));
    return b.ops("TopK", {noisy, b.Reshape(count, {1})}, 2, {{"axis", int64_t{-1}}}).at(1);
  }
  Value* rows = b.Slice(b.Shape(wide), 0, -1, 0);
  Value* noise = gumbel(b, b.join({rows, count, b.dim(wide, -1)}));
  return b.ArgMax(b.Add(b.Unsqueeze(wide, {-2}), noise), -1, false);
}

Value* permutation(ir::Builder& b, Value* count) {
  Value* keys = uniform(b, b.Reshape(count, {1}), DType::kDouble);
  return b.ops("TopK", {keys, b.Reshape(count, {1})}, 2, {{"axis", int64_t{0}}}).at(1);
}

}  // namespace onward::importer::random
