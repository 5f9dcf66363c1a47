// Parts of tensors by index: x[...], take, gather, slice, one_hot, scatter.
#include <cmath>
#include <limits>

#include "import/common/axes.h"
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

bool has_class(const Json& json, std::string_view name) {
  const Json* found = json.find("class_name");
  return found != nullptr && found->is_string() && found->as_string() == name;
}

// A slice as Keras 3 or Keras 2 writes it, or null.
const Json* slice_of(const Json& json) {
  if (!json.is_object() || is_tensor(json)) return nullptr;
  if (has_class(json, "__slice__") || has_class(json, "slice")) return &json["config"];
  return json.contains("start") || json.contains("stop") ? &json : nullptr;
}

bool is_ellipsis(const Json& json) {
  if (json.is_string()) return json.as_string() == "Ellipsis" || json.as_string() == "...";
  return has_class(json, "__ellipsis__");
}

// What x[…] collects: one Slice over several axes, then axes to drop and to add.
struct Subscript {
  ir::Values starts;
  ir::Values ends;
  std::vector<int64_t> axes;
  std::vector<int64_t> steps;
  std::vector<int64_t> dropped;
  std::vector<int64_t> added;  // in the result
  Value* indices = nullptr;    // one tensor of indices
  int64_t indexed = 0;
};

void add_range(const Arguments& a, const Json& range, int64_t axis, Subscript& s) {
  const Json& start = range["start"];
  const Json& stop = range["stop"];
  const int64_t step = range.get("step", int64_t{1});
  a.require(step != 0, "a slice of step 0");
  if (start.is_null() && stop.is_null() && step == 1) return;
  const auto bound = [&](const Json& json, int64_t fallback) -> Value* {
    if (json.is_null()) return a.b.ints({fallback});
    Value* value = a.b.Cast(a.from_json(json, DType::kInt64), DType::kInt64);
    return value->rank() == 0 ? a.b.Unsqueeze(value, {0}) : value;
  };
  s.starts.push_back(bound(start, step > 0 ? 0 : -1));
  s.ends.push_back(bound(stop, step > 0 ? kEnd : std::numeric_limits<int64_t>::min()));
  s.axes.push_back(axis);
  s.steps.push_back(step);
}

void add_index(const Arguments& a, const Json& item, int64_t axis, Subscript& s) {
  if (item.is_int()) {
    const int64_t index = item.as_int();
    a.require(index > -(int64_t{1} << 62) && index < (int64_t{1} << 62), "an index is out of range");
    s.starts.push_back(a.b.ints({index}));
    s.ends.push_back(a.b.ints({index == -1 ? kEnd : index + 1}));
    s.axes.push_back(axis);
    s.steps.push_back(1);
    s.dropped.push_back(axis);
    return;
  }
  a.require(s.indices == nullptr, "with several index tensors is not supported");
  s.indices = a.b.Cast(a.from_json(item, DType::kInt64), DType::kInt64);
  s.indexed = axis;
}

// x[key]
ir::Values get_item(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const Json& key = a.json("key");
  const Json::Array items = key.is_array() ? key.as_array() : Json::Array{key};
  size_t consumed = 0;
  for (const Json& item : items) consumed += !item.is_null() && !is_ellipsis(item) ? 1 : 0;
  a.require(consumed <= x->rank(), "has more indices than the tensor has axes");
  Subscript s;
  int64_t axis = 0;
  int64_t out = 0;
  for (const Json& item : items) {
    if (is_ellipsis(item)) {
      const auto skipped = static_cast<int64_t>(x->rank() - consumed);
      axis += skipped;
      out += skipped;
    } else if (item.is_null()) {
      s.added.push_back(out++);
    } else if (const Json* range = slice_of(item)) {
      add_range(a, *range, axis++, s);
      ++out;
    } else {
      const bool single = item.is_int();
      add_index(a, item, axis++, s);
      out += single ? 0 : static_cast<int64_t>(s.indices->rank());
    }
  }
  if (!s.axes.empty()) {
    x = b.Slice(x, b.join(s.starts), b.join(s.ends), b.ints(s.axes), b.ints(s.steps));
  }
  if (s.indices != nullptr) {
    // The dropped axes before the indexed one are still there.
    x = b.Gather(x, s.indices, s.indexed);
    const auto grown = static_cast<int64_t>(s.indices->rank()) - 1;
    for (int64_t& dropped : s.dropped) dropped += dropped > s.indexed ? grown : 0;
  }
  return {b.Unsqueeze(b.Squeeze(x, s.dropped), s.added)};
}

