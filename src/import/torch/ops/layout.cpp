// Shapes and order of elements: view, permute, slice, select, cat, stack, split, expand, pad and the like.
#include <algorithm>
#include <limits>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::Value;

// --- reshaping -------------------------------------------------------------------------------------------------------

// aten::view(Tensor self, SymInt[] size)
Value* view(Call& c, std::string_view sizes) {
  Value* x = c.tensor("self");
  if (!c.known(sizes)) return c.b.op("Reshape", {x, c.int_vector(sizes)}, {{"allowzero", 1}});
  const std::vector<int64_t> shape = c.integers(sizes);
  const bool zero = std::find(shape.begin(), shape.end(), 0) != shape.end();
  const bool open = std::find(shape.begin(), shape.end(), -1) != shape.end();
  if (zero && open) {  // ONNX refuses both at once; the open dimension of an empty tensor is 0 or does not matter
    std::vector<int64_t> closed = shape;
    std::replace(closed.begin(), closed.end(), int64_t{-1}, int64_t{0});
    return c.b.op("Reshape", {x, c.b.ints(closed)}, {{"allowzero", 1}});
  }
  if (zero) return c.b.op("Reshape", {x, c.b.ints(shape)}, {{"allowzero", 1}});
  return c.b.Reshape(x, shape);
}
Value* view_size(Call& c) { return view(c, "size"); }
Value* view_shape(Call& c) { return view(c, "shape"); }
Value* view_as(Call& c) { return c.b.Reshape(c.tensor("self"), c.b.Shape(c.tensor("other"))); }

// aten::flatten.using_ints(Tensor self, int start_dim=0, int end_dim=-1)
Value* flatten(Call& c) {
  Value* x = c.tensor("self");
  const bool all_but_first = c.integer("start_dim") == 1 && c.integer("end_dim") == -1;
  if (!x->has_rank() && all_but_first) return c.b.op("Flatten", {x}, {{"axis", 1}});
  if (!x->has_rank() && c.integer("start_dim") == 0 && c.integer("end_dim") == -1) return c.b.Reshape(x, {-1});
  const size_t rank = x->rank();
  if (rank == 0) return c.b.Reshape(x, {1});
  const int64_t start = c.axis("start_dim", rank);
  const int64_t end = c.axis("end_dim", rank);
  c.require(start <= end, "start_dim lies behind end_dim");
  if (start == end) return x;
  const auto last = static_cast<int64_t>(rank) - 1;
  if (start == 0 && end == last) return c.b.Reshape(x, {-1});
  if (start == 1 && end == last) return c.b.op("Flatten", {x}, {{"axis", 1}});
  Value* shape = c.b.Shape(x);
  ir::Values parts;
  if (start > 0) parts.push_back(c.b.Slice(shape, 0, start, 0));
  parts.push_back(c.b.ints({-1}));
  if (end < last) parts.push_back(c.b.Slice(shape, end + 1, kToEnd, 0));
  return c.b.Reshape(x, c.b.Concat(parts, 0));
}
Value* ravel(Call& c) { return c.b.Reshape(c.tensor("self"), {-1}); }

// aten::unflatten.int(Tensor self, int dim, SymInt[] sizes)
Value* unflatten(Call& c) {
  Value* x = c.tensor("self");
  const size_t rank = x->rank();
  const int64_t axis = c.axis("dim", rank);
  Value* shape = c.b.Shape(x);
  ir::Values parts;
  if (axis > 0) parts.push_back(c.b.Slice(shape, 0, axis, 0));
  parts.push_back(c.int_vector("sizes"));
  if (axis + 1 < static_cast<int64_t>(rank)) parts.push_back(c.b.Slice(shape, axis + 1, kToEnd, 0));
  return c.b.Reshape(x, c.b.Concat(parts, 0));
}

Value* unsqueeze(Call& c) {
  Value* x = c.tensor("self");
  int64_t axis = c.integer("dim");
  if (axis < 0 && x->has_rank()) axis += c.rank("self") + 1;
  return c.b.Unsqueeze(x, {axis});
}

