// Shape and order: reshape, transpose, concatenate, split, pad, tile, flip, roll.
#include <limits>
#include <numeric>

#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

// reshape(x, newshape)
ir::Values reshape(const Arguments& a) {
  Value* x = a.value("x");
  const Json& given = a.json("newshape");
  // Where the batch was not known when the model was made, None stands for it.
  if (given.is_array() && given.size() > 0 && given[size_t{0}].is_null()) {
    return {a.b.op("Reshape", {x, a.sizes("newshape")})};
  }
  return {a.b.op("Reshape", {x, a.sizes("newshape")}, {{"allowzero", 1}})};
}

ir::Values ravel(const Arguments& a) { return {a.b.Reshape(a.value("x"), {-1})}; }

// transpose(x, axes=None)
ir::Values transpose(const Arguments& a) {
  Value* x = a.value("x");
  std::vector<int64_t> perm = a.ints("axes");
  if (perm.empty()) {
    for (size_t i = x->rank(); i > 0; --i) perm.push_back(static_cast<int64_t>(i) - 1);
  }
  return {a.b.Transpose(x, perm)};
}

// swapaxes(x, axis1, axis2)
ir::Values swapaxes(const Arguments& a) {
  Value* x = a.value("x");
  std::vector<int64_t> perm(x->rank());
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[static_cast<size_t>(a.axis("axis1", x, 0))], perm[static_cast<size_t>(a.axis("axis2", x, 0))]);
  return {a.b.Transpose(x, perm)};
}

// moveaxis(x, source, destination)
ir::Values moveaxis(const Arguments& a) {
  Value* x = a.value("x");
  const auto rank = static_cast<int64_t>(x->rank());
  const std::vector<int64_t> from = a.ints("source");
  const std::vector<int64_t> to = a.ints("destination");
  a.require(from.size() == to.size(), "source and destination differ in length");
  std::vector<int64_t> perm(x->rank(), -1);
  std::vector<bool> used(x->rank());
  for (size_t i = 0; i < from.size(); ++i) {
    const int64_t source = from[i] < 0 ? from[i] + rank : from[i];
    const int64_t target = to[i] < 0 ? to[i] + rank : to[i];
    a.require(source >= 0 && source < rank && target >= 0 && target < rank, "an axis is out of range");
    perm[static_cast<size_t>(target)] = source;
    used[static_cast<size_t>(source)] = true;
  }
  size_t next = 0;
  for (int64_t& place : perm) {
    if (place >= 0) continue;
    while (next < used.size() && used[next]) ++next;
    a.require(next < used.size(), "an axis is named twice");
    place = static_cast<int64_t>(next++);
  }
  return {a.b.Transpose(x, perm)};
}

ir::Values expand_dims(const Arguments& a) {
  std::vector<int64_t> axes = a.ints("axis");
  return {a.b.Unsqueeze(a.value("x"), axes)};
}

ir::Values squeeze(const Arguments& a) {
  Value* x = a.value("x");
  const std::vector<int64_t> axes = a.ints("axis");
  return {axes.empty() ? a.b.op("Squeeze", {x}) : a.b.Squeeze(x, axes)};
}

// All in one dtype.
ir::Values unified(const Arguments& a, const char* name) {
  ir::Values values = a.values(name);
  a.require(!values.empty(), "has no tensors");
  DType dtype = values.front()->dtype;
  for (const Value* value : values) dtype = common_dtype(dtype, value->dtype);
  for (Value*& value : values) value = a.b.Cast(value, dtype);
  return values;
}

ir::Values concatenate(const Arguments& a) {
  const ir::Values values = unified(a, "xs");
  return {a.b.Concat(values, a.axis("axis", values.front(), 0))};
}

// stack(xs, axis=0)
ir::Values stack(const Arguments& a) {
  ir::Values values = unified(a, "xs");
  int64_t axis = a.integer("axis", 0);
  if (axis < 0) axis += static_cast<int64_t>(values.front()->rank()) + 1;
  for (Value*& value : values) value = a.b.Unsqueeze(value, {axis});
  return {a.b.Concat(values, axis)};
}

ir::Values hstack(const Arguments& a) {
  const ir::Values values = unified(a, "xs");
  return {a.b.Concat(values, values.front()->rank() == 1 ? 0 : 1)};
}

