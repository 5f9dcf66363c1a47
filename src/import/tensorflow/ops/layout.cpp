// Shapes, and changing the shape or order of what a tensor holds.
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"
#include "import/tensorflow/types.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;
using tensorflow::DataType;

// A complex tensor has one dimension more than TensorFlow says, the last.
struct Operand {
  Value* value;
  bool complex;
  size_t rank() const { return value->rank() - (complex ? 1 : 0); }
  Item item(Value* result) const { return complex ? Item(Complex{result}) : Item(result); }
};
Operand operand(Call& c, size_t index) {
  const auto* complex = c.item(index).get_if<Complex>();
  return {complex != nullptr ? complex->pairs : c.input(index), complex != nullptr};
}
Value* shape_of(ir::Builder& b, const Operand& x) {
  Value* shape = b.Shape(x.value);
  return x.complex ? b.Slice(shape, 0, -1, 0) : shape;
}

// Reshape(tensor: T, shape: Tshape) -> output
Items reshaped(Call& c) {
  ir::Builder& b = c.b;
  const Operand x = operand(c, 0);
  Value* shape = as_vector(b, c.input(1));
  if (x.complex) shape = b.Concat({shape, b.ints({2})}, 0);
  return {x.item(reshape(b, x.value, shape))};
}

// An order that is only known when the model runs: each element is fetched from where it lies in the flat input.
Value* transposed_at_run_time(Call& c, Value* x) {
  ir::Builder& b = c.b;
  Value* perm = as_vector(b, c.input(1));
  Value* shape = b.Shape(x);
  const size_t rank = x->rank();
  // How far apart neighbours along each axis lie: the product of the dimensions behind it.
  ir::Values strides;
  for (size_t i = 0; i < rank; ++i)
    strides.push_back(product(b, b.Slice(shape, static_cast<int64_t>(i) + 1, kToEnd, 0)));
  Value* step = b.Gather(b.Concat(strides, 0), perm, 0);
  Value* wanted = b.Gather(shape, perm, 0);
  Value* index = b.i64(0);
  for (size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<int64_t>(i);
    Value* part = b.Mul(counting(b, b.Select(wanted, axis, 0)), b.Select(step, axis, 0));
    index = b.Add(index, along(b, part, i, rank));
  }
  return b.Gather(b.Reshape(x, {-1}), index, 0);
}

// Transpose(x: T, perm: Tperm) -> y
Items transposed(Call& c) {
  const Operand x = operand(c, 0);
  if (!x.complex && !c.known_ints(1) && x.value->has_rank()) return {transposed_at_run_time(c, x.value)};
  std::vector<int64_t> perm = c.constant_ints(1, "permutation");
  const auto rank = static_cast<int64_t>(perm.size());
  for (int64_t& axis : perm) {
    if (axis < 0) axis += rank;
    c.require(axis >= 0 && axis < rank, "its permutation is out of range");
  }
  if (x.complex) perm.push_back(rank);
  Value* result = c.b.Transpose(x.value, perm);
  if (x.complex && c.node().op == "ConjugateTranspose") {
    result = c.b.Mul(result, vector_of(c.b, {1, -1}, result->dtype));
  }
  return {x.item(result)};
}

// Squeeze(input: T, squeeze_dims: ints = []) -> output
Items squeezed(Call& c) {
  ir::Builder& b = c.b;
  const Operand x = operand(c, 0);
  std::vector<int64_t> axes = c.integers("squeeze_dims");
  if (axes.empty() && x.value->shape) {
    for (size_t i = 0; i < x.rank(); ++i) {
      const ir::Dim dim = x.value->dim(i);
      if (dim.is_known() && dim.value() == 1) axes.push_back(static_cast<int64_t>(i));
    }
    return {x.item(b.Squeeze(x.value, axes))};
  }
  if (axes.empty()) return {x.item(b.op("Squeeze", {x.value}))};
  if (x.complex) {
    for (int64_t& axis : axes) axis -= axis < 0 ? 1 : 0;
  }
  return {x.item(b.Squeeze(x.value, axes))};
}

// ExpandDims(input: T, dim: Tdim) -> output
Items expand_dims(Call& c) {
  const Operand x = operand(c, 0);
  int64_t axis = c.constant_int(1, "axis");
  if (x.complex && axis < 0) --axis;
  return {x.item(c.b.Unsqueeze(x.value, {axis}))};
}

