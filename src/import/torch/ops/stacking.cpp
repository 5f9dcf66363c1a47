// Joining, splitting and spreading several tensors: hstack, meshgrid, tensor_split, repeat_interleave, rot90 …
#include <algorithm>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// --- ranks -----------------------------------------------------------------------------------------------------------

// atleast_1d, 2d, 3d: where the new dimensions go is PyTorch's choice.
Value* at_least(ir::Builder& b, Value* x, size_t rank) {
  const size_t own = x->rank();
  if (own >= rank) return x;
  if (own == 0) return b.Unsqueeze(x, all_axes(rank));
  if (rank == 2) return b.Unsqueeze(x, {0});
  return b.Unsqueeze(x, own == 1 ? std::vector<int64_t>{0, 2} : std::vector<int64_t>{2});
}
template <size_t Rank>
Value* at_least_one(Call& c) {
  return at_least(c.b, c.tensor("self"), Rank);
}
template <size_t Rank>
ir::Values at_least_all(Call& c) {
  ir::Values tensors = c.tensors("tensors");
  for (Value*& tensor : tensors) tensor = at_least(c.b, tensor, Rank);
  return tensors;
}

// --- joining ---------------------------------------------------------------------------------------------------------

ir::Values promoted_tensors(Call& c) {
  const DType dtype = c.promoted_dtype({"tensors"});
  ir::Values tensors = c.tensors("tensors");
  for (Value*& tensor : tensors) tensor = c.b.Cast(tensor, dtype);
  return tensors;
}
template <size_t Rank, int64_t Axis>
Value* stacked(Call& c) {
  ir::Values tensors = promoted_tensors(c);
  for (Value*& tensor : tensors) tensor = at_least(c.b, tensor, Rank);
  return c.b.Concat(tensors, Axis);
}
Value* hstack(Call& c) {
  ir::Values tensors = promoted_tensors(c);
  for (Value*& tensor : tensors) tensor = at_least(c.b, tensor, 1);
  return c.b.Concat(tensors, tensors[0]->rank() == 1 ? 0 : 1);
}
Value* column_stack(Call& c) {
  ir::Values tensors = promoted_tensors(c);
  for (Value*& tensor : tensors) {
    if (tensor->rank() < 2) tensor = c.b.Reshape(tensor, {-1, 1});
  }
  return c.b.Concat(tensors, 1);
}

// aten::_chunk_cat(Tensor[] tensors, int dim, int num_chunks) -> Tensor: each one padded to whole chunks, cut into
// them, flattened behind the chunk and joined.
Value* chunk_cat(Call& c) {
  ir::Builder& b = c.b;
  const int64_t chunks = c.integer("num_chunks");
  ir::Values parts;
  for (Value* tensor : promoted_tensors(c)) {
    const int64_t axis = c.axis("dim", tensor->rank());
    Value* size = b.dim(tensor, axis);
    Value* each = b.Div(b.Add(size, b.ints({chunks - 1})), b.ints({chunks}));
    Value* missing = b.Sub(b.Mul(each, b.ints({chunks})), size);
    Value* padded = b.op("Pad", {tensor, b.Concat({b.ints({0}), missing}, 0), nullptr, b.ints({axis})});
    ir::Values dims;
    if (axis > 0) dims.push_back(b.Slice(b.Shape(tensor), 0, axis, 0));
    dims.insert(dims.end(), {b.ints({chunks}), b.ints({-1})});
    parts.push_back(b.Reshape(padded, b.Concat(dims, 0)));
  }
  return b.Concat(parts, c.axis("dim", c.tensors("tensors").at(0)->rank()) + 1);
}

// --- spreading -------------------------------------------------------------------------------------------------------