// take(x, indices, axis=None)
ir::Values take(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* indices = b.Cast(a.value("indices"), DType::kInt64);
  if (!a.has("axis") && !a.tensorflow()) return {b.Gather(b.Reshape(x, {-1}), indices, 0)};
  const int64_t batch = a.integer("batch_dims", 0);
  const int64_t axis = a.axis("axis", x, batch);
  if (batch == 0) return {b.Gather(x, indices, axis)};
  a.require(batch == axis, "batch_dims other than the axis is not supported");
  return {b.op("GatherND", {x, b.Unsqueeze(indices, {-1})}, {{"batch_dims", batch}})};
}

ir::Values gather_nd(const Arguments& a) {
  Value* indices = a.b.Cast(a.value("indices"), DType::kInt64);
  return {a.b.op("GatherND", {a.value("x"), indices}, {{"batch_dims", a.integer("batch_dims", 0)}})};
}

// take_along_axis(x, indices, axis=None)
ir::Values take_along_axis(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* indices = b.Cast(a.value("indices"), DType::kInt64);
  if (!a.has("axis")) return {b.op("GatherElements", {b.Reshape(x, {-1}), b.Reshape(indices, {-1})}, {{"axis", 0}})};
  return {b.op("GatherElements", {x, indices}, {{"axis", a.axis("axis", x, 0)}})};
}

// slice(inputs, start_indices, shape)
ir::Values slice(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* starts = a.sizes("start");
  Value* sizes = a.sizes("shape");
  // A size of -1 means all that is left.
  Value* ends = b.Where(b.Less(sizes, b.i64(0)), b.i64(kEnd), b.Add(starts, sizes));
  std::vector<int64_t> axes;
  for (size_t i = 0; i < x->rank(); ++i) axes.push_back(static_cast<int64_t>(i));
  return {b.Slice(x, starts, ends, b.ints(axes))};
}

// strided_slice(input, begin, end, strides) without masks
ir::Values strided_slice(const Arguments& a) {
  for (const char* mask : {"begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"}) {
    a.require(a.integer(mask, 0) == 0, std::string(mask) + " is not supported");
  }
  Builder& b = a.b;
  Value* starts = a.sizes("begin");
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < starts->dim(0).value(); ++i) axes.push_back(i);
  return {b.Slice(a.value("x"), starts, a.sizes("end"), b.ints(axes), a.has("strides") ? a.sizes("strides") : nullptr)};
}

// one_hot(x, num_classes, axis=-1, dtype=None)
ir::Values one_hot(const Arguments& a) {
  Builder& b = a.b;
  Value* x = b.Cast(a.value("x"), DType::kInt64);
  const DType dtype = a.dtype("dtype").value_or(DType::kFloat);
  const int64_t depth = a.integer("num_classes", 0);
  Value* on = b.number(a.number("on_value", 1), dtype);
  Value* off = b.number(a.number("off_value", 0), dtype);
  // Unlike ONNX's OneHot, a negative index sets nothing.
  const int64_t axis = a.integer("axis", -1);
  Value* wide = b.Unsqueeze(x, {axis});
  const auto rank = static_cast<int64_t>(wide->rank());
  std::vector<int64_t> shape(wide->rank(), 1);
  shape.at(static_cast<size_t>(axis < 0 ? axis + rank : axis)) = depth;
  std::vector<int64_t> classes(static_cast<size_t>(std::clamp<int64_t>(depth, 0, 1 << 22)));
  for (size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<int64_t>(i);
  return {b.Where(b.Equal(wide, b.Reshape(b.ints(classes), shape)), on, off)};
}

// digitize(x, bins): how many bins lie at or below each number
ir::Values digitize(const Arguments& a) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  Value* bins = b.Cast(a.value("bins"), x->dtype);
  Value* above = b.Cast(b.GreaterOrEqual(b.Unsqueeze(x, {-1}), bins), DType::kInt32);
  return {b.ReduceSum(above, {-1}, false)};
}

// scatter_update(inputs, indices, updates, reduction=None)
ir::Values scatter_update(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("inputs");
  Value* indices = b.Cast(a.value("indices"), DType::kInt64);
  return {b.op("ScatterND", {x, indices, b.Cast(a.value("updates"), x->dtype)},
               {{"reduction", a.text("reduction", "none")}})};
}

// scatter(indices, values, shape): what falls on the same place is added up
ir::Values scatter(const Arguments& a) {
  Builder& b = a.b;
  Value* values = a.value("values");
  Value* zeros = b.Fill(a.sizes("shape"), 0, values->dtype);
  return {b.op("ScatterND", {zeros, b.Cast(a.value("indices"), DType::kInt64), values}, {{"reduction", "add"}})};
}

