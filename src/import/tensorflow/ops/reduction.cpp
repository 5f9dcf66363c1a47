// Reductions over axes, and running ones along an axis.
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;
using tensorflow::DataType;

// `x` reduced over the axes of input 1, which may be computed; none of them: not at all.
Value* reduced(Call& c, std::string_view type, Value* x) {
  Value* axes = as_vector(c.b, c.input(1));
  // ONNX takes the norm of each element then; the others give it back.
  if (axes->is_constant() && axes->constant()->count() == 0 && type != "ReduceL2") return x;
  const int64_t keep = c.flag("keep_dims", c.flag("keepdims")) ? 1 : 0;
  return c.b.op(type, {x, axes}, {{"keepdims", keep}, {"noop_with_empty_axes", 1}});
}

const char* reduction_of(const std::string& op) {
  if (op == "Max") return "ReduceMax";
  if (op == "Min") return "ReduceMin";
  if (op == "Mean") return "ReduceMean";
  if (op == "Prod") return "ReduceProd";
  return "ReduceSum";
}

// Sum(input: T, reduction_indices: Tidx, keep_dims: bool = false) -> output; Max, Min, Mean, Prod likewise
Items reduce(Call& c) {
  if (const auto* complex = c.item(0).get_if<Complex>()) {
    const bool linear = c.node().op == "Sum" || c.node().op == "Mean";
    c.require(linear, "complex numbers are not supported here");
    Value* axes = as_vector(c.b, c.input(1));
    Value* moved = c.b.Where(c.b.Less(axes, c.b.i64(0)), c.b.Sub(axes, c.b.i64(1)), axes);
    const int64_t keep = c.flag("keep_dims") ? 1 : 0;
    return {Complex{
        c.b.op(reduction_of(c.node().op), {complex->pairs, moved}, {{"keepdims", keep}, {"noop_with_empty_axes", 1}})}};
  }
  Value* x = c.input(0);
  const DType wide = arithmetic_dtype(x->dtype);
  return {c.b.Cast(reduced(c, reduction_of(c.node().op), c.b.Cast(x, wide)), x->dtype)};
}

// EuclideanNorm(input: T, reduction_indices: Tidx, keep_dims: bool = false) -> output
Value* euclidean_norm(Call& c) {
  Value* x = c.input(0);
  const DType wide = ir::is_floating(x->dtype) ? arithmetic_dtype(x->dtype) : DType::kDouble;
  Value* root = c.b.Cast(x, wide);
  return c.b.Cast(c.b.Sqrt(reduced(c, "ReduceSum", c.b.Mul(root, root))), x->dtype);
}

Value* any_of(Call& c, Value* x) {
  return c.b.Greater(reduced(c, "ReduceSum", c.b.Cast(x, DType::kInt32)), c.b.number(0, DType::kInt32));
}
// Any(input: bool, reduction_indices: Tidx, keep_dims: bool = false) -> output
Value* any(Call& c) { return any_of(c, c.input(0)); }
// All(input: bool, reduction_indices: Tidx, keep_dims: bool = false) -> output
Value* all(Call& c) { return c.b.Not(any_of(c, c.b.Not(c.input(0)))); }

// ArgMax(input: T, dimension: Tidx, output_type: type = int64) -> output: the first of equals
template <bool Max>
Value* arg_extreme(Call& c) {
  Value* x = c.input(0);
  const int64_t axis = c.input_count() > 1 ? c.constant_int(1, "axis") : 0;
  if (!ir::is_floating(x->dtype)) x = c.b.Cast(x, arithmetic_dtype(x->dtype));
  Value* index = Max ? c.b.ArgMax(x, axis, false) : c.b.ArgMin(x, axis, false);
  return c.b.Cast(index, c.dtype("output_type", DataType::kInt64));
}

// --- running reductions ----------------------------------------------------------------------------------------------

// Cumsum(x: T, axis: Tidx, exclusive: bool = false, reverse: bool = false) -> out
Value* cumsum(Call& c) {
  Value* x = c.input(0);
  const DType wide = arithmetic_dtype(x->dtype);
  Value* sum = c.b.op("CumSum", {c.b.Cast(x, wide), as_scalar(c.b, c.input(1))},
                      {{"exclusive", c.flag("exclusive")}, {"reverse", c.flag("reverse")}});
  return c.b.Cast(sum, x->dtype);
}

// The running result along an axis, one step after another, from `start` on.
template <class Step>
Value* running(Call& c, Value* x, double start, const Step& step) {
  ir::Builder& b = c.b;
  const bool exclusive = c.flag("exclusive");
  const bool reverse = c.flag("reverse");
  const auto axis = static_cast<size_t>(c.axis(c.constant_int(1, "axis"), x));
  Value* front = move_axis(b, x, axis, 0);
  if (reverse) front = flipped(b, front, {0});
  Value* initial = b.Fill(dims(b, front, 1), start, x->dtype);
  if (front->shape) initial->shape = ir::Shape(front->shape->begin() + 1, front->shape->end());
  const ir::Values results = b.Scan(
      {initial}, {front},
      [&](ir::Builder& inner, const ir::Values& state, const ir::Values& slices) -> ir::Builder::ScanResult {
        Value* next = step(inner, state[0], slices[0]);
        return {{next}, {exclusive ? state[0] : next}};
      },
      1);
  Value* result = results[1];
  if (reverse) result = flipped(b, result, {0});
  return move_axis(b, result, 0, axis);
}

// Cumprod(x: T, axis: Tidx, exclusive: bool = false, reverse: bool = false) -> out
Value* cumprod(Call& c) {
  Value* x = c.input(0);
  Value* wide = c.b.Cast(x, arithmetic_dtype(x->dtype));
  return c.b.Cast(running(c, wide, 1, [](ir::Builder& b, Value* a, Value* y) { return b.Mul(a, y); }), x->dtype);
}

// CumulativeLogsumexp(x: T, axis: Tidx, exclusive: bool = false, reverse: bool = false) -> out
Value* cumulative_logsumexp(Call& c) {
  Value* x = c.input(0);
  return running(c, x, lowest(x->dtype), [](ir::Builder& b, Value* a, Value* y) {
    Value* large = b.Max(a, y);
    Value* nothing = b.Equal(large, b.number_like(lowest(large->dtype), large));
    Value* base = b.Where(nothing, b.number_like(0, large), large);
    return b.Add(b.Log(b.Add(b.Exp(b.Sub(a, base)), b.Exp(b.Sub(y, base)))), base);
  });
}

}  // namespace

void register_reduction(OpTable& t) {
  for (const char* name : {"Sum", "Max", "Min", "Mean", "Prod"}) t.add(name, reduce);
  t.add("EuclideanNorm", euclidean_norm);
  t.add("Any", any);
  t.add("All", all);
  t.add("ArgMax", arg_extreme<true>);
  t.add("ArgMin", arg_extreme<false>);
  t.add("Cumsum", cumsum);
  t.add("Cumprod", cumprod);
  t.add("CumulativeLogsumexp", cumulative_logsumexp);
}

}  // namespace onward::importer::tf