Value* squeeze_axes(Call& c, const std::vector<int64_t>& axes) {
  Value* x = c.tensor("self");
  std::vector<int64_t> gone;
  for (const int64_t axis : axes) {
    if (x->rank() == 0) break;
    const ir::Dim dim = x->dim(static_cast<size_t>(axis));
    if (dim.is_known() && dim.value() == 1) gone.push_back(axis);
  }
  return c.b.Squeeze(x, gone);
}
Value* squeeze(Call& c) {
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < c.rank("self"); ++i) axes.push_back(i);
  return squeeze_axes(c, axes);
}
Value* squeeze_dim(Call& c) {
  Value* x = c.tensor("self");
  // A dimension that only the run will know is taken to be 1: that is what a program squeezes.
  if (!x->has_rank()) return c.b.Squeeze(x, {c.integer("dim")});
  if (x->rank() == 0) return x;
  const int64_t axis = c.axis("dim", x->rank());
  if (!x->dim(static_cast<size_t>(axis)).is_known()) return x;
  return squeeze_axes(c, {axis});
}
Value* squeeze_dims(Call& c) { return squeeze_axes(c, c.axes("dim", c.tensor("self")->rank())); }

// Summed down to a smaller shape: the dimensions in front, and those of size 1 there.
Value* sum_to_size(Call& c) {
  Value* x = c.tensor("self");
  const std::vector<int64_t> sizes = c.integers("size");
  const size_t front = x->rank() - sizes.size();
  std::vector<int64_t> gone = all_axes(front);
  std::vector<int64_t> kept;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 1 && !is_size(x, front + i, 1)) kept.push_back(static_cast<int64_t>(front + i));
  }
  if (!ir::is_floating(x->dtype)) x = c.b.Cast(x, ir::DType::kInt64);
  if (!kept.empty()) x = c.b.ReduceSum(x, kept);
  return gone.empty() ? x : c.b.ReduceSum(x, gone, false);
}

// --- order -----------------------------------------------------------------------------------------------------------

Value* swapped(Call& c, int64_t a, int64_t b) {
  std::vector<int64_t> perm;
  for (int64_t i = 0; i < c.rank("self"); ++i) perm.push_back(i == a ? b : i == b ? a : i);
  return c.b.Transpose(c.tensor("self"), perm);
}
Value* transpose(Call& c) {
  const size_t rank = c.tensor("self")->rank();
  const bool axes = c.signature().find("axis0") != nullptr;
  return swapped(c, c.axis(axes ? "axis0" : "dim0", rank), c.axis(axes ? "axis1" : "dim1", rank));
}
Value* t(Call& c) { return c.rank("self") < 2 ? c.tensor("self") : swapped(c, 0, 1); }
Value* last_two(Call& c) { return swapped(c, c.rank("self") - 2, c.rank("self") - 1); }
Value* reversed(Call& c) {
  std::vector<int64_t> perm;
  for (int64_t i = c.rank("self"); i-- > 0;) perm.push_back(i);
  return c.b.Transpose(c.tensor("self"), perm);
}
Value* permute(Call& c) {
  std::vector<int64_t> perm = c.integers("dims");
  for (int64_t& axis : perm) {
    if (axis < 0) axis += static_cast<int64_t>(perm.size());
  }
  return c.b.Transpose(c.tensor("self"), perm);
}
Value* movedim(Call& c) {
  const size_t rank = c.tensor("self")->rank();
  const std::vector<int64_t> from = c.axes("source", rank);
  const std::vector<int64_t> to = c.axes("destination", rank);
  std::vector<int64_t> perm(rank, -1);
  for (size_t i = 0; i < from.size(); ++i) perm[static_cast<size_t>(to.at(i))] = from[i];
  int64_t next = 0;
  for (int64_t& axis : perm) {
    if (axis >= 0) continue;
    while (std::find(from.begin(), from.end(), next) != from.end()) ++next;
    axis = next++;
  }
  return c.b.Transpose(c.tensor("self"), perm);
}

// --- parts -----------------------------------------------------------------------------------------------------------

// A bound as a vector of one; a missing one is `fallback`.
Value* bound(Call& c, std::string_view name, int64_t fallback) {
  if (!c.given(name)) return c.b.ints({fallback});
  return c.known(name) ? c.b.ints({c.integer(name)}) : c.b.Unsqueeze(c.int_scalar(name), {0});
}