// slice_update(inputs, start_indices, updates)
ir::Values slice_update(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("inputs");
  Value* updates = b.Cast(a.value("updates"), x->dtype);
  Value* starts = a.sizes("start_indices");
  Value* size = b.Shape(updates);
  // The place of each element of the update in the flat tensor.
  Value* place = b.i64(0);
  for (size_t i = 0; i < x->rank(); ++i) {
    const auto axis = static_cast<int64_t>(i);
    Value* at = b.Add(counting(b, b.dim(updates, axis)), b.Slice(starts, axis, axis + 1, 0));
    place = b.Add(b.Mul(place, b.dim_scalar(x, axis)), along(b, at, axis, x->rank()));
  }
  Value* flat =
      b.op("ScatterElements", {b.Reshape(x, {-1}), b.Reshape(b.Expand(place, size), {-1}), b.Reshape(updates, {-1})},
           {{"axis", 0}});
  return {b.Reshape(flat, b.Shape(x))};
}

// --- segments --------------------------------------------------------------------------------------------------------

// What a segment without rows holds.
double empty_segment(const std::string& reduction, DType dtype) {
  if (reduction == "add") return 0;
  if (reduction == "mul") return 1;
  const bool least = reduction == "max";
  if (dtype == DType::kFloat16) return least ? -65504.0 : 65504.0;
  if (dtype == DType::kDouble)
    return least ? std::numeric_limits<double>::lowest() : std::numeric_limits<double>::max();
  if (ir::is_floating(dtype)) return least ? -3.4028234663852886e38 : 3.4028234663852886e38;
  const auto bits =
      static_cast<int>(std::min<size_t>(ir::dtype_bits(dtype), 62)) - (ir::is_signed_integer(dtype) ? 1 : 0);
  const double most = std::ldexp(1.0, bits) - 1;
  return !least ? most : ir::is_signed_integer(dtype) ? -most - 1 : 0;
}

// segment_sum(data, segment_ids, num_segments=None, sorted=False): rows by their ids; rows of ids outside are left out
template <int Kind>
ir::Values segments(const Arguments& a) {
  static constexpr const char* kReductions[] = {"add", "mul", "max", "min"};
  Builder& b = a.b;
  Value* data = a.value("data");
  const DType dtype = data->dtype;
  const DType wide = ir::is_floating(dtype) || ir::dtype_bits(dtype) >= 32 ? dtype : DType::kInt32;
  Value* ids = b.Cast(a.value("segment_ids"), DType::kInt64);
  Value* count = a.has("num_segments") ? a.sizes("num_segments")
                                       : b.Add(b.ReduceMax(b.Concat({ids, b.ints({-1})}, 0), {0}), b.ints({1}));
  Value* inside = b.And(b.GreaterOrEqual(ids, b.i64(0)), b.Less(ids, count));
  Value* row = b.Where(inside, ids, count);
  Value* shape = b.Concat({b.Add(count, b.ints({1})), b.Slice(b.Shape(data), 1, kEnd, 0)}, 0);
  Value* start = b.Cast(b.Fill(shape, empty_segment(kReductions[Kind], dtype), dtype), wide);
  Value* index = b.Expand(along(b, row, 0, data->rank()), b.Shape(data));
  Value* all =
      b.op("ScatterElements", {start, index, b.Cast(data, wide)}, {{"axis", 0}, {"reduction", kReductions[Kind]}});
  return {b.Cast(b.Slice(all, b.ints({0}), count, b.ints({0})), dtype)};
}

}  // namespace

void register_indexing_operations(OperationTable& table) {
  table.add("GetItem", {"x key", get_item});
  table.add("tf.__operators__.getitem", {"x key:slice_spec", get_item});
  table.add("Take", {"x indices axis", take});
  table.add("tf.gather", {"x:params indices validate_indices axis batch_dims", take});
  table.add("tf.gather_nd", {"x:params indices batch_dims", gather_nd});
  table.add("TakeAlongAxis", {"x indices axis", take_along_axis});
  table.add("Slice", {"x:inputs start:start_indices shape", slice});
  table.add("tf.slice", {"x:input_ start:begin shape:size", slice});
  table.add("tf.strided_slice", {"x:input_ begin end strides", strided_slice});
  table.add("OneHot", {"x num_classes axis dtype", one_hot});
  table.add("tf.one_hot", {"x:indices num_classes:depth on_value off_value axis dtype", one_hot});
  table.add("Digitize", {"x bins", digitize});
  table.add("ScatterUpdate", {"inputs indices updates reduction", scatter_update});
  table.add("tf.tensor_scatter_nd_update", {"inputs:tensor indices updates", scatter_update});
  table.add("Scatter", {"indices values", scatter});
  table.add("SliceUpdate", {"inputs start_indices updates", slice_update});
  table.add("SegmentSum", {"data segment_ids", segments<0>});
  table.add("SegmentProd", {"data segment_ids", segments<1>});
  table.add("SegmentMax", {"data segment_ids", segments<2>});
  table.add("SegmentMin", {"data segment_ids", segments<3>});
}

}  // namespace onward::importer::keras
