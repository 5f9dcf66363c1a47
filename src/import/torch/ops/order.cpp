// Order statistics and sets: kthvalue, median, mode, quantile, unique, isin, searchsorted, histograms.
#include <algorithm>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// --- the k-th of a dimension -----------------------------------------------------------------------------------------

// One dimension to look along: the named one, or all of them as one.
struct Row {
  Value* x;
  int64_t axis;
  bool keepdim;
};
Row row_of(Call& c, Value* x) {
  if (!c.has("dim") || !c.given("dim")) return {c.b.Reshape(x, {-1}), 0, c.has("keepdim") && c.flag("keepdim")};
  const int64_t axis = c.axis("dim", x->rank());
  return {at_least_1d(c.b, x), axis, c.flag("keepdim") && x->rank() > 0};
}

// Values and positions in rising order.
ir::Values sorted(ir::Builder& b, Value* x, int64_t axis) {
  return b.ops("TopK", {x, b.dim(x, axis)}, 2, {{"axis", axis}, {"largest", 0}, {"sorted", 1}});
}
ir::Values picked(ir::Builder& b, const ir::Values& both, Value* place, const Row& row) {
  ir::Values results;
  for (Value* value : both) {
    Value* found = place->rank() <= 1 ? b.Gather(value, place, row.axis)
                                      : b.op("GatherElements", {value, place}, {{"axis", row.axis}});
    results.push_back(row.keepdim ? found : b.Squeeze(found, {row.axis}));
  }
  return results;
}
ir::Values kthvalue(Call& c) {
  ir::Builder& b = c.b;
  const Row row = row_of(c, c.tensor("self"));
  Value* k = b.Unsqueeze(c.int_scalar("k"), {0});
  const ir::Values lowest = b.ops("TopK", {row.x, k}, 2, {{"axis", row.axis}, {"largest", 0}, {"sorted", 1}});
  return picked(b, lowest, b.Sub(k, b.ints({1})), row);
}

// The lower of the two middle ones. NaN counts as the largest: it wins, or is left out.
ir::Values median_of(Call& c, bool skip_nan) {
  ir::Builder& b = c.b;
  const Row row = row_of(c, c.tensor("self"));
  const bool floats = ir::is_floating(row.x->dtype);
  Value* top = floats ? b.number_like(std::numeric_limits<double>::infinity(), row.x) : nullptr;
  Value* nan = floats ? b.IsNaN(row.x) : nullptr;
  const ir::Values both = sorted(b, floats && skip_nan ? b.Where(nan, top, row.x) : row.x, row.axis);
  Value* count = b.dim(row.x, row.axis);
  if (floats && skip_nan) count = b.ReduceSum(b.Cast(b.Not(nan), DType::kInt64), {row.axis}, true);
  Value* place = b.Max(b.Div(b.Sub(count, b.ints({1})), b.ints({2})), b.ints({0}));
  ir::Values result = picked(b, both, place, row);
  if (!floats) return result;
  // All NaN, or any: the first of them.
  Value* nans = b.Cast(nan, DType::kInt32);
  Value* bad = b.Cast(b.reduce(skip_nan ? "ReduceMin" : "ReduceMax", nans, {row.axis}, row.keepdim), DType::kBool);
  Value* first = b.ArgMax(nans, row.axis, row.keepdim);
  return {b.Where(bad, b.number_like(std::numeric_limits<double>::quiet_NaN(), row.x), result[0]),
          b.Where(bad, first, result[1])};
}
template <bool SkipNan>
Value* median(Call& c) {
  return median_of(c, SkipNan)[0];
}
template <bool SkipNan>
ir::Values median_along(Call& c) {
  return median_of(c, SkipNan);
}