Value* broadcast_to(Call& c) {
  Value* sizes = c.int_vector("size");
  if (c.known("size")) {
    std::vector<int64_t> known = c.integers("size");
    std::replace(known.begin(), known.end(), int64_t{-1}, int64_t{1});
    sizes = c.b.ints(known);
  }
  return c.b.Expand(c.tensor("self"), sizes);
}
ir::Values broadcast_tensors(Call& c) {
  ir::Values tensors = c.tensors("tensors");
  Value* shape = broadcast_shape(c.b, tensors);
  for (Value*& tensor : tensors) tensor = c.b.Expand(tensor, shape);
  return tensors;
}
// aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]
ir::Values meshgrid(Call& c) {
  ir::Builder& b = c.b;
  ir::Values tensors = c.tensors("tensors");
  const bool swapped = c.has("indexing") && c.text("indexing") == "xy" && tensors.size() > 1;
  const size_t rank = tensors.size();
  ir::Values dims;
  for (Value*& tensor : tensors) {
    tensor = at_least_1d(b, tensor);
    dims.push_back(b.dim(tensor, 0));
  }
  const auto place = [&](size_t i) { return swapped && i < 2 ? 1 - i : i; };
  ir::Values ordered(rank);
  for (size_t i = 0; i < rank; ++i) ordered[place(i)] = dims[i];
  Value* shape = b.Concat(ordered, 0);
  for (size_t i = 0; i < rank; ++i) {
    tensors[i] = b.Expand(along(b, tensors[i], static_cast<int64_t>(place(i)), rank), shape);
  }
  return tensors;
}
Value* cartesian_prod(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values tensors = c.tensors("tensors");
  if (tensors.size() == 1) return tensors[0];
  ir::Values dims;
  for (Value* tensor : tensors) dims.push_back(b.dim(tensor, 0));
  Value* shape = b.Concat(dims, 0);
  ir::Values columns;
  for (size_t i = 0; i < tensors.size(); ++i) {
    Value* spread = b.Expand(along(b, tensors[i], static_cast<int64_t>(i), tensors.size()), shape);
    columns.push_back(b.Reshape(spread, {-1, 1}));
  }
  return b.Concat(columns, 1);
}
// aten::combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor: the rising tuples of positions.
Value* combinations(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const auto r = static_cast<size_t>(c.integer("r"));
  if (r == 0) return b.constant(ir::Tensor::filled(x->dtype, {0}, 0));
  Value* steps = counting(b, b.dim(x, 0));
  Value* rising = b.Expand(b.boolean(true), b.Concat(ir::Values(r, b.dim(x, 0)), 0));
  for (size_t i = 0; i + 1 < r; ++i) {
    Value* left = along(b, steps, static_cast<int64_t>(i), r);
    Value* right = along(b, steps, static_cast<int64_t>(i) + 1, r);
    rising = b.And(rising, c.flag("with_replacement") ? b.LessOrEqual(left, right) : b.Less(left, right));
  }
  return b.Gather(x, b.Transpose(b.NonZero(rising), {1, 0}), 0);
}

// aten::repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, …): the position that each result
// comes from is the number of running totals at or below it.
Value* repeated_places(ir::Builder& b, Value* repeats) {
  Value* wide = b.Cast(repeats, DType::kInt64);
  Value* ends = b.op("CumSum", {wide, b.i64(0)});
  Value* total = b.ReduceSum(wide, {}, false);
  Value* passed = b.GreaterOrEqual(b.Unsqueeze(b.Range(b.i64(0), total, b.i64(1)), {1}), ends);
  return b.ReduceSum(b.Cast(passed, DType::kInt64), {1}, false);
}
Value* repeat_interleave(Call& c) {
  ir::Builder& b = c.b;
  if (!c.has("self")) return repeated_places(b, c.tensor("repeats"));
  Value* x = c.tensor("self");
  const bool flat = !c.given("dim");
  if (flat) x = b.Reshape(x, {-1});
  const int64_t axis = flat ? 0 : c.axis("dim", x->rank());
  x = at_least_1d(b, x);
  Value* repeats = nullptr;
  if (c.arg("repeats").is_tensor()) {
    repeats = b.Cast(c.tensor("repeats"), DType::kInt64);
    if (!is_size(repeats, 0, 1) && repeats->rank() != 0) return b.Gather(x, repeated_places(b, repeats), axis);
    repeats = b.Reshape(repeats, {1});
  } else {
    repeats = b.Unsqueeze(c.int_scalar("repeats"), {0});
  }
  // Equally often: a new dimension of that size, merged into the one before.
  Value* shape = b.Shape(x);
  Value* front = b.Slice(shape, 0, axis + 1, 0);
  Value* back = b.Slice(shape, axis + 1, kToEnd, 0);
  Value* wide = b.Expand(b.Unsqueeze(x, {axis + 1}), b.Concat({front, repeats, back}, 0));
  ir::Values dims;
  if (axis > 0) dims.push_back(b.Slice(shape, 0, axis, 0));
  dims.insert(dims.end(), {b.Mul(b.dim(x, axis), repeats), back});
  return b.Reshape(wide, b.Concat(dims, 0));
}

