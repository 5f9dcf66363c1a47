// Cutting tensors up and putting them together.
#include <algorithm>

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// --- StridedSlice ----------------------------------------------------------------------------------------------------

// One position of a StridedSlice's specification, on an axis of the input. Axes behind an ellipsis count from the end.
struct Position {
  size_t index;  // in begin, end, strides
  int64_t axis;
  bool shrink;
};

struct Specification {
  std::vector<Position> positions;
  std::vector<int64_t> new_axes;  // of the result
};

// `hidden` dimensions at the end are not TensorFlow's (the pairs of complex numbers).
Specification specification(Call& c, size_t length, int64_t hidden) {
  const int64_t ellipsis = c.integer("ellipsis_mask");
  const int64_t added = c.integer("new_axis_mask");
  const int64_t shrunk = c.integer("shrink_axis_mask");
  const auto has = [](int64_t mask, size_t i) { return i < 63 && ((mask >> i) & 1) != 0; };
  size_t front = length;
  for (size_t i = length; i-- > 0;) {
    if (has(ellipsis, i)) front = i;
  }
  Specification spec;
  int64_t in = 0;
  int64_t out = 0;
  for (size_t i = 0; i < front; ++i) {
    if (has(added, i)) {
      spec.new_axes.push_back(out++);
      continue;
    }
    spec.positions.push_back({i, in++, has(shrunk, i)});
    if (!has(shrunk, i)) ++out;
  }
  in = -1 - hidden;
  out = -1 - hidden;
  for (size_t i = length; i-- > front + 1;) {
    if (has(added, i)) {
      spec.new_axes.push_back(out--);
      continue;
    }
    spec.positions.push_back({i, in--, has(shrunk, i)});
    if (!has(shrunk, i)) --out;
  }
  return spec;
}

// The vectors begin, end and strides, known or not.
struct Bounds {
  Value* begin;
  Value* end;
  Value* strides;
};

std::optional<int64_t> known_at(const Value* vector, size_t index) {
  if (vector->is_constant()) return vector->constant()->ints().at(index);
  if (!vector->content || index >= vector->content->size() || !(*vector->content)[index].is_known())
    return std::nullopt;
  return (*vector->content)[index].value();
}

Value* element(ir::Builder& b, Value* vector, size_t index) {
  const auto at = static_cast<int64_t>(index);
  return b.Slice(vector, at, at + 1, 0);
}

Value* ranges(Call& c, Value* x, const Specification& spec, const Bounds& bounds) {
  ir::Builder& b = c.b;
  ir::Values starts;
  ir::Values ends;
  ir::Values steps;
  std::vector<int64_t> axes;
  for (const Position& at : spec.positions) {
    if (at.shrink) continue;
    const bool open_begin = ((c.integer("begin_mask") >> at.index) & 1) != 0;
    const bool open_end = ((c.integer("end_mask") >> at.index) & 1) != 0;
    const auto step = known_at(bounds.strides, at.index);
    c.require(step || (!open_begin && !open_end), "its strides are only known when the model runs");
    c.require(!step || *step != 0, "one of its strides is zero");
    const bool backwards = step && *step < 0;
    const auto begin = open_begin ? std::optional(backwards ? kToEnd : 0) : known_at(bounds.begin, at.index);
    const auto end = open_end ? std::optional(backwards ? kFromStart : kToEnd) : known_at(bounds.end, at.index);
    if (step == 1 && begin == 0 && end == kToEnd) continue;
    axes.push_back(at.axis);
    starts.push_back(begin ? b.ints({*begin}) : element(b, bounds.begin, at.index));
    ends.push_back(end ? b.ints({*end}) : element(b, bounds.end, at.index));
    steps.push_back(step ? b.ints({*step}) : element(b, bounds.strides, at.index));
  }
  if (axes.empty()) return x;
  return b.Slice(x, b.Concat(starts, 0), b.Concat(ends, 0), b.ints(axes), b.Concat(steps, 0));
}

// Takes single positions, which drops their axes: from the outside in, so that the axes to come keep their numbers.
Value* single_positions(Call& c, Value* x, const Specification& spec, const Bounds& bounds) {
  ir::Builder& b = c.b;
  const auto take = [&](const Position& at) {
    if (!at.shrink) return;
    const auto index = known_at(bounds.begin, at.index);
    x = b.Gather(x, index ? b.i64(*index) : b.Squeeze(element(b, bounds.begin, at.index), {0}), at.axis);
  };
  // Axes from the front descend; those from the end are listed from the last on, and each that goes moves the next.
  for (size_t i = spec.positions.size(); i-- > 0;) {
    if (spec.positions[i].axis >= 0) take(spec.positions[i]);
  }
  int64_t gone = 0;
  for (Position at : spec.positions) {
    if (at.axis >= 0) continue;
    at.axis += gone;
    if (at.shrink) ++gone;
    take(at);
  }
  return x;
}