// The smallest of the most frequent values, and the last place where it stands.
ir::Values mode(Call& c) {
  ir::Builder& b = c.b;
  Value* x = at_least_1d(b, c.tensor("self"));
  const bool scalar = c.tensor("self")->rank() == 0;
  const int64_t axis = c.axis("dim", x->rank());
  Value* moved = move_axis(b, x, axis, -1);
  Value* equal = b.Equal(b.Unsqueeze(moved, {-1}), b.Unsqueeze(moved, {-2}));
  Value* counts = b.ReduceSum(b.Cast(equal, DType::kInt64), {-1}, false);
  Value* frequent = b.Equal(counts, b.ReduceMax(counts, {-1}));
  // Among the frequent ones: the first in rising order.
  const ir::Values order = sorted(b, moved, static_cast<int64_t>(x->rank()) - 1);
  Value* frequent_in_order = b.op("GatherElements", {b.Cast(frequent, DType::kInt32), order[1]}, {{"axis", -1}});
  Value* first = b.ArgMax(frequent_in_order, -1, true);
  Value* value = b.op("GatherElements", {order[0], first}, {{"axis", -1}});
  Value* same = b.Cast(b.Equal(moved, value), DType::kInt32);
  Value* place = b.op("ArgMax", {same}, {{"axis", -1}, {"keepdims", 1}, {"select_last_index", 1}});
  ir::Values results{value, place};
  for (Value*& result : results) {
    result = c.flag("keepdim") && !scalar ? move_axis(b, result, -1, axis) : b.Squeeze(result, {-1});
  }
  return results;
}

// --- quantiles -------------------------------------------------------------------------------------------------------

// aten::quantile(Tensor self, Tensor q | float q, int? dim=None, bool keepdim=False, *, str interpolation='linear')
Value* quantile_of(Call& c, bool skip_nan) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const size_t rank = x->rank();
  const bool flat = !c.given("dim");
  const int64_t axis = flat ? 0 : c.axis("dim", rank);
  Value* q = c.arg("q").is_tensor() ? b.Cast(c.tensor("q"), x->dtype) : c.scalar("q", x->dtype);
  const bool several = q->rank() == 1;
  Value* moved = flat ? b.Reshape(x, {-1}) : move_axis(b, at_least_1d(b, x), axis, -1);
  Value* nan = b.IsNaN(moved);
  Value* top = b.number_like(std::numeric_limits<double>::infinity(), x);
  Value* order = sorted(b, b.Where(nan, top, moved), static_cast<int64_t>(moved->rank()) - 1)[0];
  // Positions, [rows, quantiles].
  Value* valid = skip_nan ? b.ReduceSum(b.Cast(b.Not(nan), DType::kInt64), {-1})
                          : b.Expand(b.dim(moved, -1), b.Shape(b.ReduceMax(b.Cast(nan, DType::kInt32), {-1})));
  Value* last = b.Cast(b.Max(b.Sub(valid, b.i64(1)), b.i64(0)), x->dtype);
  Value* position = b.Mul(last, several ? q : b.Unsqueeze(q, {0}));
  const std::string interpolation = c.has("interpolation") ? c.text("interpolation") : "linear";
  if (interpolation == "nearest") position = b.Round(position);
  if (interpolation == "lower") position = b.Floor(position);
  if (interpolation == "higher") position = b.Ceil(position);
  const auto at = [&](Value* place) {
    return b.op("GatherElements", {order, b.Cast(place, DType::kInt64)}, {{"axis", -1}});
  };
  Value* lower = b.Floor(position);
  Value* low = at(lower);
  Value* result = low;
  if (interpolation == "linear" || interpolation == "midpoint") {
    Value* high = at(b.Ceil(position));
    Value* weight = interpolation == "linear" ? b.Sub(position, lower) : b.number_like(0.5, x);
    result = b.Where(b.Equal(low, high), low, b.Add(low, b.Mul(b.Sub(high, low), weight)));
  }
  Value* nans = b.Cast(nan, DType::kInt32);
  Value* bad = b.Cast(b.reduce(skip_nan ? "ReduceMin" : "ReduceMax", nans, {-1}, true), DType::kBool);
  result = b.Where(bad, b.number_like(std::numeric_limits<double>::quiet_NaN(), x), result);
  // The quantiles' dimension goes first; the one looked along stays as 1 where asked for.
  result = several ? move_axis(b, result, -1, 0) : b.Squeeze(result, {-1});
  if (!c.flag("keepdim") || rank == 0) return result;
  const int64_t before = several ? 1 : 0;
  if (!flat) return b.Unsqueeze(result, {axis + before});
  std::vector<int64_t> axes = all_axes(rank);
  for (int64_t& at_axis : axes) at_axis += before;
  return b.Unsqueeze(result, axes);
}
Value* quantile(Call& c) { return quantile_of(c, false); }
Value* nanquantile(Call& c) { return quantile_of(c, true); }