// --- splitting -------------------------------------------------------------------------------------------------------

// Cut at positions, which may lie outside or overlap as Python's slices may.
ir::Values cut_at(Call& c, Value* x, const std::vector<int64_t>& places, int64_t axis) {
  ir::Values parts;
  int64_t start = 0;
  for (size_t i = 0; i <= places.size(); ++i) {
    const int64_t end = i < places.size() ? places[i] : kToEnd;
    parts.push_back(c.b.Slice(x, start, end, axis));
    start = i < places.size() ? places[i] : 0;
  }
  return parts;
}
// The same at positions that only a run knows.
ir::Values cut_at_values(Call& c, Value* x, Value* places, size_t count, int64_t axis) {
  ir::Builder& b = c.b;
  ir::Values parts;
  Value* start = b.ints({0});
  for (size_t i = 0; i <= count; ++i) {
    const auto at = static_cast<int64_t>(i);
    Value* end = i < count ? b.Slice(places, at, at + 1, 0) : b.ints({kToEnd});
    parts.push_back(b.Slice(x, start, end, b.ints({axis})));
    start = end;
  }
  return parts;
}
ir::Values in_sections(Call& c, Value* x, int64_t sections, int64_t axis) {
  const ir::Dim size = x->dim(static_cast<size_t>(axis));
  c.require(sections > 0, "the number of sections must be positive");
  if (!size.is_known()) {
    ir::Builder& b = c.b;
    Value* all = b.dim(x, axis);
    Value* each = b.Div(all, b.ints({sections}));
    Value* longer = b.Mod(all, b.ints({sections}));
    Value* sizes =
        b.Add(b.Expand(each, b.ints({sections})), b.Cast(b.Less(counting(b, b.i64(sections)), longer), DType::kInt64));
    return b.ops("Split", {x, sizes}, static_cast<size_t>(sections), {{"axis", axis}});
  }
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < sections; ++i)
    sizes.push_back(size.value() / sections + (i < size.value() % sections ? 1 : 0));
  return c.b.Split(x, sizes, axis);
}
ir::Values split_as(Call& c, int64_t axis) {
  Value* x = c.tensor("self");
  if (c.has("indices") && c.known("indices")) return cut_at(c, x, c.integers("indices"), axis);
  if (c.has("indices")) return cut_at_values(c, x, c.int_vector("indices"), c.arg("indices").list()->size(), axis);
  if (!c.has("tensor_indices_or_sections")) return in_sections(c, x, c.integer("sections"), axis);
  const Value* given = c.tensor("tensor_indices_or_sections");
  c.require(given->is_constant(), "where to cut is only known when the model runs");
  if (given->rank() == 0) return in_sections(c, x, given->constant()->as_int(), axis);
  return cut_at(c, x, given->constant()->ints(), axis);
}
ir::Values tensor_split(Call& c) { return split_as(c, c.axis("dim", c.tensor("self")->rank())); }
ir::Values hsplit(Call& c) { return split_as(c, c.tensor("self")->rank() == 1 ? 0 : 1); }
template <int64_t Axis>
ir::Values split_along(Call& c) {
  return split_as(c, Axis);
}

