// Choosing by condition or content: Where, Select, OneHot, Unique, counting, searching.
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;
using tensorflow::DataType;

// Where(condition: T) -> index: int64 [number, rank]
Value* where(Call& c) {
  Value* x = c.input(0);
  return c.b.Transpose(c.b.NonZero(x->dtype == DType::kBool ? x : c.b.Cast(x, DType::kBool)), {1, 0});
}

// Select(condition: bool, t: T, e: T) -> output; a vector chooses rows
Value* select_rows(Call& c) {
  Value* condition = c.input(0);
  if (condition->has_rank() && condition->rank() == 1 && c.input(1)->has_rank() && c.input(1)->rank() > 1) {
    condition = along(c.b, condition, 0, c.input(1)->rank());
  }
  return select(c.b, condition, c.input(1), c.input(2));
}
// SelectV2(condition: bool, t: T, e: T) -> output
Value* select_v2(Call& c) { return select(c.b, c.input(0), c.input(1), c.input(2)); }

// OneHot(indices: TI, depth: int32, on_value: T, off_value: T, axis: int = -1) -> output; ONNX's OneHot would count
// negative indices from the end.
Value* one_hot(Call& c) {
  ir::Builder& b = c.b;
  Value* indices = b.Cast(c.input(0), DType::kInt64);
  const int64_t axis = c.integer("axis", -1);
  Value* classes = counting(b, c.input(1));
  if (axis != -1) classes = along(b, classes, static_cast<size_t>(axis), indices->rank() + 1);
  return select(b, b.Equal(b.Unsqueeze(indices, {axis}), classes), c.input(2), c.input(3));
}

// --- unique ----------------------------------------------------------------------------------------------------------

// Unique(x: T, out_idx: type = int32) -> y, idx; UniqueWithCounts also -> count. In order of appearance.
ir::Values unique(Call& c) {
  ir::Builder& b = c.b;
  const DType out = c.dtype("out_idx", DataType::kInt32);
  ir::Attrs attrs{{"sorted", 0}};
  if (c.input_count() > 1) {
    const std::vector<int64_t> axis = c.constant_ints(1, "axis");
    if (!axis.empty()) attrs.set("axis", axis[0]);
  }
  Value* x = c.input(0);
  const ir::Values all = b.ops("Unique", {x}, 4, attrs);
  return {all[0], b.Cast(all[2], out), b.Cast(all[3], out)};
}
ir::Values unique_pair(Call& c) {
  ir::Values all = unique(c);
  all.pop_back();
  return all;
}

// Whether each of x is among y; both vectors.
Value* contained(ir::Builder& b, Value* x, Value* y) {
  Value* same = b.Equal(b.Unsqueeze(x, {1}), b.Unsqueeze(y, {0}));
  return b.Greater(b.ReduceSum(b.Cast(same, DType::kInt32), {1}, false), b.number(0, DType::kInt32));
}

// ListDiff(x: T, y: T, out_idx: type = int32) -> out, idx: what of x is not in y
ir::Values list_diff(Call& c) {
  ir::Builder& b = c.b;
  Value* left = b.Not(contained(b, c.input(0), c.input(1)));
  Value* index = b.Squeeze(b.NonZero(left), {0});
  return {b.Gather(c.input(0), index, 0), b.Cast(index, c.dtype("out_idx", DataType::kInt32))};
}

// DenseToDenseSetOperation(set1: T, set2: T, set_operation: string, validate_indices: bool = true) -> result_indices,
// result_values, result_shape: of each row, sorted
ir::Values set_operation(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  Value* y = c.input(1);
  const std::string kind = c.text("set_operation");
  c.require(x->dtype != DType::kString, "sets of strings are not supported");
  Value* a = b.Cast(kind == "b-a" ? y : x, DType::kInt64);
  Value* other = b.Cast(kind == "b-a" ? x : y, DType::kInt64);
  if (kind == "union") {
    a = b.Concat({a, other}, -1);
    other = nullptr;
  }
  // Sort each row; what equals its neighbour is there twice.
  const ir::Values sorted = b.ops("TopK", {a, b.dim(a, -1)}, 2, {{"axis", -1}, {"largest", 0}});
  Value* row = sorted[0];
  Value* number = counting(b, b.dim(row, -1));
  Value* before = b.Gather(row, b.Max(b.Sub(number, b.i64(1)), b.i64(0)), -1);
  Value* keep = b.Or(b.Not(b.Equal(row, before)), b.Equal(number, b.i64(0)));
  if (other != nullptr) {
    Value* same = b.Equal(b.Unsqueeze(row, {-1}), b.Unsqueeze(other, {-2}));
    Value* in = b.Greater(b.ReduceSum(b.Cast(same, DType::kInt32), {-1}, false), b.number(0, DType::kInt32));
    c.require(kind == "intersection" || kind == "a-b" || kind == "b-a",
              "the set operation \"" + kind + "\" is unknown");
    keep = b.And(keep, kind == "intersection" ? in : b.Not(in));
  }
  Value* kept = b.Cast(keep, DType::kInt64);
  Value* place = b.op("CumSum", {kept, b.i64(-1)}, {{"exclusive", 1}});
  Value* at = b.Transpose(b.NonZero(keep), {1, 0});
  Value* values = b.op("GatherND", {row, at});
  Value* column = b.Unsqueeze(b.op("GatherND", {place, at}), {-1});
  Value* indices = b.Concat({b.Slice(at, 0, -1, 1), column}, 1);
  Value* longest = b.Reshape(b.ReduceMax(b.ReduceSum(kept, {-1}, false), {}, false), {1});
  return {indices, b.Cast(values, x->dtype), b.Concat({dims(b, row, 0, -1), longest}, 0)};
}