// vstack(xs): of vectors one vector, as Keras has it with TensorFlow
ir::Values vstack(const Arguments& a) { return {a.b.Concat(unified(a, "xs"), 0)}; }

ir::Values dstack(const Arguments& a) {
  ir::Values values = unified(a, "xs");
  for (Value*& value : values) {
    if (value->rank() == 1) value = a.b.Unsqueeze(value, {0});
    if (value->rank() == 2) value = a.b.Unsqueeze(value, {2});
  }
  return {a.b.Concat(values, 2)};
}

// unstack(x, num=None, axis=0)
ir::Values unstack(const Arguments& a) {
  Value* x = a.value("x");
  const int64_t axis = a.axis("axis", x, 0);
  const ir::Dim dim = x->dim(static_cast<size_t>(axis));
  a.require(a.has("num") || dim.is_known(), "the axis' size must be known");
  const int64_t count = a.integer("num", dim.is_known() ? dim.value() : 0);
  ir::Values parts;
  for (int64_t i = 0; i < count; ++i) parts.push_back(a.b.Select(x, i, axis));
  return parts;
}

// split(x, indices_or_sections, axis=0); TensorFlow's takes sizes where NumPy's takes places.
ir::Values split_along(const Arguments& a, Value* x, int64_t axis) {
  const ir::Dim dim = x->dim(static_cast<size_t>(axis));
  const Json& given = a.json("parts");
  std::vector<int64_t> sizes;
  if (given.is_number()) {
    const int64_t parts = given.as_int();
    a.require(parts > 0, "must give at least one part");
    if (!dim.is_known()) {
      return a.b.ops("Split", {x}, static_cast<size_t>(parts), {{"axis", axis}, {"num_outputs", parts}});
    }
    sizes.assign(static_cast<size_t>(parts), dim.value() / parts);
    for (int64_t i = 0; i < dim.value() % parts; ++i) ++sizes[static_cast<size_t>(i)];
    return a.b.Split(x, sizes, axis);
  }
  sizes = a.ints("parts");
  if (a.tensorflow()) {
    int64_t rest = dim.is_known() ? dim.value() : 0;
    for (const int64_t size : sizes) rest -= std::max<int64_t>(size, 0);
    for (int64_t& size : sizes) {
      a.require(size >= 0 || dim.is_known(), "the axis' size must be known");
      if (size < 0) size = rest;
    }
    return a.b.Split(x, sizes, axis);
  }
  ir::Values parts;
  int64_t start = 0;
  for (const int64_t end : sizes) {
    parts.push_back(a.b.Slice(x, start, end, axis));
    start = end;
  }
  parts.push_back(a.b.Slice(x, start, kEnd, axis));
  return parts;
}
ir::Values split(const Arguments& a) {
  Value* x = a.value("x");
  return split_along(a, x, a.axis("axis", x, 0));
}
ir::Values vsplit(const Arguments& a) { return split_along(a, a.value("x"), 0); }
ir::Values hsplit(const Arguments& a) {
  Value* x = a.value("x");
  return split_along(a, x, x->rank() == 1 ? 0 : 1);
}
ir::Values dsplit(const Arguments& a) { return split_along(a, a.value("x"), 2); }

// tile(x, repeats)
ir::Values tile(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* repeats = a.sizes("repeats");
  if (repeats->is_constant()) {
    std::vector<int64_t> counts = repeats->constant()->ints();
    while (counts.size() < x->rank()) counts.insert(counts.begin(), 1);
    std::vector<int64_t> axes(counts.size() - x->rank());
    std::iota(axes.begin(), axes.end(), 0);
    return {b.Tile(b.Unsqueeze(x, axes), b.ints(counts))};
  }
  return {b.Tile(x, repeats)};
}