// --- turning ---------------------------------------------------------------------------------------------------------

Value* rot90(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const std::vector<int64_t> axes = c.axes("dims", x->rank());
  const int64_t turns = ((c.integer("k") % 4) + 4) % 4;
  if (turns == 0) return b.Identity(x);
  if (turns == 2) return flipped(b, x, axes);
  if (turns == 1) return swap_axes(b, flipped(b, x, {axes.at(1)}), axes[0], axes[1]);
  return flipped(b, swap_axes(b, x, axes.at(0), axes.at(1)), {axes[1]});
}

}  // namespace

void register_stacking(OpTable& t) {
  t.add("aten::atleast_1d(Tensor self) -> Tensor", at_least_one<1>);
  t.add("aten::atleast_2d(Tensor self) -> Tensor", at_least_one<2>);
  t.add("aten::atleast_3d(Tensor self) -> Tensor", at_least_one<3>);
  t.add("aten::atleast_1d.Sequence(Tensor[] tensors) -> Tensor[]", at_least_all<1>);
  t.add("aten::atleast_2d.Sequence(Tensor[] tensors) -> Tensor[]", at_least_all<2>);
  t.add("aten::atleast_3d.Sequence(Tensor[] tensors) -> Tensor[]", at_least_all<3>);
  t.add("aten::hstack(Tensor[] tensors) -> Tensor", hstack);
  t.add("aten::vstack(Tensor[] tensors) -> Tensor", stacked<2, 0>);
  t.add("aten::row_stack(Tensor[] tensors) -> Tensor", stacked<2, 0>);
  t.add("aten::dstack(Tensor[] tensors) -> Tensor", stacked<3, 2>);
  t.add("aten::column_stack(Tensor[] tensors) -> Tensor", column_stack);
  t.add("aten::_chunk_cat(Tensor[] tensors, int dim, int num_chunks) -> Tensor", chunk_cat);
  t.add("aten::broadcast_to(Tensor self, SymInt[] size) -> Tensor", broadcast_to);
  t.add("aten::broadcast_tensors(Tensor[] tensors) -> Tensor[]", broadcast_tensors);
  t.add("aten::meshgrid(Tensor[] tensors) -> Tensor[]", meshgrid);
  t.add("aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]", meshgrid);
  t.add("aten::cartesian_prod(Tensor[] tensors) -> Tensor", cartesian_prod);
  t.add("aten::combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor", combinations);
  const std::string size = "*, SymInt? output_size=None) -> Tensor";
  t.add("aten::repeat_interleave.Tensor(Tensor repeats, " + size, repeat_interleave);
  t.add("aten::repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, " + size, repeat_interleave);
  t.add("aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, " + size, repeat_interleave);
  t.add("aten::tensor_split.sections(Tensor self, SymInt sections, int dim=0) -> Tensor[]", tensor_split);
  t.add("aten::tensor_split.indices(Tensor self, SymInt[] indices, int dim=0) -> Tensor[]", tensor_split);
  t.add(
      "aten::tensor_split.tensor_indices_or_sections(Tensor self, Tensor tensor_indices_or_sections, int dim=0) -> "
      "Tensor[]",
      tensor_split);
  for (const auto& [name, translate] : std::initializer_list<std::pair<const char*, Translate>>{
           {"hsplit", hsplit}, {"vsplit", split_along<0>}, {"dsplit", split_along<2>}}) {
    const std::string full = "aten::" + std::string(name);
    t.add(full + ".int(Tensor self, int sections) -> Tensor[]", translate);
    t.add(full + ".array(Tensor self, int[] indices) -> Tensor[]", translate);
  }
  t.add("aten::rot90(Tensor self, int k=1, int[] dims=[0,1]) -> Tensor", rot90);
}

}  // namespace onward::importer::torch
