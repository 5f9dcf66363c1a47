// Looking up and putting back by indices: embedding, index, gather, scatter, masks.
#include <algorithm>

#include "import/torch/ops/families.h"

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
Value* take(Call& c) { return c.b.Gather(c.b.Reshape(c.tensor("self"), {-1}), c.tensor("index"), 0); }

// --- x[i, :, j] ------------------------------------------------------------------------------------------------------

// Index tensors by dimension, masks turned into the coordinates of their true elements.
struct Indices {
  std::vector<int64_t> axes;
  ir::Values tensors;  // one for each axis, int64
  bool adjacent = true;
};

Indices indices_of(Call& c) {
  ir::Builder& b = c.b;
  Indices result;
  int64_t axis = 0;
  for (Value* index : c.tensors("indices")) {
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
Value* stacked(Call& c, const Indices& indices) {
  ir::Builder& b = c.b;
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

// aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor
Value* index(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const Indices indices = indices_of(c);
  if (indices.axes.empty()) return x;
  if (indices.axes.size() == 1) return b.Gather(x, indices.tensors[0], indices.axes[0]);
  const auto rank = static_cast<int64_t>(x->rank());
  Value* places = stacked(c, indices);
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

// x[mask] = number, without looking for the mask's elements.
Value* put_number_at_mask(Call& c, Value* x, Value* mask, Value* number) {
  ir::Builder& b = c.b;
  std::vector<int64_t> axes;
  for (size_t i = mask->rank(); i < x->rank(); ++i) axes.push_back(static_cast<int64_t>(i));
  return b.Where(b.Unsqueeze(mask, axes), b.Reshape(number, b.ints({})), x);
}

// aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor
Value* index_put(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* values = b.Cast(c.tensor("values"), x->dtype);
  const bool accumulate = c.flag("accumulate");
  const ir::Values given = c.tensors("indices");
  const bool one_number = values->shape && std::all_of(values->shape->begin(), values->shape->end(),
                                                       [](const ir::Dim& d) { return d.is_known() && d.value() == 1; });
  if (given.size() == 1 && given[0]->dtype == DType::kBool && one_number && !accumulate) {
    return put_number_at_mask(c, x, given[0], values);
  }
  const Indices indices = indices_of(c);
  if (indices.axes.empty()) return b.Expand(values, b.Shape(x));
  const auto rank = static_cast<int64_t>(x->rank());
  const std::vector<int64_t> perm = front_permutation(indices, rank);
  Value* moved = b.Transpose(x, perm);
  Value* places = stacked(c, indices);
  // The shape of what is put: that of the indices, then of the other dimensions.
  const auto index_rank = static_cast<int64_t>(places->rank()) - 1;
  const auto count = static_cast<int64_t>(indices.axes.size());
  Value* index_shape = b.Slice(b.Shape(places), 0, index_rank, 0);
  Value* rest_shape = b.Slice(b.Shape(moved), count, rank, 0);
  const bool in_place = indices.adjacent && indices.axes[0] > 0;
  if (in_place) {
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
  Value* result = b.op("ScatterND", {moved, places, values}, {{"reduction", accumulate ? "add" : "none"}});
  std::vector<int64_t> back(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return b.Transpose(result, back);
}

// --- scatter ---------------------------------------------------------------------------------------------------------

Value* scatter_with(Call& c, Value* source, const std::string& reduction) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* index = c.tensor("index");
  if (x->rank() == 0) {
    Value* result = b.op("ScatterElements", {b.Unsqueeze(x, {0}), b.Reshape(index, {-1}), b.Reshape(source, {-1})},
                         {{"reduction", reduction}});
    return b.Reshape(result, b.ints({}));
  }
  return b.op("ScatterElements", {x, index, source}, {{"axis", c.axis("dim", x->rank())}, {"reduction", reduction}});
}
// Only as much of the source as there are indices counts.
Value* source_of(Call& c) {
  Value* source = c.b.Cast(c.tensor("src"), c.tensor("self")->dtype);
  Value* index = c.tensor("index");
  if (source->shape && index->shape && source->shape->size() == index->shape->size()) {
    bool same = true;
    for (size_t i = 0; i < source->shape->size(); ++i) same = same && (*source->shape)[i].same((*index->shape)[i]);
    if (same || source->shape->empty()) return source;
    std::vector<int64_t> axes;
    std::vector<int64_t> starts;
    for (size_t i = 0; i < source->shape->size(); ++i) {
      axes.push_back(static_cast<int64_t>(i));
      starts.push_back(0);
    }
    return c.b.Slice(source, c.b.ints(starts), c.b.Shape(index), c.b.ints(axes));
  }
  return source;
}
Value* scatter_source(Call& c) { return scatter_with(c, source_of(c), "none"); }
Value* scatter_value(Call& c) {
  return scatter_with(c, c.b.Expand(c.scalar("value", c.tensor("self")->dtype), c.b.Shape(c.tensor("index"))), "none");
}
std::string onnx_reduction(Call& c) {
  const std::string reduce = c.text("reduce");
  if (reduce == "add" || reduce == "sum") return "add";
  if (reduce == "multiply" || reduce == "prod") return "mul";
  if (reduce == "amax") return "max";
  if (reduce == "amin") return "min";
  c.fail("the reduction \"" + reduce + "\" is not supported");
}
Value* scatter_reduced(Call& c) {
  if (c.signature().find("include_self") != nullptr) {
    c.require(c.flag("include_self"), "include_self=False is not supported");
  }
  if (c.signature().find("src") != nullptr) return scatter_with(c, source_of(c), onnx_reduction(c));
  return scatter_with(c, c.b.Expand(c.scalar("value", c.tensor("self")->dtype), c.b.Shape(c.tensor("index"))),
                      onnx_reduction(c));
}
Value* scatter_add(Call& c) { return scatter_with(c, source_of(c), "add"); }

// --- masks -----------------------------------------------------------------------------------------------------------

Value* masked_select(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* mask = c.tensor("mask");
  Value* shape = b.Shape(b.And(b.Equal(b.Expand(b.boolean(true), b.Shape(x)), b.boolean(true)), mask));
  return b.op("Compress", {b.Reshape(b.Expand(x, shape), {-1}), b.Reshape(b.Expand(mask, shape), {-1})});
}
Value* nonzero(Call& c) { return c.b.Transpose(c.b.NonZero(c.tensor("self")), {1, 0}); }
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
  t.add("aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", scatter_source);
  t.add("aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", scatter_value);
  t.add("aten::scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor",
        scatter_reduced);
  t.add("aten::scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor",
        scatter_reduced);
  t.add("aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", scatter_add);
  t.add(
      "aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) "
      "-> Tensor",
      scatter_reduced);
  t.add("aten::masked_select(Tensor self, Tensor mask) -> Tensor", masked_select);
  t.add("aten::nonzero(Tensor self) -> Tensor", nonzero);
  t.add("aten::argwhere(Tensor self) -> Tensor", nonzero);
  t.add("aten::nonzero_numpy(Tensor self) -> Tensor[]", nonzero_tuple);
  t.add("aten::where(Tensor condition) -> Tensor[]", nonzero_tuple);
  t.add("aten::one_hot(Tensor self, SymInt num_classes=-1) -> Tensor", one_hot);
}

}  // namespace onward::importer::torch
