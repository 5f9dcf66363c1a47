// Looking up and putting back by indices: embedding, index, gather, scatter, masks.
#include "import/torch/ops/indexing.h"

#include <algorithm>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

Value* embedding(Call& c) { return c.b.Gather(c.tensor("weight"), c.tensor("indices"), 0); }
Value* index_select(Call& c) {
  Value* x = c.tensor("self");
  Value* index = c.tensor("index");
  if (index->rank() == 0) index = c.b.Unsqueeze(index, {0});
  return x->rank() == 0 ? c.b.Reshape(x, c.b.ints({})) : c.b.Gather(x, index, c.axis("dim", x->rank()));
}
Value* gather(Call& c) {
  Value* x = c.tensor("self");
  Value* index = c.tensor("index");
  if (x->rank() == 0) return index->rank() == 0 ? x : c.b.Expand(x, c.b.Shape(index));
  return c.b.op("GatherElements", {x, index}, {{"axis", c.axis("dim", x->rank())}});
}
// The index and the tensor broadcast against each other, but along the dimension itself.
Value* take_along_dim(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* index = c.tensor("indices");
  if (!c.given("dim")) {
    return b.op("GatherElements", {b.Reshape(x, {-1}), b.Reshape(index, {-1})}, {{"axis", 0}});
  }
  const size_t rank = x->rank();
  const int64_t axis = c.axis("dim", rank);
  const auto widened = [&](Value* value, Value* other) {
    ir::Values dims;
    for (size_t i = 0; i < rank; ++i) {
      const auto at = static_cast<int64_t>(i);
      dims.push_back(at == axis ? b.dim(value, at) : b.Max(b.dim(value, at), b.dim(other, at)));
    }
    return b.Expand(value, b.Concat(dims, 0));
  };
  bool same = true;
  for (size_t i = 0; i < rank; ++i) {
    if (static_cast<int64_t>(i) != axis) same = same && x->dim(i).same(index->dim(i));
  }
  if (!same) {
    Value* wide = widened(x, index);
    index = widened(index, x);
    x = wide;
  }
  return b.op("GatherElements", {x, index}, {{"axis", axis}});
}
Value* take(Call& c) { return c.b.Gather(c.b.Reshape(c.tensor("self"), {-1}), c.tensor("index"), 0); }

// --- x[i, :, j] ------------------------------------------------------------------------------------------------------

// Index tensors by dimension, masks turned into the coordinates of their true elements.
struct Indices {
  std::vector<int64_t> axes;
  ir::Values tensors;  // one for each axis, int64
  bool adjacent = true;
};

Indices indices_of(ir::Builder& b, const ir::Values& given) {
  Indices result;
  int64_t axis = 0;
  for (Value* index : given) {
    if (index == nullptr) {
      ++axis;
      continue;
    }
    const bool mask = index->dtype == DType::kBool || index->dtype == DType::kUInt8;
    if (!mask) {
      result.axes.push_back(axis++);
      result.tensors.push_back(b.Cast(index, DType::kInt64));
      continue;
    }
    const auto dims = static_cast<int64_t>(index->rank());
    Value* found = b.NonZero(b.Cast(index, DType::kBool));  // [dims, n]
    for (int64_t i = 0; i < dims; ++i) {
      result.axes.push_back(axis++);
      result.tensors.push_back(b.Select(found, i, 0));
    }
  }
  for (size_t i = 1; i < result.axes.size(); ++i) {
    if (result.axes[i] != result.axes[i - 1] + 1) result.adjacent = false;
  }
  return result;
}

// All index tensors in one shape, stacked along a last dimension.
Value* stacked(ir::Builder& b, const Indices& indices) {
  Value* zero = b.i64(0);
  Value* sum = zero;
  for (Value* index : indices.tensors) sum = b.Add(sum, b.Mul(index, zero));  // the common shape
  ir::Values columns;
  for (Value* index : indices.tensors) {
    Value* wide = indices.tensors.size() == 1 ? index : b.Add(index, sum);
    columns.push_back(b.Unsqueeze(wide, {-1}));
  }
  return b.Concat(columns, -1);
}

// Dimensions that are indexed to the front, the others behind.
std::vector<int64_t> front_permutation(const Indices& indices, int64_t rank) {
  std::vector<int64_t> perm = indices.axes;
  for (int64_t i = 0; i < rank; ++i) {
    if (std::find(indices.axes.begin(), indices.axes.end(), i) == indices.axes.end()) perm.push_back(i);
  }
  return perm;
}

// x[mask] = number, without looking for the mask's elements.
Value* put_number_at_mask(ir::Builder& b, Value* x, Value* mask, Value* number) {
  std::vector<int64_t> axes;
  for (size_t i = mask->rank(); i < x->rank(); ++i) axes.push_back(static_cast<int64_t>(i));
  return b.Where(b.Unsqueeze(mask, axes), b.Reshape(number, b.ints({})), x);
}