// aten::slice.Tensor(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1)
Value* slice(Call& c) {
  Value* x = c.tensor("self");
  const int64_t axis = x->has_rank() ? c.axis("dim", x->rank()) : c.integer("dim");
  const int64_t step = c.integer("step");
  const bool from_start = !c.given("start") || (c.known("start") && c.integer("start") == 0);
  const bool to_end = !c.given("end") || (c.known("end") && c.integer("end") >= kToEnd / 2);
  if (from_start && to_end && step == 1) return x;
  return c.b.Slice(x, bound(c, "start", 0), bound(c, "end", kToEnd), c.b.ints({axis}),
                   step == 1 ? nullptr : c.b.ints({step}));
}

Value* narrow(Call& c) {
  Value* x = c.tensor("self");
  const int64_t axis = c.axis("dim", x->rank());
  if (c.known("start") && c.known("length")) {
    const int64_t start = c.integer("start");
    const int64_t end = start + c.integer("length");
    return c.b.Slice(x, start, start < 0 && end == 0 ? kToEnd : end, axis);
  }
  Value* start = c.b.Unsqueeze(c.int_scalar("start"), {0});
  return c.b.Slice(x, start, c.b.Add(start, c.b.Unsqueeze(c.int_scalar("length"), {0})), c.b.ints({axis}));
}

// aten::select.int(Tensor self, int dim, SymInt index)
Value* select(Call& c) {
  Value* x = c.tensor("self");
  const int64_t axis = x->has_rank() ? c.axis("dim", x->rank()) : c.integer("dim");
  return c.b.Gather(x, c.known("index") ? c.b.i64(c.integer("index")) : c.int_scalar("index"), axis);
}

ir::Values split_sizes(Call& c, const std::vector<int64_t>& sizes) {
  return c.b.Split(c.tensor("self"), sizes, c.axis("dim", c.tensor("self")->rank()));
}
int64_t known_size(Call& c, int64_t axis) {
  const ir::Dim dim = c.tensor("self")->dim(static_cast<size_t>(axis));
  c.require(dim.is_known(), "into how many parts the tensor falls is only known when the model runs");
  return dim.value();
}
std::vector<int64_t> even_sizes(int64_t total, int64_t part) {
  std::vector<int64_t> sizes;
  for (int64_t left = total; left > 0; left -= part) sizes.push_back(std::min(left, part));
  if (sizes.empty()) sizes.push_back(0);
  return sizes;
}
// aten::split.Tensor(Tensor self, SymInt split_size, int dim=0)
ir::Values split(Call& c) {
  const int64_t axis = c.axis("dim", c.tensor("self")->rank());
  return split_sizes(c, even_sizes(known_size(c, axis), std::max<int64_t>(1, c.integer("split_size"))));
}
ir::Values split_with_sizes(Call& c) {
  const char* name = c.signature().find("split_sizes") != nullptr ? "split_sizes" : "split_size";
  if (c.known(name)) return split_sizes(c, c.integers(name));
  const size_t parts = c.arg(name).list()->size();
  return c.b.ops("Split", {c.tensor("self"), c.int_vector(name)}, parts,
                 {{"axis", c.axis("dim", c.tensor("self")->rank())}});
}
// aten::chunk(Tensor self, int chunks, int dim=0)
ir::Values chunk(Call& c) {
  const int64_t axis = c.axis("dim", c.tensor("self")->rank());
  const int64_t chunks = c.integer("chunks");
  c.require(chunks > 0, "chunks must be positive");
  const ir::Dim dim = c.tensor("self")->dim(static_cast<size_t>(axis));
  if (!dim.is_known()) {  // equal parts, the last one smaller: what ONNX's num_outputs gives
    return c.b.ops("Split", {c.tensor("self")}, static_cast<size_t>(chunks), {{"axis", axis}, {"num_outputs", chunks}});
  }
  return split_sizes(c, even_sizes(dim.value(), std::max<int64_t>(1, (dim.value() + chunks - 1) / chunks)));
}
ir::Values unbind(Call& c) {
  const int64_t axis = c.axis("dim", c.tensor("self")->rank());
  ir::Values parts;
  for (int64_t i = 0, count = known_size(c, axis); i < count; ++i)
    parts.push_back(c.b.Select(c.tensor("self"), i, axis));
  return parts;
}

