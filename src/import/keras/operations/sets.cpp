// Which elements: membership, order, counting, places.
#include "import/common/axes.h"
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

Value* any(Builder& b, Value* truth, int64_t axis) {
  return b.Cast(b.ReduceMax(b.Cast(truth, DType::kInt32), {axis}, false), DType::kBool);
}

// isin(x1, x2, assume_unique=False, invert=False)
ir::Values is_in(const Arguments& a) {
  Builder& b = a.b;
  const auto [x, set] = a.operands("x1", "x2");
  Value* members = b.Reshape(set, {-1});
  Value* found = any(b, b.Equal(b.Unsqueeze(x, {-1}), members), -1);
  return {a.flag("invert", false) ? b.Not(found) : found};
}

// searchsorted(sorted_sequence, values, side="left"): how many lie before each value
ir::Values search_sorted(const Arguments& a) {
  Builder& b = a.b;
  const auto [sequence, values] = a.operands("sorted_sequence", "values");
  Value* column = b.Unsqueeze(values, {-1});
  Value* before = a.text("side", "left") == "right" ? b.LessOrEqual(sequence, column) : b.Less(sequence, column);
  return {b.ReduceSum(b.Cast(before, DType::kInt32), {-1}, false)};
}

// argpartition(x, kth, axis=-1) of a vector: TensorFlow's order, which looks at whole numbers
ir::Values argpartition(const Arguments& a) {
  Builder& b = a.b;
  Value* x = b.Cast(a.value("x"), DType::kInt32);
  a.require(x->rank() == 1, "of more than one dimension is not supported");
  Value* size = b.dim(x, 0);
  Value* count = b.Min(b.ints({a.integer("kth", 0) + 1}), size);
  const auto first = [&](Value* values, Value* number) {
    return b.ops("TopK", {values, number}, 2, {{"axis", 0}, {"largest", 1}, {"sorted", 1}})[1];
  };
  Value* bottom = first(b.Neg(x), count);
  Value* cleared = b.op("ScatterElements", {x, bottom, b.Fill(count, 0, x->dtype)}, {{"axis", 0}});
  return {b.Cast(b.Concat({bottom, first(cleared, b.Sub(size, count))}, 0), DType::kInt32)};
}

// nonzero(x): a vector of places for each axis
ir::Values nonzero(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* places = b.Cast(b.NonZero(b.Cast(x, DType::kBool)), DType::kInt32);
  ir::Values axes;
  for (size_t i = 0; i < x->rank(); ++i) axes.push_back(b.Select(places, static_cast<int64_t>(i), 0));
  return axes;
}

// unravel_index(indices, shape)
ir::Values unravel_index(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("indices");
  const DType dtype = x->dtype;
  Value* rest = b.Cast(x, DType::kInt64);
  std::vector<int64_t> shape = a.ints("shape");
  // Keras goes through the shape from the front where the indices are no vector, and gives the results backwards.
  if (x->rank() != 1) std::reverse(shape.begin(), shape.end());
  ir::Values places(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    Value* size = b.i64(shape[i]);
    places[i] = b.Cast(b.Mod(rest, size), dtype);
    rest = b.Div(b.Sub(rest, b.Mod(rest, size)), size);
  }
  return places;
}

// histogram(x, bins=10, range=None) → counts, edges
ir::Values histogram(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  a.require(ir::is_floating(x->dtype), "of whole numbers is not supported");
  const int64_t bins = a.integer("bins", 10);
  a.require(bins > 0 && bins <= (1 << 20), "bins is out of range");
  Value* flat = b.Unsqueeze(b.Reshape(x, {-1}), {1});
  const Json& range = a.json("range");
  Value* low = range.is_array() ? b.number_like(range.at(size_t{0}).as_double(), x) : b.ReduceMin(x, {}, false);
  Value* high = range.is_array() ? b.number_like(range.at(size_t{1}).as_double(), x) : b.ReduceMax(x, {}, false);
  Value* number = counting(b, b.i64(bins + 1));
  Value* step = b.Div(b.Sub(high, low), static_cast<double>(bins));
  Value* edges = b.Add(low, b.Mul(b.Cast(number, x->dtype), step));
  edges = b.Where(b.Equal(number, b.i64(bins)), high, edges);
  Value* inside = b.And(b.GreaterOrEqual(flat, low), b.LessOrEqual(flat, high));
  Value* inner = b.Slice(edges, 1, -1, 0);
  Value* place = b.ReduceSum(b.Cast(b.LessOrEqual(inner, flat), DType::kInt64), {1});
  Value* here = b.And(inside, b.Equal(place, counting(b, b.i64(bins))));
  return {b.ReduceSum(b.Cast(here, x->dtype), {0}, false), edges};
}