// repeat(x, repeats, axis=None): each element in place, a number of times
ir::Values repeat(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const std::vector<int64_t> repeats = a.ints("repeats");
  Value* source = a.has("axis") ? x : b.Reshape(x, {-1});
  const int64_t axis = a.has("axis") ? a.axis("axis", x, 0) : 0;
  if (repeats.size() > 1) {
    std::vector<int64_t> indices;
    for (size_t i = 0; i < repeats.size(); ++i) {
      a.require(repeats[i] >= 0 && repeats[i] <= (1 << 20), "repeats is out of range");
      indices.insert(indices.end(), static_cast<size_t>(repeats[i]), static_cast<int64_t>(i));
    }
    return {b.Gather(source, b.ints(indices), axis)};
  }
  a.require(repeats.size() == 1, "needs repeats");
  Value* count = b.dim_scalar(source, axis);
  Value* all = b.Range(b.i64(0), b.Mul(count, b.i64(repeats[0])), b.i64(1));
  return {b.Gather(source, b.Div(all, b.i64(repeats[0])), axis)};
}

ir::Values flip(const Arguments& a) {
  Value* x = a.value("x");
  for (const int64_t axis : a.axes("axis", x)) x = a.b.Slice(x, -1, std::numeric_limits<int64_t>::min(), axis, -1);
  return {x};
}

// roll(x, shift, axis=None)
ir::Values roll(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const bool flat = !a.has("axis");
  std::vector<int64_t> shifts = a.ints("shift");
  std::vector<int64_t> axes = flat ? std::vector<int64_t>{0} : a.ints("axis");
  if (shifts.size() == 1) shifts.assign(axes.size(), shifts[0]);
  a.require(shifts.size() == axes.size(), "shift and axis differ in length");
  Value* y = flat ? b.Reshape(x, {-1}) : x;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + static_cast<int64_t>(y->rank()) : axes[i];
    Value* size = b.dim(y, axis);
    a.require(shifts[i] > -(int64_t{1} << 62), "shift is out of range");
    Value* cut = b.Mod(b.ints({-shifts[i]}), size);
    Value* tail = b.Slice(y, cut, b.ints({kEnd}), b.ints({axis}));
    y = b.Concat({tail, b.Slice(y, b.ints({0}), cut, b.ints({axis}))}, axis);
  }
  return {flat ? b.Reshape(y, b.Shape(x)) : y};
}