// --- sets ------------------------------------------------------------------------------------------------------------

Value* nothing(Call& c) { return c.b.constant(ir::Tensor::filled(DType::kInt64, {0}, 0)); }

// Values, inverse, counts; what is not asked for is empty.
ir::Values unique(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  ir::Attrs attrs{{"sorted", 1}};
  const bool flat = !c.has("dim");
  if (!flat) attrs.set("axis", c.axis("dim", x->rank()));
  const ir::Values found = b.ops("Unique", {x}, 4, attrs);
  Value* inverse = flat && x->rank() != 1 ? b.Reshape(found[2], b.Shape(x)) : found[2];
  return {found[0], !c.has("return_inverse") || c.flag("return_inverse") ? inverse : nothing(c),
          c.has("return_counts") && c.flag("return_counts") ? found[3] : nothing(c)};
}
// Each run of equal neighbours once.
ir::Values unique_consecutive(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const bool flat = !c.given("dim");
  const int64_t axis = flat ? 0 : c.axis("dim", x->rank());
  Value* rows = flat ? b.Reshape(x, {-1}) : x;
  Value* count = b.dim(rows, axis);
  Value* changed = b.Not(b.Equal(b.Slice(rows, 1, kToEnd, axis), b.Slice(rows, 0, -1, axis)));
  std::vector<int64_t> others = all_axes(rows->rank());
  others.erase(others.begin() + axis);
  if (!others.empty()) changed = b.Cast(b.ReduceMax(b.Cast(changed, DType::kInt32), others, false), DType::kBool);
  Value* starts = b.Concat({b.Expand(b.boolean(true), b.ints({1})), changed}, 0);
  starts = b.Slice(starts, b.ints({0}), count, b.ints({0}));
  Value* values = b.op("Compress", {rows, starts}, {{"axis", axis}});
  Value* inverse = b.Sub(b.op("CumSum", {b.Cast(starts, DType::kInt64), b.i64(0)}), b.i64(1));
  Value* places = b.Squeeze(b.NonZero(starts), {0});
  Value* counts = b.Sub(b.Concat({b.Slice(places, 1, kToEnd, 0), count}, 0), places);
  if (flat && x->rank() != 1) inverse = b.Reshape(inverse, b.Shape(x));
  return {values, c.flag("return_inverse") ? inverse : nothing(c), c.flag("return_counts") ? counts : nothing(c)};
}

// aten::isin.*(elements, test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor
Value* isin(Call& c) {
  ir::Builder& b = c.b;
  const char* element = c.has("elements") ? "elements" : "element";
  const char* test = c.has("test_elements") ? "test_elements" : "test_element";
  const ir::Values x = c.promoted({element, test});
  Value* equal = b.Equal(b.Unsqueeze(x[0], {-1}), b.Reshape(x[1], {-1}));
  Value* any = b.Cast(b.ReduceMax(b.Concat({b.Cast(equal, DType::kInt32),
                                            b.Expand(b.number(0, DType::kInt32), b.Shape(b.Unsqueeze(x[0], {-1})))},
                                           -1),
                                  {-1}, false),
                      DType::kBool);
  return c.flag("invert") ? b.Not(any) : any;
}

// How many of the sorted numbers lie before each value.
Value* insertion_points(Call& c, Value* sequence, Value* values, bool right) {
  ir::Builder& b = c.b;
  const DType dtype = promote_types(sequence->dtype, values->dtype);
  Value* row = b.Cast(sequence, dtype);
  if (row->rank() > 1) row = b.Unsqueeze(row, {-2});
  Value* column = b.Unsqueeze(b.Cast(values, dtype), {-1});
  Value* behind = right ? b.Greater(row, column) : b.GreaterOrEqual(row, column);
  Value* count = b.ReduceSum(b.Cast(b.Not(behind), DType::kInt64), {-1}, false);
  return c.flag("out_int32") ? b.Cast(count, DType::kInt32) : count;
}
Value* searchsorted(Call& c) {
  ir::Builder& b = c.b;
  Value* sequence = c.tensor("sorted_sequence");
  if (Value* sorter = c.maybe_tensor("sorter")) {
    sequence = b.op("GatherElements", {sequence, sorter}, {{"axis", -1}});
  }
  const bool right = c.flag("right") || (c.given("side") && c.text("side") == "right");
  return insertion_points(c, sequence, c.tensor("self"), right);
}
Value* bucketize(Call& c) { return insertion_points(c, c.tensor("boundaries"), c.tensor("self"), c.flag("right")); }