Bounds bounds_of(Call& c, size_t first) {
  return {c.b.Cast(c.input(first), DType::kInt64), c.b.Cast(c.input(first + 1), DType::kInt64),
          c.b.Cast(c.input(first + 2), DType::kInt64)};
}

Value* sliced(Call& c, Value* x, const Bounds& bounds, int64_t hidden = 0) {
  size_t length = 0;
  bool known = false;
  for (const Value* vector : {bounds.begin, bounds.end, bounds.strides}) {
    if (!vector->shape || vector->shape->size() != 1 || !vector->dim(0).is_known()) continue;
    length = static_cast<size_t>(vector->dim(0).value());
    known = true;
  }
  c.require(known, "how many axes it slices is only known when the model runs");
  const Specification spec = specification(c, length, hidden);
  Value* part = single_positions(c, ranges(c, x, spec, bounds), spec, bounds);
  return c.b.Unsqueeze(part, spec.new_axes);
}

// StridedSlice(input: T, begin: Index, end: Index, strides: Index, begin_mask: int = 0, end_mask: int = 0,
// ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0) -> output
Items strided_slice(Call& c) {
  if (const auto* complex = c.item(0).get_if<Complex>()) {
    return {Complex{sliced(c, complex->pairs, bounds_of(c, 1), 1)}};
  }
  return {sliced(c, c.input(0), bounds_of(c, 1))};
}

// `x` with `values` where a StridedSlice with this node's masks would read.
Value* strided_update(Call& c, Value* x, const Bounds& bounds, Value* values) {
  ir::Builder& b = c.b;
  Value* shape = b.Shape(x);
  Value* numbers = reshape(b, counting(b, b.Size(x)), shape);
  Value* places = sliced(c, numbers, bounds);
  Value* spread = b.Expand(values, b.Shape(places));
  Value* result =
      b.op("ScatterElements", {b.Reshape(x, {-1}), b.Reshape(places, {-1}), b.Reshape(spread, {-1})}, {{"axis", 0}});
  return reshape(b, result, shape);
}
// TensorStridedSliceUpdate(input: T, begin, end, strides, value: T, masks…) -> output
Value* tensor_strided_slice_update(Call& c) { return strided_update(c, c.input(0), bounds_of(c, 1), c.input(4)); }
// ResourceStridedSliceAssign(ref, begin, end, strides, value: T, masks…)
Items assign_slice(Call& c) {
  const Resource& variable = c.resource(0);
  Value* old = c.tensor_of(variable_content(c, variable), "the variable");
  c.state().variables[&variable] = strided_update(c, old, bounds_of(c, 1), c.input(4));
  return {};
}
// StridedSliceAssign(ref, begin, end, strides, value: T, masks…) -> output_ref
Items assign_slice_ref(Call& c) {
  assign_slice(c);
  return {c.item(0)};
}
// StridedSliceGrad(shape: Index, begin, end, strides, dy: T, masks…) -> output
Value* strided_slice_grad(Call& c) {
  Value* zeros = c.b.Fill(as_vector(c.b, c.input(0)), 0, c.input(4)->dtype);
  return strided_update(c, zeros, bounds_of(c, 1), c.input(4));
}

// Slice(input: T, begin: Index, size: Index) -> output; a size of -1 is all that is left
Value* slice(Call& c) {
  ir::Builder& b = c.b;
  Value* begin = b.Cast(c.input(1), DType::kInt64);
  Value* size = b.Cast(c.input(2), DType::kInt64);
  const auto begins = c.known_ints(1);
  const auto sizes = c.known_ints(2);
  Value* end = b.Where(b.Less(size, b.i64(0)), b.i64(kToEnd), b.Add(begin, size));
  if (begins && sizes && begins->size() == sizes->size()) {
    std::vector<int64_t> ends;
    for (size_t i = 0; i < sizes->size(); ++i) ends.push_back((*sizes)[i] < 0 ? kToEnd : (*begins)[i] + (*sizes)[i]);
    end = b.ints(ends);
  }
  Value* result = b.op("Slice", {c.input(0), begin, end});
  for (size_t i = 0; sizes && result->shape && result->producer() != nullptr && i < result->shape->size(); ++i) {
    if (i < sizes->size() && (*sizes)[i] >= 0) (*result->shape)[i] = (*sizes)[i];
  }
  return result;
}

// --- joining ---------------------------------------------------------------------------------------------------------

Items joined(Call& c, size_t first, size_t axis_input) {
  int64_t axis = c.constant_int(axis_input, "axis");
  ir::Values parts;
  bool complex = false;
  for (size_t i = first; i < c.input_count(); ++i) {
    if (i == axis_input) continue;
    const auto* pairs = c.item(i).get_if<Complex>();
    complex = complex || pairs != nullptr;
    parts.push_back(pairs != nullptr ? pairs->pairs : c.input(i));
  }
  c.require(!parts.empty(), "it joins nothing");
  if (complex && axis < 0) --axis;
  Value* result = c.b.Concat(parts, axis);
  return {complex ? Item(Complex{result}) : Item(result)};
}
// Concat(concat_dim: int32, values: N * T) -> output
Items concat(Call& c) { return joined(c, 1, 0); }
// ConcatV2(values: N * T, axis: Tidx) -> output
Items concat_v2(Call& c) { return joined(c, 0, c.input_count() - 1); }