// --- joining ---------------------------------------------------------------------------------------------------------

Value* cat(Call& c) {
  ir::Values parts = c.tensors("tensors");
  // PyTorch skips empty tensors of one dimension.
  ir::Values kept;
  for (Value* part : parts) {
    const bool legacy = part->shape && part->shape->size() == 1 && part->dim(0).is_known() && part->dim(0).value() == 0;
    if (!legacy) kept.push_back(part);
  }
  if (kept.empty()) kept = {parts.at(0)};
  const ir::DType dtype = c.promoted_dtype({"tensors"});
  for (Value*& part : kept) part = c.b.Cast(part, dtype);
  int64_t axis = c.integer("dim");
  for (const Value* part : kept) {
    if (axis < 0 && part->has_rank()) axis += static_cast<int64_t>(part->rank());
  }
  return c.b.Concat(kept, axis);
}
Value* stack(Call& c) {
  ir::Values parts = c.tensors("tensors");
  const ir::DType dtype = c.promoted_dtype({"tensors"});
  int64_t axis = c.integer("dim");
  if (axis < 0) axis += static_cast<int64_t>(parts.at(0)->rank()) + 1;
  for (Value*& part : parts) part = c.b.Unsqueeze(c.b.Cast(part, dtype), {axis});
  return c.b.Concat(parts, axis);
}

// --- repeating -------------------------------------------------------------------------------------------------------

// aten::expand(Tensor self, SymInt[] size, *, bool implicit=False): -1 keeps a dimension.
Value* expand(Call& c) {
  Value* x = c.tensor("self");
  if (!c.known("size")) {
    Value* sizes = c.int_vector("size");
    return c.b.Expand(x, c.b.Max(sizes, c.b.ints(std::vector<int64_t>(c.arg("size").list()->size(), 1))));
  }
  std::vector<int64_t> sizes = c.integers("size");
  std::replace(sizes.begin(), sizes.end(), int64_t{-1}, int64_t{1});  // ONNX broadcasts both ways
  return c.b.Expand(x, c.b.ints(sizes));
}
Value* shape_as_tensor(Call& c) { return c.b.Shape(c.tensor("self")); }

Value* expand_as(Call& c) { return c.b.Expand(c.tensor("self"), c.b.Shape(c.tensor("other"))); }

Value* tile(Call& c, std::string_view name) {
  Value* x = c.tensor("self");
  const size_t wanted = c.arg(name).list() == nullptr ? 1 : c.arg(name).list()->size();
  const size_t rank = x->rank();
  Value* repeats = c.int_vector(name);
  if (wanted > rank) {
    std::vector<int64_t> axes;
    for (size_t i = 0; i < wanted - rank; ++i) axes.push_back(static_cast<int64_t>(i));
    x = c.b.Unsqueeze(x, axes);
  } else if (wanted < rank) {
    repeats = c.b.Concat({c.b.ints(std::vector<int64_t>(rank - wanted, 1)), repeats}, 0);
  }
  return c.b.Tile(x, repeats);
}
Value* repeat(Call& c) { return tile(c, "repeats"); }
Value* tile_dims(Call& c) { return tile(c, "dims"); }

Value* identity(Call& c) { return c.tensor("self"); }
Value* copied(Call& c) { return c.b.Identity(c.tensor("self")); }

