// Tensors out of shapes and numbers.
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// Fill(dims: index_type, value: T) -> output
Value* fill(Call& c) { return c.b.Expand(c.input(1), as_vector(c.b, c.input(0))); }

Items filled_like(Call& c, double value) {
  if (const auto* complex = c.item(0).get_if<Complex>()) {
    Value* number = vector_of(c.b, {value, 0}, complex->pairs->dtype);
    return {Complex{c.b.Expand(number, c.b.Shape(complex->pairs))}};
  }
  Value* x = c.input(0);
  if (x->dtype == DType::kString) {
    return {c.b.Expand(c.b.constant(ir::Tensor::of_strings({}, {""})), c.b.Shape(x))};
  }
  return {c.b.Fill(c.b.Shape(x), value, x->dtype)};
}
// ZerosLike(x: T) -> y
Items zeros_like(Call& c) { return filled_like(c, 0); }
Items ones_like(Call& c) { return filled_like(c, 1); }
// Empty(shape: int32, dtype: type, init: bool = false) -> output
Value* empty(Call& c) { return c.b.Fill(as_vector(c.b, c.input(0)), 0, c.dtype("dtype")); }

// Range(start: Tidx, limit: Tidx, delta: Tidx) -> output
Value* range(Call& c) {
  return c.b.Range(as_scalar(c.b, c.input(0)), as_scalar(c.b, c.input(1)), as_scalar(c.b, c.input(2)));
}

// LinSpace(start: T, stop: T, num: Tidx) -> output; LinSpace's last is exactly `stop`
Value* lin_space(Call& c) {
  ir::Builder& b = c.b;
  Value* start = as_scalar(b, c.input(0));
  Value* stop = as_scalar(b, c.input(1));
  Value* last = b.Sub(as_scalar(b, b.Cast(c.input(2), DType::kInt64)), b.i64(1));
  Value* number = counting(b, b.Add(last, b.i64(1)));
  Value* step = b.Div(b.Sub(stop, start), b.Cast(b.Max(last, b.i64(1)), start->dtype));
  Value* line = b.Add(start, b.Mul(b.Cast(number, start->dtype), step));
  return b.Where(b.And(b.Equal(number, last), b.Greater(last, b.i64(0))), stop, line);
}

}  // namespace

void register_creation(OpTable& t) {
  t.add("Fill", fill);
  t.add("ZerosLike", zeros_like);
  t.add("OnesLike", ones_like);
  t.add("Empty", empty);
  t.add("Range", range);
  t.add("LinSpace", lin_space);
}

}  // namespace onward::importer::tf