// Two axes moved behind the others, or back.
Value* move_pair(Builder& b, Value* x, const std::vector<int64_t>& axes, bool back) {
  std::vector<int64_t> perm;
  for (int64_t i = 0; i < static_cast<int64_t>(x->rank()); ++i) {
    if (i != axes[0] && i != axes[1]) perm.push_back(i);
  }
  perm.insert(perm.end(), axes.begin(), axes.end());
  if (!back) return b.Transpose(x, perm);
  std::vector<int64_t> inverse(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) inverse[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return b.Transpose(x, inverse);
}

// rot90(array, k=1, axes=(0, 1))
ir::Values rot90(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("array");
  std::vector<int64_t> axes = a.ints("axes");
  if (axes.empty()) axes = {0, 1};
  for (int64_t& axis : axes) axis += axis < 0 ? static_cast<int64_t>(x->rank()) : 0;
  const auto reversed = [&](Value* v, int64_t axis) {
    return b.Slice(v, -1, std::numeric_limits<int64_t>::min(), axis, -1);
  };
  std::vector<int64_t> swap(x->rank());
  std::iota(swap.begin(), swap.end(), 0);
  std::swap(swap.at(static_cast<size_t>(axes.at(0))), swap.at(static_cast<size_t>(axes.at(1))));
  switch (((a.integer("k", 1) % 4) + 4) % 4) {
    case 1:
      return {b.Transpose(reversed(x, axes[1]), swap)};
    case 2: {
      // Between its two turns Keras gives the matrix its first shape again: one that isn't square is not turned, but
      // read anew.
      const auto turned = [&](Value* v) { return b.Transpose(reversed(v, axes[1]), swap); };
      Value* shape = b.Shape(x);
      const auto in_order = [&](Value* v) { return move_pair(b, v, axes, false); };
      Value* front = b.Shape(in_order(x));
      const auto reread = [&](Value* v) { return move_pair(b, b.Reshape(in_order(v), front), axes, true); };
      return {b.Reshape(reread(turned(reread(turned(x)))), shape)};
    }
    case 3:
      return {reversed(b.Transpose(x, swap), axes[1])};
    default:
      return {x};
  }
}

// pad(x, pad_width, mode="constant", constant_values=None)
ir::Values pad(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  std::string mode = a.text("mode", "constant");
  std::transform(mode.begin(), mode.end(), mode.begin(), [](unsigned char c) { return std::tolower(c); });
  const Json& width = a.json("pad_width");
  const size_t rank = x->rank();
  std::vector<int64_t> pads(2 * rank);
  for (size_t i = 0; i < rank; ++i) {
    const Json& pair = width.is_array() ? width.at(width.size() == 1 ? 0 : i) : width;
    pads[i] = pair.is_array() ? pair.at(size_t{0}).as_int() : pair.as_int();
    pads[i + rank] = pair.is_array() ? pair.at(pair.size() - 1).as_int() : pair.as_int();
  }
  if (mode == "symmetric") return {symmetric_pad(b, x, pads)};
  a.require(mode == "constant" || mode == "reflect" || mode == "edge" || mode == "wrap",
            "mode \"" + mode + "\" is not supported");
  return {b.Pad(x, pads, a.number("constant_values", 0), mode.c_str())};
}

// broadcast_to(x, shape)
ir::Values broadcast_to(const Arguments& a) { return {a.b.Expand(a.value("x"), a.sizes("shape"))}; }

// tril(x, k=0), triu(x, k=0)
ir::Values triangle(const Arguments& a, bool upper) {
  Value* x = a.value("x");
  // ONNX Runtime has it for these alone.
  const bool known = x->dtype == DType::kFloat || x->dtype == DType::kDouble || x->dtype == DType::kInt64;
  Value* y = known ? x : a.b.Cast(x, ir::is_floating(x->dtype) ? DType::kFloat : DType::kInt64);
  return {a.b.Cast(a.b.op("Trilu", {y, a.b.i64(a.integer("k", 0))}, {{"upper", upper}}), x->dtype)};
}
ir::Values tril(const Arguments& a) { return triangle(a, false); }
ir::Values triu(const Arguments& a) { return triangle(a, true); }

// tf.shape(input): the sizes themselves
ir::Values shape(const Arguments& a) {
  return {a.b.Cast(a.b.Shape(a.value("x")), a.dtype("out_type").value_or(DType::kInt32))};
}
ir::Values size(const Arguments& a) {
  return {a.b.Cast(a.b.Size(a.value("x")), a.dtype("out_type").value_or(DType::kInt32))};
}
ir::Values rank_of(const Arguments& a) {
  return {a.b.constant(ir::Tensor::scalar(static_cast<int32_t>(a.value("x")->rank())))};
}

ir::Values fill(const Arguments& a) { return {a.b.Expand(a.value("value"), a.sizes("dims"))}; }
ir::Values zeros(const Arguments& a) {
  return {a.b.Fill(a.sizes("shape"), 0, a.dtype("dtype").value_or(DType::kFloat))};
}
ir::Values ones(const Arguments& a) {
  return {a.b.Fill(a.sizes("shape"), 1, a.dtype("dtype").value_or(DType::kFloat))};
}

// meshgrid(*x, indexing="xy")
ir::Values meshgrid(const Arguments& a) {
  Builder& b = a.b;
  ir::Values values = a.rest(0);
  const size_t count = values.size();
  const bool swapped = a.text("indexing", "xy") == "xy" && count > 1;
  ir::Values sizes;
  for (size_t i = 0; i < count; ++i) {
    const size_t place = swapped && i < 2 ? 1 - i : i;
    std::vector<int64_t> shape(count, 1);
    shape[place] = -1;
    values[i] = b.Reshape(values[i], shape);
  }
  for (size_t place = 0; place < count; ++place) {
    const size_t source = swapped && place < 2 ? 1 - place : place;
    sizes.push_back(b.dim(values[source], static_cast<int64_t>(place)));
  }
  for (Value*& value : values) value = b.Expand(value, b.join(sizes));
  return values;
}

Value* reversed(Builder& b, Value* x, int64_t axis) {
  return b.Slice(x, -1, std::numeric_limits<int64_t>::min(), axis, -1);
}
ir::Values flipud(const Arguments& a) { return {reversed(a.b, a.value("x"), 0)}; }
ir::Values fliplr(const Arguments& a) { return {reversed(a.b, a.value("x"), 1)}; }

// append(x1, x2, axis=None)
ir::Values append(const Arguments& a) {
  Builder& b = a.b;
  const auto [x, y] = a.operands("x1", "x2");
  if (!a.has("axis")) return {b.Concat({b.Reshape(x, {-1}), b.Reshape(y, {-1})}, 0)};
  return {b.Concat({x, y}, a.axis("axis", x, 0))};
}

}  // namespace