void register_reshaping(OpTable& t_) {
  t_.add("aten::view(Tensor self, SymInt[] size) -> Tensor", view_size);
  t_.add("aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor", view_size);
  t_.add("aten::reshape(Tensor self, SymInt[] shape) -> Tensor", view_shape);
  t_.add("aten::view_as(Tensor self, Tensor other) -> Tensor", view_as);
  t_.add("aten::reshape_as(Tensor self, Tensor other) -> Tensor", view_as);
  t_.add("aten::flatten.using_ints(Tensor self, int start_dim=0, int end_dim=-1) -> Tensor", flatten);
  t_.add("aten::ravel(Tensor self) -> Tensor", ravel);
  t_.add("aten::sum_to_size(Tensor self, SymInt[] size) -> Tensor", sum_to_size);
  t_.add("aten::unflatten.int(Tensor self, int dim, SymInt[] sizes) -> Tensor", unflatten);
  t_.add("aten::unsqueeze(Tensor self, int dim) -> Tensor", unsqueeze);
  t_.add("aten::squeeze(Tensor self) -> Tensor", squeeze);
  t_.add("aten::squeeze.dim(Tensor self, int dim) -> Tensor", squeeze_dim);
  t_.add("aten::squeeze.dims(Tensor self, int[] dim) -> Tensor", squeeze_dims);
  t_.add("aten::transpose.int(Tensor self, int dim0, int dim1) -> Tensor", transpose);
  t_.add("aten::swapdims(Tensor self, int dim0, int dim1) -> Tensor", transpose);
  t_.add("aten::swapaxes(Tensor self, int axis0, int axis1) -> Tensor", transpose);
  t_.add("aten::t(Tensor self) -> Tensor", t);
  for (const char* name : {"aten::mT", "aten::mH", "prim::mT", "prim::mH", "aten::matrix_H", "aten::adjoint"}) {
    t_.add(name + std::string("(Tensor self) -> Tensor"), last_two);
  }
  for (const char* name : {"aten::numpy_T", "prim::T"}) t_.add(name + std::string("(Tensor self) -> Tensor"), reversed);
  t_.add("aten::permute(Tensor self, int[] dims) -> Tensor", permute);
  for (const char* name : {"aten::movedim", "aten::moveaxis"}) {
    t_.add(name + std::string(".intlist(Tensor self, int[] source, int[] destination) -> Tensor"), movedim);
    t_.add(name + std::string(".int(Tensor self, int source, int destination) -> Tensor"), movedim);
  }
}

void register_parts(OpTable& t_) {
  t_.add("aten::slice.Tensor(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor",
         slice);
  t_.add("aten::narrow(Tensor self, int dim, SymInt start, SymInt length) -> Tensor", narrow);
  t_.add("aten::select.int(Tensor self, int dim, SymInt index) -> Tensor", select);
  for (const char* name : {"aten::split", "aten::unsafe_split"}) {
    t_.add(name + std::string(".Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]"), split);
  }
  t_.add("aten::split.sizes(Tensor self, SymInt[] split_size, int dim=0) -> Tensor[]", split_with_sizes);
  for (const char* name : {"aten::split_with_sizes", "aten::unsafe_split_with_sizes"}) {
    t_.add(name + std::string("(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]"), split_with_sizes);
  }
  for (const char* name : {"aten::chunk", "aten::unsafe_chunk"}) {
    t_.add(name + std::string("(Tensor self, int chunks, int dim=0) -> Tensor[]"), chunk);
  }
  t_.add("aten::unbind.int(Tensor self, int dim=0) -> Tensor[]", unbind);
  for (const char* name : {"aten::cat", "aten::concat", "aten::concatenate"}) {
    t_.add(name + std::string("(Tensor[] tensors, int dim=0) -> Tensor"), cat);
  }
  t_.add("aten::stack(Tensor[] tensors, int dim=0) -> Tensor", stack);
}

}  // namespace

void register_layout(OpTable& table) {
  register_reshaping(table);
  register_parts(table);
  table.add("aten::expand(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor", expand);
  table.add("aten::_shape_as_tensor(Tensor self) -> Tensor", shape_as_tensor);
  table.add("aten::expand_as(Tensor self, Tensor other) -> Tensor", expand_as);
  table.add("aten::repeat(Tensor self, SymInt[] repeats) -> Tensor", repeat);
  table.add("aten::tile(Tensor self, SymInt[] dims) -> Tensor", tile_dims);
  for (const char* name : {"aten::detach", "aten::alias", "aten::lift_fresh", "aten::resolve_conj", "aten::resolve_neg",
                           "prim::data", "aten::data"}) {
    table.add(name + std::string("(Tensor self) -> Tensor"), identity);
  }
  table.add("aten::contiguous(Tensor self, *, MemoryFormat memory_format=contiguous_format) -> Tensor", identity);
  table.add("aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", copied);
}

}  // namespace onward::importer::torch