// --- counting --------------------------------------------------------------------------------------------------------

// aten::bincount(Tensor self, Tensor? weights=None, SymInt minlength=0) -> Tensor
Value* bincount(Call& c) {
  ir::Builder& b = c.b;
  Value* x = b.Cast(c.tensor("self"), DType::kInt64);
  Value* least = b.Unsqueeze(b.Sub(c.int_scalar("minlength"), b.i64(1)), {0});
  Value* size = b.Add(b.ReduceMax(b.Concat({x, least}, 0), {0}), b.ints({1}));
  Value* weights = c.maybe_tensor("weights");
  if (weights == nullptr) weights = b.Expand(b.i64(1), b.Shape(x));
  if (c.given("weights") && weights->dtype != DType::kFloat) weights = b.Cast(weights, DType::kDouble);
  return b.op("ScatterElements", {b.Fill(size, 0, weights->dtype), x, weights}, {{"axis", 0}, {"reduction", "add"}});
}

// The range of a histogram: what is given, else the data's; one wide around a single value.
struct Range {
  Value* low;
  Value* high;
};
Range widened(ir::Builder& b, Value* low, Value* high, double by = 1) {
  Value* same = b.Equal(low, high);
  return {b.Where(same, b.Sub(low, by), low), b.Where(same, b.Add(high, by), high)};
}
Range range_of_data(ir::Builder& b, Value* x, double by = 1) {
  return widened(b, b.ReduceMin(x, {}, false), b.ReduceMax(x, {}, false), by);
}

Value* histc(Call& c) {
  ir::Builder& b = c.b;
  Value* x = b.Reshape(c.tensor("self"), {-1});
  const DType dtype = x->dtype;
  const int64_t bins = c.integer("bins");
  const bool from_data = c.number("min") == c.number("max");
  const Range range = from_data && c.number("min") == 0
                          ? range_of_data(b, x)
                          : widened(b, b.number(c.number("min"), dtype), b.number(c.number("max"), dtype));
  Value* scaled = b.Div(b.Mul(b.Sub(x, range.low), static_cast<double>(bins)), b.Sub(range.high, range.low));
  Value* place = b.Cast(b.Min(b.Max(b.Floor(scaled), 0.0), static_cast<double>(bins - 1)), DType::kInt64);
  Value* inside = b.And(b.GreaterOrEqual(x, range.low), b.LessOrEqual(x, range.high));
  return b.op("ScatterElements", {b.Fill(b.ints({bins}), 0, dtype), place, b.Cast(inside, dtype)},
              {{"axis", 0}, {"reduction", "add"}});
}