Value* symmetric_pad(Builder& b, Value* x, const std::vector<int64_t>& pads) {
  const size_t rank = pads.size() / 2;
  for (size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<int64_t>(i);
    const auto mirrored = [&](int64_t start, int64_t end) { return b.Slice(x, start, end, axis, -1); };
    ir::Values parts;
    if (pads[i] > 0) parts.push_back(mirrored(pads[i] - 1, std::numeric_limits<int64_t>::min()));
    parts.push_back(x);
    if (pads[i + rank] > 0) parts.push_back(mirrored(-1, -1 - pads[i + rank]));
    x = b.Concat(parts, axis);
  }
  return x;
}

void register_layout_operations(OperationTable& table) {
  table.add("Reshape", {"x newshape", reshape});
  table.add("tf.reshape", {"x:tensor newshape:shape", reshape});
  table.add("Ravel", {"x", ravel});
  table.add("Transpose", {"x axes", transpose});
  table.add("tf.transpose", {"x:a axes:perm", transpose});
  for (const char* name : {"Swapaxes", "SwapAxes"}) table.add(name, {"x axis1 axis2", swapaxes});
  table.add("Moveaxis", {"x source destination", moveaxis});
  table.add("ExpandDims", {"x axis", expand_dims});
  table.add("tf.expand_dims", {"x:input axis", expand_dims});
  table.add("Squeeze", {"x axis", squeeze});
  table.add("tf.squeeze", {"x:input axis", squeeze});
  table.add("Concatenate", {"xs axis", concatenate});
  table.add("tf.concat", {"xs:values axis", concatenate});
  table.add("Stack", {"xs:x axis", stack});
  table.add("tf.stack", {"xs:values axis", stack});
  table.add("Hstack", {"xs", hstack});
  table.add("Vstack", {"xs", vstack});
  table.add("Unstack", {"x num axis", unstack});
  table.add("tf.unstack", {"x:value num axis", unstack});
  for (const char* name : {"Split", "ArraySplit"}) table.add(name, {"x parts:indices_or_sections axis", split});
  table.add("tf.split", {"x:value parts:num_or_size_splits axis", split});
  table.add("Vsplit", {"x parts:indices_or_sections", vsplit});
  table.add("Hsplit", {"x parts:indices_or_sections", hsplit});
  table.add("Dsplit", {"x parts:indices_or_sections", dsplit});
  table.add("Dstack", {"xs", dstack});
  table.add("Size", {"x", size});
  table.add("Ndim", {"x", rank_of});
  table.add("Tile", {"x repeats", tile});
  table.add("tf.tile", {"x:input repeats:multiples", tile});
  table.add("Repeat", {"x repeats axis", repeat});
  table.add("tf.repeat", {"x:input repeats axis", repeat});
  table.add("Flip", {"x axis", flip});
  table.add("tf.reverse", {"x:tensor axis", flip});
  table.add("Roll", {"x shift axis", roll});
  table.add("tf.roll", {"x:input shift axis", roll});
  table.add("Rot90", {"array k axes", rot90});
  table.add("Pad", {"x pad_width constant_values", pad});
  table.add("tf.pad", {"x:tensor pad_width:paddings mode constant_values", pad});
  table.add("BroadcastTo", {"x shape", broadcast_to});
  table.add("tf.broadcast_to", {"x:input shape", broadcast_to});
  table.add("Tril", {"x k", tril});
  table.add("Triu", {"x k", triu});
  table.add("tf.shape", {"x:input out_type", shape});
  table.add("tf.size", {"x:input out_type", size});
  table.add("tf.rank", {"x:input", rank_of});
  table.add("tf.fill", {"dims value", fill});
  table.add("tf.zeros", {"shape dtype", zeros});
  table.add("tf.ones", {"shape dtype", ones});
  table.add("Meshgrid", {"x", meshgrid});
  table.add("Flipud", {"x", flipud});
  table.add("Fliplr", {"x", fliplr});
  table.add("Append", {"x1 x2 axis", append});
}

}  // namespace onward::importer::keras
