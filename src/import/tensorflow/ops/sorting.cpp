// The greatest and smallest elements.
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;
using tensorflow::DataType;

ir::Values top(Call& c, Value* k) {
  Value* x = c.input(0);
  const DType wide = arithmetic_dtype(x->dtype);
  const ir::Values both = c.b.ops("TopK", {c.b.Cast(x, wide), k}, 2, {{"axis", -1}, {"sorted", 1}});
  return {c.b.Cast(both[0], x->dtype), c.b.Cast(both[1], c.dtype("index_type", DataType::kInt32))};
}
// TopKV2(input: T, k: Tk, sorted: bool = true, index_type: type = int32) -> values, indices
ir::Values top_k_v2(Call& c) { return top(c, as_vector(c.b, c.input(1))); }
// TopK(input: T, k: int, sorted: bool = true) -> values, indices
ir::Values top_k(Call& c) { return top(c, c.b.ints({c.integer("k")})); }

// ApproxTopK(input: T, k: int, reduction_dimension: int = -1, recall_target: float = 0.95, is_max_k: bool = true, …) ->
// values, indices
ir::Values approximate_top_k(Call& c) {
  Value* x = c.input(0);
  const ir::Values both = c.b.ops("TopK", {x, c.b.ints({c.integer("k")})}, 2,
                                  {{"axis", c.axis(c.integer("reduction_dimension", -1), x)},
                                   {"largest", c.flag("is_max_k", true)},
                                   {"sorted", 1}});
  return {both[0], c.b.Cast(both[1], DType::kInt32)};
}

// NthElement(input: T, n: int32, reverse: bool = false) -> values
Value* nth_element(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  Value* n = as_vector(b, c.input(1));
  const ir::Values both = b.ops("TopK", {b.Cast(x, arithmetic_dtype(x->dtype)), b.Add(n, b.i64(1))}, 2,
                                {{"axis", -1}, {"sorted", 1}, {"largest", c.flag("reverse")}});
  return b.Cast(b.Gather(both[0], as_scalar(b, n), -1), x->dtype);
}

// InTopKV2(predictions: float, targets: T, k: T) -> precision: whether fewer than k predictions are greater than the
// target's, which must be a finite number's
Value* in_top(Call& c, Value* k) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  Value* classes = b.dim_scalar(x, 1);
  Value* target = b.Cast(c.input(1), DType::kInt64);
  Value* valid = within(b, target, b.i64(0), classes);
  Value* index = b.Unsqueeze(b.Where(valid, target, b.i64(0)), {1});
  Value* chosen = b.op("GatherElements", {x, index}, {{"axis", 1}});
  Value* greater = b.ReduceSum(b.Cast(b.Greater(x, chosen), DType::kInt64), {1}, false);
  Value* finite = b.Not(b.Or(b.IsInf(b.Squeeze(chosen, {1})), b.IsNaN(b.Squeeze(chosen, {1}))));
  return b.And(b.And(valid, finite), b.Less(greater, k));
}
Value* in_top_k_v2(Call& c) { return in_top(c, as_scalar(c.b, c.b.Cast(c.input(2), DType::kInt64))); }
// InTopK(predictions: float, targets: T, k: int) -> precision
Value* in_top_k(Call& c) { return in_top(c, c.b.i64(c.integer("k"))); }

}  // namespace

void register_sorting(OpTable& t) {
  t.add("TopKV2 -> values, indices", top_k_v2);
  t.add("TopK -> values, indices", top_k);
  t.add("ApproxTopK -> values, indices", approximate_top_k);
  t.add("NthElement", nth_element);
  t.add("InTopKV2", in_top_k_v2);
  t.add("InTopK", in_top_k);
}

}  // namespace onward::importer::tf