// ParallelConcat(values: N * T, shape: shape) -> output
Value* concat_parallel(Call& c) { return c.b.Concat(c.inputs(), 0); }

// ConcatOffset(concat_dim: int32, shape: N * int32) -> offset: N * int32
ir::Values concat_offset(Call& c) {
  ir::Builder& b = c.b;
  const int64_t axis = c.constant_int(0, "axis");
  ir::Values results;
  Value* sum = b.ints({0});
  for (size_t i = 1; i < c.input_count(); ++i) {
    Value* shape = as_vector(b, c.input(i));
    Value* here = b.Equal(counting(b, b.Shape(shape)), b.Mod(b.i64(axis), b.Shape(shape)));
    results.push_back(b.Cast(b.Where(here, sum, b.i64(0)), c.input(i)->dtype));
    sum = b.Add(sum, b.Slice(shape, axis, axis == -1 ? kToEnd : axis + 1, 0));
  }
  return results;
}

// Pack(values: N * T, axis: int = 0) -> output
Items pack(Call& c) {
  int64_t axis = c.integer("axis");
  ir::Values parts;
  bool complex = false;
  for (size_t i = 0; i < c.input_count(); ++i) complex = complex || c.is_complex(i);
  if (complex && axis < 0) --axis;
  for (size_t i = 0; i < c.input_count(); ++i) {
    const auto* pairs = c.item(i).get_if<Complex>();
    parts.push_back(c.b.Unsqueeze(pairs != nullptr ? pairs->pairs : c.input(i), {axis}));
  }
  c.require(!parts.empty(), "it packs nothing");
  Value* result = c.b.Concat(parts, axis);
  return {complex ? Item(Complex{result}) : Item(result)};
}

// --- splitting -------------------------------------------------------------------------------------------------------

// Split(split_dim: int32, value: T, num_split: int) -> output: num_split * T
ir::Values split(Call& c) {
  const int64_t count = c.integer("num_split");
  c.require(count > 0 && count < 65536, "its number of parts is out of range");
  const int64_t axis = c.constant_int(0, "axis");
  Value* x = c.input(1);
  if (count == 1) return {x};
  return c.b.ops("Split", {x}, static_cast<size_t>(count), {{"axis", axis}, {"num_outputs", count}});
}

// SplitV(value: T, size_splits: Tlen, split_dim: int32, num_split: int) -> output: num_split * T; one size may be -1
ir::Values split_v(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const int64_t axis = c.constant_int(2, "axis");
  Value* sizes = as_vector(b, c.input(1));
  const auto known = c.known_ints(1);
  const size_t count = known ? known->size() : static_cast<size_t>(c.integer("num_split"));
  if (count == 1) return {x};
  const bool rest = !known || std::find(known->begin(), known->end(), -1) != known->end();
  if (rest) {
    Value* open = b.Less(sizes, b.i64(0));
    Value* given = b.ReduceSum(b.Where(open, b.i64(0), sizes), {0});
    sizes = b.Where(open, b.Sub(b.dim(x, axis), given), sizes);
  }
  return b.ops("Split", {x, sizes}, count, {{"axis", axis}});
}

// Unpack(value: T, num: int, axis: int = 0) -> output: num * T
ir::Values unpack(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const int64_t axis = c.integer("axis");
  const int64_t count = c.integer("num");
  c.require(count >= 0 && count < 65536, "its number of parts is out of range");
  ir::Values parts;
  if (x->has_rank() && x->rank() == 1) {
    for (int64_t i = 0; i < count; ++i) parts.push_back(b.Select(x, i, axis));
    return parts;
  }
  if (count == 0) return parts;
  for (Value* part : b.Split(x, std::vector<int64_t>(static_cast<size_t>(count), 1), axis)) {
    parts.push_back(b.Squeeze(part, {axis}));
  }
  return parts;
}

}  // namespace

void register_slicing(OpTable& t) {
  t.add("StridedSlice", strided_slice);
  t.add("TensorStridedSliceUpdate", tensor_strided_slice_update);
  t.effect("ResourceStridedSliceAssign", assign_slice);
  t.effect("StridedSliceAssign", assign_slice_ref);
  t.add("StridedSliceGrad", strided_slice_grad);
  t.add("Slice", slice);
  t.add("Concat", concat);
  t.add("ConcatV2", concat_v2);
  t.add("ConcatOffset", concat_offset);
  t.add("Pack", pack);
  t.add("ParallelConcat", concat_parallel);
  t.add("Split", split);
  t.add("SplitV", split_v);
  t.add("Unpack", unpack);
}

}  // namespace onward::importer::tf