DType out_type(Call& c) { return c.dtype("out_type", DataType::kInt32); }

// Shape(input: T, out_type: type = int32) -> output
Value* shape(Call& c) { return c.b.Cast(shape_of(c.b, operand(c, 0)), out_type(c)); }
// ShapeN(input: N * T, out_type: type = int32) -> output: N * out_type
ir::Values shapes(Call& c) {
  ir::Values results;
  for (size_t i = 0; i < c.input_count(); ++i) {
    results.push_back(c.b.Cast(shape_of(c.b, operand(c, i)), out_type(c)));
  }
  return results;
}
// Size(input: T, out_type: type = int32) -> output
Value* size(Call& c) {
  const Operand x = operand(c, 0);
  Value* all = x.complex ? as_scalar(c.b, product(c.b, shape_of(c.b, x))) : c.b.Size(x.value);
  return c.b.Cast(all, out_type(c));
}
// Rank(input: T) -> output: int32
Value* rank(Call& c) {
  const Operand x = operand(c, 0);
  Value* rank = rank_value(c.b, x.value);
  return c.b.Cast(x.complex ? c.b.Sub(rank, 1) : rank, DType::kInt32);
}

// EnsureShape(input: T, shape: shape) -> output
Value* ensure_shape(Call& c) {
  Value* x = c.input(0);
  const auto wanted = to_shape(c.shape("shape"));
  if (!wanted || x->is_constant() || x->is_input()) return x;
  if (!x->shape) {
    x->shape = wanted;
    return x;
  }
  c.require(x->shape->size() == wanted->size(), "its input has another rank than it ensures");
  for (size_t i = 0; i < wanted->size(); ++i) {
    if ((*x->shape)[i].is_unknown()) (*x->shape)[i] = (*wanted)[i];
  }
  return x;
}

// Tile(input: T, multiples: Tmultiples) -> output
Value* tile(Call& c) { return c.b.Tile(c.input(0), as_vector(c.b, c.input(1))); }

// BroadcastTo(input: T, shape: Tidx) -> output
Value* broadcast_to(Call& c) { return c.b.Expand(c.input(0), as_vector(c.b, c.input(1))); }

// Two shapes as vectors of one length, ones in front.
std::pair<Value*, Value*> aligned(Call& c) {
  ir::Builder& b = c.b;
  Value* x = as_vector(b, c.input(0));
  Value* y = as_vector(b, c.input(1));
  Value* longest = b.Max(b.Shape(x), b.Shape(y));
  const auto pad = [&](Value* v) { return b.Concat({b.Fill(b.Sub(longest, b.Shape(v)), 1, DType::kInt64), v}, 0); };
  return {pad(x), pad(y)};
}
// BroadcastArgs(s0: T, s1: T) -> r0
Value* broadcast_args(Call& c) {
  const auto [x, y] = aligned(c);
  return c.b.Cast(c.b.Where(c.b.Equal(x, c.b.i64(1)), y, x), c.input(0)->dtype);
}
// BroadcastGradientArgs(s0: T, s1: T) -> r0, r1: the axes along which a gradient is summed
ir::Values broadcast_gradient_args(Call& c) {
  ir::Builder& b = c.b;
  const auto [x, y] = aligned(c);
  const auto ones = [&](Value* v) {
    return b.Cast(b.Squeeze(b.NonZero(b.Equal(v, b.i64(1))), {0}), c.input(0)->dtype);
  };
  return {ones(x), ones(y)};
}

// Roll(input: T, shift: Tshift, axis: Taxis) -> output
Value* roll(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const std::vector<int64_t> axes = c.constant_ints(2, "axis");
  Value* shifts = as_vector(b, c.input(1));
  for (size_t i = 0; i < axes.size(); ++i) {
    Value* length = b.dim_scalar(x, axes[i]);
    Value* index = b.Sub(counting(b, length), b.Select(shifts, static_cast<int64_t>(i), 0));
    x = b.Gather(x, b.Mod(index, length), axes[i]);
  }
  return x;
}