// bincount(x, weights=None, minlength=0) of each row
ir::Values bincount(const Arguments& a) {
  Builder& b = a.b;
  a.require(!a.flag("sparse", false), "a sparse result is not supported");
  Value* x = b.Cast(a.value("x"), DType::kInt64);
  Value* greatest = b.ReduceMax(b.Concat({b.Reshape(x, {-1}), b.ints({a.integer("minlength", 0) - 1})}, 0), {0});
  Value* classes = counting(b, b.Add(greatest, b.ints({1})));
  Value* hits = b.Equal(b.Unsqueeze(x, {-1}), classes);
  if (!a.has("weights")) return {b.ReduceSum(b.Cast(hits, DType::kInt32), {-2}, false)};
  Value* weights = a.value("weights");
  const DType dtype = common_dtype(a.value("x")->dtype, weights->dtype);
  return {b.ReduceSum(b.Mul(b.Cast(hits, dtype), b.Unsqueeze(b.Cast(weights, dtype), {-1})), {-2}, false)};
}

// unique(x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None)
ir::Values unique(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  a.require(!a.has("size"), "with a fixed size is not supported");
  ir::Attrs attrs{{"sorted", a.flag("sorted", true)}};
  if (a.has("axis")) attrs.set("axis", a.axis("axis", x, 0));
  const ir::Values found = b.ops("Unique", {x}, 4, std::move(attrs));
  ir::Values results{found[0]};
  if (a.flag("return_index", false)) results.push_back(b.Cast(found[1], DType::kInt32));
  if (a.flag("return_inverse", false)) {
    Value* inverse = b.Cast(found[2], DType::kInt32);
    results.push_back(a.has("axis") ? inverse : b.Reshape(inverse, b.Shape(x)));
  }
  if (a.flag("return_counts", false)) results.push_back(b.Cast(found[3], DType::kInt32));
  return results;
}

// select(condlist, choicelist, default=0): the first choice whose condition holds
ir::Values select(const Arguments& a) {
  Builder& b = a.b;
  const ir::Values conditions = a.values("condlist");
  ir::Values choices = a.values("choicelist");
  a.require(conditions.size() == choices.size() && !choices.empty(), "conditions and choices differ in number");
  DType dtype = choices.front()->dtype;
  for (const Value* choice : choices) dtype = common_dtype(dtype, choice->dtype);
  Value* result = a.has("default") ? a.from_json(a.json("default"), dtype) : b.number(0, dtype);
  dtype = common_dtype(dtype, result->dtype);
  result = b.Cast(result, dtype);
  for (size_t i = choices.size(); i-- > 0;) {
    result = b.Where(b.Cast(conditions[i], DType::kBool), b.Cast(choices[i], dtype), result);
  }
  return {result};
}

// in_top_k(targets, predictions, k)
ir::Values in_top_k(const Arguments& a) {
  Builder& b = a.b;
  Value* scores = a.value("predictions");
  Value* target = b.Unsqueeze(b.Cast(a.value("targets"), DType::kInt64), {1});
  Value* own = b.op("GatherElements", {scores, target}, {{"axis", 1}});
  Value* better = b.ReduceSum(b.Cast(b.Greater(scores, own), DType::kInt64), {1}, false);
  return {b.Less(better, b.i64(a.integer("k", 1)))};
}

}  // namespace

void register_set_operations(OperationTable& table) {
  table.add("IsIn", {"x1 x2", is_in});
  table.add("SearchSorted", {"sorted_sequence values", search_sorted});
  table.add("Argpartition", {"x", argpartition});
  table.add("Nonzero", {"x", nonzero});
  table.add("UnravelIndex", {"indices", unravel_index});
  table.add("Histogram", {"x", histogram});
  table.add("Bincount", {"x", bincount});
  table.add("Unique", {"x", unique});
  table.add("Select", {"condlist choicelist default", select});
  table.add("InTopK", {"targets predictions", in_top_k});
}

}  // namespace onward::importer::keras