// Counts (or weights, or densities) between edges.
ir::Values histogram_between(Call& c, Value* x, Value* edges) {
  ir::Builder& b = c.b;
  const DType dtype = x->dtype;
  Value* flat = b.Reshape(x, {-1});
  Value* column = b.Unsqueeze(flat, {1});
  Value* left = b.Slice(edges, 0, -1, 0);
  Value* right = b.Slice(edges, 1, kToEnd, 0);
  Value* last = b.Slice(edges, -1, kToEnd, 0);
  Value* below = b.Or(b.Less(column, right), b.And(b.Equal(right, last), b.Equal(column, last)));
  Value* inside = b.Cast(b.And(b.GreaterOrEqual(column, left), below), dtype);
  Value* weight = c.maybe_tensor("weight");
  if (weight != nullptr) inside = b.Mul(inside, b.Reshape(weight, {-1, 1}));
  Value* counts = b.ReduceSum(inside, {0}, false);
  if (c.flag("density")) counts = b.Div(b.Div(counts, b.ReduceSum(counts, {}, false)), b.Sub(right, left));
  return {counts, edges};
}
ir::Values histogram(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  if (c.arg("bins").is_tensor()) return histogram_between(c, x, c.tensor("bins"));
  const int64_t bins = c.integer("bins");
  Range range{};
  if (c.given("range")) {
    const std::vector<double> given = c.numbers("range");
    range = widened(b, b.number_like(given.at(0), x), b.number_like(given.at(1), x), 0.5);
  } else {
    range = range_of_data(b, x, 0.5);
  }
  std::vector<double> steps;
  for (int64_t i = 0; i <= bins; ++i) steps.push_back(static_cast<double>(i));
  Value* width = b.Div(b.Sub(range.high, range.low), static_cast<double>(bins));
  // From the nearer end, as linspace does.
  Value* count = vector_of(b, steps, x->dtype);
  Value* rising = b.Add(b.Mul(count, width), range.low);
  Value* falling = b.Sub(range.high, b.Mul(b.Sub(b.number_like(static_cast<double>(bins), x), count), width));
  Value* first_half = b.Less(count, b.number_like(static_cast<double>(bins + 1) / 2, x));
  return histogram_between(c, x, b.Where(first_half, rising, falling));
}

}  // namespace

void register_order(OpTable& t) {
  const std::string both = " -> (Tensor values, Tensor indices)";
  t.add("aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False)" + both, kthvalue);
  t.add("aten::median(Tensor self) -> Tensor", median<false>);
  t.add("aten::nanmedian(Tensor self) -> Tensor", median<true>);
  t.add("aten::median.dim(Tensor self, int dim, bool keepdim=False)" + both, median_along<false>);
  t.add("aten::nanmedian.dim(Tensor self, int dim, bool keepdim=False)" + both, median_along<true>);
  t.add("aten::mode(Tensor self, int dim=-1, bool keepdim=False)" + both, mode);
  const std::string rest = ", int? dim=None, bool keepdim=False, *, str interpolation='linear') -> Tensor";
  for (const auto& [name, translate] : std::initializer_list<std::pair<const char*, TranslateOne>>{
           {"quantile", quantile}, {"nanquantile", nanquantile}}) {
    t.add("aten::" + std::string(name) + "(Tensor self, Tensor q" + rest, translate);
    t.add("aten::" + std::string(name) + ".scalar(Tensor self, float q" + rest, translate);
  }
  const std::string flags =
      "bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)";
  t.add("aten::_unique2(Tensor self, " + flags, unique);
  t.add("aten::_unique(Tensor self, bool sorted=True, bool return_inverse=False) -> (Tensor, Tensor)", [](Call& c) {
    ir::Values all = unique(c);
    all.pop_back();
    return all;
  });
  t.add("aten::unique_dim(Tensor self, int dim, " + flags, unique);
  t.add(
      "aten::unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None) -> "
      "(Tensor, Tensor, Tensor)",
      unique_consecutive);
  const std::string set_flags = ", *, bool assume_unique=False, bool invert=False) -> Tensor";
  t.add("aten::isin.Tensor_Tensor(Tensor elements, Tensor test_elements" + set_flags, isin);
  t.add("aten::isin.Tensor_Scalar(Tensor elements, Scalar test_element" + set_flags, isin);
  t.add("aten::isin.Scalar_Tensor(Scalar element, Tensor test_elements" + set_flags, isin);
  const std::string search =
      "*, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor";
  t.add("aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, " + search, searchsorted);
  t.add("aten::searchsorted.Scalar(Tensor sorted_sequence, Scalar self, " + search, searchsorted);
  const std::string buckets = "Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor";
  t.add("aten::bucketize.Tensor(Tensor self, " + buckets, bucketize);
  t.add("aten::bucketize.Scalar(Scalar self, " + buckets, bucketize);
  t.add("aten::bincount(Tensor self, Tensor? weights=None, SymInt minlength=0) -> Tensor", bincount);
  t.add("aten::histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor", histc);
  const std::string end = ", Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor bin_edges)";
  t.add("aten::histogram.bins_tensor(Tensor self, Tensor bins, *" + end, histogram);
  t.add("aten::histogram.bin_ct(Tensor self, int bins=100, *, float[]? range=None" + end, histogram);
}

}  // namespace onward::importer::torch