// ReverseV2(tensor: T, axis: Tidx) -> output
Value* reverse(Call& c) { return flipped(c.b, c.input(0), c.constant_ints(1, "axis")); }
// Reverse(tensor: T, dims: bool) -> output
Value* reverse_marked(Call& c) {
  const std::vector<int64_t> marks = c.constant_ints(1, "dims");
  std::vector<int64_t> axes;
  for (size_t i = 0; i < marks.size(); ++i) {
    if (marks[i] != 0) axes.push_back(static_cast<int64_t>(i));
  }
  return flipped(c.b, c.input(0), axes);
}

// ReverseSequence(input: T, seq_lengths: Tlen, seq_dim: int, batch_dim: int = 0) -> output
Value* reverse_sequence(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const int64_t time = c.axis(c.integer("seq_dim"), x);
  const int64_t batch = c.axis(c.integer("batch_dim"), x);
  c.require(time != batch, "its seq_dim and batch_dim are the same");
  Value* lengths = b.Cast(c.input(1), DType::kInt64);
  if (time < 2 && batch < 2) {
    return b.op("ReverseSequence", {x, lengths}, {{"time_axis", time}, {"batch_axis", batch}});
  }
  std::vector<int64_t> perm{batch, time};
  for (const int64_t axis : all_axes(x->rank())) {
    if (axis != batch && axis != time) perm.push_back(axis);
  }
  std::vector<int64_t> back(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  Value* turned = b.op("ReverseSequence", {b.Transpose(x, perm), lengths}, {{"time_axis", 1}, {"batch_axis", 0}});
  return b.Transpose(turned, back);
}

// Where each letter of `target` stands in `source`.
std::vector<int64_t> letters(Call& c, const std::string& source, const std::string& target) {
  std::vector<int64_t> places;
  for (const char letter : target) {
    const size_t place = source.find(letter);
    c.require(place != std::string::npos, "its formats differ in their letters");
    places.push_back(static_cast<int64_t>(place));
  }
  return places;
}
// DataFormatVecPermute(x: T, src_format: string = "NHWC", dst_format: string = "NCHW") -> y: sizes [4] or pairs [4, 2],
// or those of the two spatial axes
Value* format_permuted(Call& c) {
  std::string source = c.text("src_format", "NHWC");
  std::string target = c.text("dst_format", "NCHW");
  const ir::Dim size = c.input(0)->dim(0);
  c.require(size.is_known(), "its size is only known when the model runs");
  if (size.value() + 2 == static_cast<int64_t>(source.size())) {
    for (std::string* format : {&source, &target}) std::erase_if(*format, [](char l) { return l == 'N' || l == 'C'; });
  }
  return c.b.Gather(c.input(0), c.b.ints(letters(c, source, target)), 0);
}
// DataFormatDimMap(x: T, src_format: string = "NHWC", dst_format: string = "NCHW") -> y: axes, negative ones counted
// from the end
Value* format_axes(Call& c) {
  ir::Builder& b = c.b;
  const std::string source = c.text("src_format", "NHWC");
  const std::vector<int64_t> places = letters(c, c.text("dst_format", "NCHW"), source);
  Value* axis = b.Cast(c.input(0), DType::kInt64);
  Value* front = b.Where(b.Less(axis, b.i64(0)), b.Add(axis, b.i64(static_cast<int64_t>(source.size()))), axis);
  return b.Cast(b.Gather(b.ints(places), front, 0), c.input(0)->dtype);
}

}  // namespace

void register_layout(OpTable& t) {
  t.add("DataFormatVecPermute", format_permuted);
  t.add("DataFormatDimMap", format_axes);
  t.add("Reshape", reshaped);
  t.add("Transpose", transposed);
  t.add("ConjugateTranspose", transposed);
  t.add("Squeeze", squeezed);
  t.add("ExpandDims", expand_dims);
  t.add("Shape", shape);
  t.add("ShapeN", shapes);
  t.add("Size", size);
  t.add("Rank", rank);
  t.add("EnsureShape", ensure_shape);
  t.add("Tile", tile);
  t.add("BroadcastTo", broadcast_to);
  t.add("BroadcastArgs", broadcast_args);
  t.add("BroadcastGradientArgs -> r0, r1", broadcast_gradient_args);
  t.add("Roll", roll);
  t.add("ReverseV2", reverse);
  t.add("Reverse", reverse_marked);
  t.add("ReverseSequence", reverse_sequence);
}

}  // namespace onward::importer::tf