// --- counting --------------------------------------------------------------------------------------------------------

// How often each number below `size` occurs in the last axis of `x`, or the sum of `weights` there.
Value* counts(Call& c, Value* x, Value* size, Value* weights, DType dtype, bool binary) {
  ir::Builder& b = c.b;
  x = b.Cast(x, DType::kInt64);
  size = as_vector(b, size);
  // What lies outside falls into a bin that is cut off.
  Value* inside = within(b, x, b.i64(0), as_scalar(b, size));
  Value* bin = b.Where(inside, x, size);
  Value* amounts = weights != nullptr ? b.Cast(weights, dtype) : b.Fill(b.Shape(bin), 1, dtype);
  Value* zeros = b.Fill(b.Concat({dims(b, x, 0, -1), b.Add(size, b.i64(1))}, 0), 0, dtype);
  Value* sums = b.op("ScatterElements", {zeros, bin, amounts}, {{"axis", -1}, {"reduction", binary ? "none" : "add"}});
  return b.Slice(sums, b.ints({0}), size, b.ints({-1}));
}

// Weights of size zero are none.
Value* weights_of(Call& c, size_t index) {
  Value* weights = c.input(index);
  const bool none = weights->shape && !weights->shape->empty() && weights->dim(0) == ir::Dim(0);
  return none ? nullptr : weights;
}

// Bincount(arr: int32, size: int32, weights: T) -> bins
Value* bincount(Call& c) {
  Value* weights = weights_of(c, 2);
  Value* x = c.b.Reshape(c.input(0), {-1});
  if (weights != nullptr) weights = c.b.Reshape(weights, {-1});
  return counts(c, x, c.input(1), weights, c.input(2)->dtype, false);
}
// DenseBincount(input: Tidx, size: Tidx, weights: T, binary_output: bool = false) -> output
Value* dense_bincount(Call& c) {
  return counts(c, c.input(0), c.input(1), weights_of(c, 2), c.input(2)->dtype, c.flag("binary_output"));
}

// HistogramFixedWidth(values: T, value_range: T, nbins: int32, dtype: type = int32) -> out
Value* histogram(Call& c) {
  ir::Builder& b = c.b;
  Value* x = b.Cast(b.Reshape(c.input(0), {-1}), DType::kDouble);
  Value* range = b.Cast(c.input(1), DType::kDouble);
  Value* low = b.Select(range, 0, 0);
  Value* bins = b.Cast(as_scalar(b, c.input(2)), DType::kDouble);
  Value* step = b.Div(b.Sub(b.Select(range, 1, 0), low), bins);
  Value* bin = b.Floor(b.Div(b.Sub(x, low), step));
  bin = b.Max(b.Min(bin, b.Sub(bins, 1)), 0.0);
  return counts(c, bin, c.input(2), nullptr, c.dtype("dtype", DataType::kInt32), false);
}

// LowerBound(sorted_inputs: T, values: T, out_type: type = int32) -> output: row by row, how many come before
template <bool Upper>
Value* bound(Call& c) {
  ir::Builder& b = c.b;
  const DType wide = arithmetic_dtype(c.input(0)->dtype);
  Value* sorted = b.Unsqueeze(b.Cast(c.input(0), wide), {1});
  Value* values = b.Unsqueeze(b.Cast(c.input(1), wide), {2});
  Value* before = Upper ? b.LessOrEqual(sorted, values) : b.Less(sorted, values);
  return b.Cast(b.ReduceSum(b.Cast(before, DType::kInt32), {2}, false), c.dtype("out_type", DataType::kInt32));
}

// Bucketize(input: T, boundaries: floats) -> output: int32
Value* bucketize(Call& c) {
  ir::Builder& b = c.b;
  std::vector<double> bounds;
  for (const float bound : c.numbers("boundaries")) bounds.push_back(static_cast<double>(bound));
  Value* x = b.Cast(c.input(0), ir::is_floating(c.input(0)->dtype) ? c.input(0)->dtype : DType::kDouble);
  Value* above = b.GreaterOrEqual(b.Unsqueeze(x, {-1}), vector_of(b, bounds, x->dtype));
  return b.ReduceSum(b.Cast(above, DType::kInt32), {-1}, false);
}

// ApproximateEqual(x: T, y: T, tolerance: float = 1e-05) -> z
Value* approximate_equal(Call& c) {
  Value* d = c.b.Abs(c.b.Sub(c.input(0), c.input(1)));
  return c.b.Less(d, c.b.number_like(c.number("tolerance", 1e-5), d));
}

}  // namespace

void register_selection(OpTable& t) {
  t.add("Where", where);
  t.add("Select", select_rows);
  t.add("SelectV2", select_v2);
  t.add("OneHot", one_hot);
  t.add("Unique -> y, idx", unique_pair);
  t.add("UniqueV2 -> y, idx", unique_pair);
  t.add("UniqueWithCounts -> y, idx, count", unique);
  t.add("UniqueWithCountsV2 -> y, idx, count", unique);
  t.add("ListDiff -> out, idx", list_diff);
  t.add("DenseToDenseSetOperation -> result_indices, result_values, result_shape", set_operation);
  t.add("Bincount", bincount);
  t.add("DenseBincount", dense_bincount);
  t.add("HistogramFixedWidth", histogram);
  t.add("LowerBound", bound<false>);
  t.add("UpperBound", bound<true>);
  t.add("Bucketize", bucketize);
  t.add("ApproximateEqual", approximate_equal);
}

}  // namespace onward::importer::tf