bool is_one_number(const Value* values) {
  return values->shape && std::all_of(values->shape->begin(), values->shape->end(),
                                      [](const ir::Dim& d) { return d.is_known() && d.value() == 1; });
}

// aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor
Value* index(Call& c) { return take_at(c.b, c.tensor("self"), c.tensors("indices")); }
// aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor
Value* index_put(Call& c) {
  Value* x = c.tensor("self");
  return put_at(c.b, x, c.tensors("indices"), c.b.Cast(c.tensor("values"), x->dtype), c.flag("accumulate"));
}

// --- under a mask: what it leaves out is neither looked up nor added ------------------------------------------------

// Indices brought into range: what lies outside is masked anyway.
ir::Values clamped_indices(Call& c, Value* x) {
  ir::Builder& b = c.b;
  ir::Values indices = c.tensors("indices");
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] == nullptr) continue;
    Value* size = b.dim_scalar(x, static_cast<int64_t>(i));
    Value* wide = b.Cast(indices[i], DType::kInt64);
    indices[i] = b.Min(b.Max(wide, b.Neg(size)), b.Sub(size, b.i64(1)));
  }
  return indices;
}
// aten::_unsafe_masked_index(Tensor self, Tensor mask, Tensor?[] indices, Scalar fill) -> Tensor
Value* masked_index(Call& c) {
  Value* x = c.tensor("self");
  Value* found = take_at(c.b, x, clamped_indices(c, x));
  return c.b.Where(c.tensor("mask"), found, c.scalar("fill", x->dtype));
}
Value* masked_index_put(Call& c) {
  Value* x = c.tensor("self");
  Value* values = c.b.Where(c.tensor("mask"), c.tensor("values"), c.b.number_like(0, c.tensor("values")));
  return put_at(c.b, x, clamped_indices(c, x), values, true);
}

// --- masks -----------------------------------------------------------------------------------------------------------

Value* masked_select(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* mask = c.tensor("mask");
  Value* shape = b.Shape(b.And(b.Equal(b.Expand(b.boolean(true), b.Shape(x)), b.boolean(true)), mask));
  return b.op("Compress", {b.Reshape(b.Expand(x, shape), {-1}), b.Reshape(b.Expand(mask, shape), {-1})});
}
// The mask's elements are filled from the source's first ones, in order.
Value* masked_scatter(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* shape = broadcast_shape(b, {x, c.tensor("mask")});
  Value* mask = b.Reshape(b.Expand(c.tensor("mask"), shape), {-1});
  Value* flat = b.Reshape(b.Expand(x, shape), {-1});
  Value* places = b.Transpose(b.NonZero(mask), {1, 0});
  Value* source = b.Cast(b.Reshape(c.tensor("source"), {-1}), x->dtype);
  Value* needed = b.Slice(source, b.ints({0}), b.dim(places, 0), b.ints({0}));
  return b.Reshape(b.op("ScatterND", {flat, places, needed}), shape);
}
// One row for each element that is not zero. A rank 0 tensor's rows have no columns.
Value* places_of(ir::Builder& b, Value* x) {
  if (x->rank() > 0) return b.Transpose(b.NonZero(x), {1, 0});
  Value* count = b.Unsqueeze(b.Cast(b.Cast(x, DType::kBool), DType::kInt64), {0});
  return b.Fill(b.Concat({count, b.ints({0})}, 0), 0, DType::kInt64);
}
// As many rows as asked for: cut, or filled up.
Value* nonzero_static(Call& c) {
  ir::Builder& b = c.b;
  Value* found = places_of(b, c.tensor("self"));
  Value* size = b.Unsqueeze(c.int_scalar("size"), {0});
  Value* missing = b.Max(b.Sub(size, b.dim(found, 0)), b.ints({0}));
  Value* filler = b.Expand(b.i64(c.integer("fill_value")), b.Concat({missing, b.dim(found, 1)}, 0));
  return b.Slice(b.Concat({found, filler}, 0), b.ints({0}), size, b.ints({0}));
}
Value* nonzero(Call& c) { return places_of(c.b, c.tensor("self")); }
ir::Values nonzero_tuple(Call& c) {
  Value* x = c.tensor(c.signature().find("condition") != nullptr ? "condition" : "self");
  Value* found = c.b.NonZero(x);
  ir::Values columns;
  for (size_t i = 0; i < x->rank(); ++i) columns.push_back(c.b.Select(found, static_cast<int64_t>(i), 0));
  return columns;
}

Value* one_hot(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const bool known = c.known("num_classes");
  Value* depth = known && c.integer("num_classes") == -1 ? b.Add(b.ReduceMax(x, {}, false), b.i64(1))
                                                         : c.int_scalar("num_classes");
  return b.op("OneHot", {x, b.Unsqueeze(depth, {0}), b.ints({0, 1})}, {{"axis", -1}});
}

}  // namespace

Value* take_at(ir::Builder& b, Value* x, const ir::Values& given) {
  const Indices indices = indices_of(b, given);
  if (indices.axes.empty()) return x;
  if (indices.axes.size() == 1) return b.Gather(x, indices.tensors[0], indices.axes[0]);
  const auto rank = static_cast<int64_t>(x->rank());
  Value* places = stacked(b, indices);
  Value* found = b.op("GatherND", {b.Transpose(x, front_permutation(indices, rank)), places});
  const auto index_rank = static_cast<int64_t>(places->rank()) - 1;
  if (!indices.adjacent || indices.axes[0] == 0) return found;
  // The indexed dimensions' result stands where the first of them was.
  std::vector<int64_t> perm;
  for (int64_t i = 0; i < indices.axes[0]; ++i) perm.push_back(index_rank + i);
  for (int64_t i = 0; i < index_rank; ++i) perm.push_back(i);
  const int64_t others = rank - static_cast<int64_t>(indices.axes.size());
  for (int64_t i = indices.axes[0]; i < others; ++i) perm.push_back(index_rank + i);
  return b.Transpose(found, perm);
}

Value* put_at(ir::Builder& b, Value* x, const ir::Values& given, Value* values, bool accumulate) {
  if (given.size() == 1 && given[0]->dtype == DType::kBool && is_one_number(values) && !accumulate) {
    return put_number_at_mask(b, x, given[0], values);
  }
  const Indices indices = indices_of(b, given);
  if (indices.axes.empty()) return b.Expand(values, b.Shape(x));
  const auto rank = static_cast<int64_t>(x->rank());
  const std::vector<int64_t> perm = front_permutation(indices, rank);
  Value* moved = b.Transpose(x, perm);
  Value* places = stacked(b, indices);
  // The shape of what is put: that of the indices, then of the other dimensions.
  const auto index_rank = static_cast<int64_t>(places->rank()) - 1;
  const auto count = static_cast<int64_t>(indices.axes.size());
  Value* index_shape = b.Slice(b.Shape(places), 0, index_rank, 0);
  Value* rest_shape = b.Slice(b.Shape(moved), count, rank, 0);
  if (indices.adjacent && indices.axes[0] > 0) {
    // `values` is laid out as the result of x[indices]: bring its index dimensions to the front.
    const int64_t first = indices.axes[0];
    Value* before = b.Slice(rest_shape, 0, first, 0);
    Value* after = b.Slice(rest_shape, first, rank, 0);
    values = b.Expand(values, b.Concat({before, index_shape, after}, 0));
    std::vector<int64_t> order;
    for (int64_t i = 0; i < index_rank; ++i) order.push_back(first + i);
    for (int64_t i = 0; i < first; ++i) order.push_back(i);
    for (int64_t i = first + index_rank; i < index_rank + rank - count; ++i) order.push_back(i);
    values = b.Transpose(values, order);
  } else {
    values = b.Expand(values, b.Concat({index_shape, rest_shape}, 0));
  }
  const DType dtype = x->dtype;
  const bool narrow = accumulate && (dtype == DType::kBool || dtype == DType::kFloat16);  // no kernel adds those
  if (narrow) {
    const DType wide = dtype == DType::kBool ? DType::kInt32 : DType::kFloat;
    moved = b.Cast(moved, wide);
    values = b.Cast(values, wide);
  }
  Value* result = b.op("ScatterND", {moved, places, values}, {{"reduction", accumulate ? "add" : "none"}});
  std::vector<int64_t> back(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return b.Transpose(b.Cast(result, dtype), back);
}

void register_indexing(OpTable& t) {
  t.add(
      "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, "
      "bool sparse=False) -> Tensor",
      embedding);
  t.add("aten::index_select(Tensor self, int dim, Tensor index) -> Tensor", index_select);
  t.add("aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor", gather);
  t.add("aten::take(Tensor self, Tensor index) -> Tensor", take);
  t.add("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", index);
  t.add("aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor", index_put);
  t.add("aten::_unsafe_index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", index);
  t.add("aten::_unsafe_index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
        index_put);
  t.add("aten::_unsafe_masked_index(Tensor self, Tensor mask, Tensor?[] indices, Scalar fill) -> Tensor", masked_index);
  t.add(
      "aten::_unsafe_masked_index_put_accumulate(Tensor self, Tensor mask, Tensor?[] indices, Tensor values) -> Tensor",
      masked_index_put);
  t.add("aten::take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor", take_along_dim);
  t.add("aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor", masked_scatter);
  t.add("aten::nonzero_static(Tensor self, *, SymInt size, int fill_value=-1) -> Tensor", nonzero_static);
  t.add("aten::masked_select(Tensor self, Tensor mask) -> Tensor", masked_select);
  t.add("aten::nonzero(Tensor self) -> Tensor", nonzero);
  t.add("aten::argwhere(Tensor self) -> Tensor", nonzero);
  t.add("aten::nonzero_numpy(Tensor self) -> Tensor[]", nonzero_tuple);
  t.add("aten::where(Tensor condition) -> Tensor[]", nonzero_tuple);
  t.add("aten::one_hot(Tensor self, SymInt num_classes=-1) -> Tensor", one_hot);
}

}  // namespace onward::importer::torch
