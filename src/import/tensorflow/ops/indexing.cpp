// Gathering and scattering by index.
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

Value* indices_of(Call& c, size_t index) {
  Value* x = c.input(index);
  return x->dtype == DType::kInt32 || x->dtype == DType::kInt64 ? x : c.b.Cast(x, DType::kInt64);
}

// The first `batch` dimensions of both go together.
Value* batched_gather(Call& c, Value* x, Value* indices, size_t axis, size_t batch) {
  ir::Builder& b = c.b;
  Value* front = move_axis(b, x, axis, batch);
  Value* taken = b.op("GatherND", {front, b.Unsqueeze(b.Cast(indices, DType::kInt64), {-1})},
                      {{"batch_dims", static_cast<int64_t>(batch)}});
  // [batch…, indices…, between…, behind…] → [batch…, between…, indices…, behind…]
  const size_t between = axis - batch;
  const size_t inner = indices->rank() - batch;
  std::vector<int64_t> perm;
  for (const int64_t i : all_axes(taken->rank())) perm.push_back(i);
  for (size_t i = 0; i < between; ++i) perm[batch + i] = static_cast<int64_t>(batch + inner + i);
  for (size_t i = 0; i < inner; ++i) perm[batch + between + i] = static_cast<int64_t>(batch + i);
  return b.Transpose(taken, perm);
}

Value* gathered(Call& c, Value* x, Value* indices, int64_t axis) {
  int64_t batch = c.integer("batch_dims");
  if (batch < 0) batch += static_cast<int64_t>(indices->rank());
  if (batch == 0) return c.b.Gather(x, indices, axis);
  const int64_t at = c.axis(axis, x);
  c.require(at >= batch, "its axis lies within its batch dimensions");
  return batched_gather(c, x, indices, static_cast<size_t>(at), static_cast<size_t>(batch));
}

// GatherV2(params: Tparams, indices: Tindices, axis: Taxis, batch_dims: int = 0) -> output
Items gather_v2(Call& c) {
  const int64_t axis = c.input_count() > 2 ? c.constant_int(2, "axis") : 0;
  Value* indices = indices_of(c, 1);
  if (const auto* complex = c.item(0).get_if<Complex>()) {
    c.require(c.integer("batch_dims") == 0, "complex numbers are not supported together with batch_dims");
    return {Complex{c.b.Gather(complex->pairs, indices, axis < 0 ? axis - 1 : axis)}};
  }
  return {gathered(c, c.input(0), indices, axis)};
}
// ResourceGather(resource, indices: Tindices, batch_dims: int = 0, validate_indices: bool = true, dtype: type) ->
// output
Value* resource_gather(Call& c) {
  const int64_t batch = c.integer("batch_dims");
  return gathered(c, c.tensor_of(variable_content(c, c.resource(0)), "the variable"), indices_of(c, 1), batch);
}

Value* gathered_nd(Call& c, Value* x) {
  ir::Builder& b = c.b;
  Value* indices = b.Cast(c.input(1), DType::kInt64);
  const ir::Dim last = indices->has_rank() && indices->rank() > 0 ? indices->shape->back() : ir::Dim();
  // No index at all: all of `x` each time.
  if (last.is_known() && last.value() == 0) return b.Expand(x, b.Concat({dims(b, indices, 0, -1), b.Shape(x)}, 0));
  return b.op("GatherND", {x, indices});
}
// GatherNd(params: Tparams, indices: Tindices) -> output
Value* gather_nd(Call& c) { return gathered_nd(c, c.input(0)); }
// ResourceGatherNd(resource, indices: Tindices, dtype: type) -> output
Value* resource_gather_nd(Call& c) {
  return gathered_nd(c, c.tensor_of(variable_content(c, c.resource(0)), "the variable"));
}

// --- regrouping ------------------------------------------------------------------------------------------------------

// DynamicStitch(indices: N * int32, data: N * T) -> merged
Value* dynamic_stitch(Call& c) {
  ir::Builder& b = c.b;
  const size_t count = c.input_count() / 2;
  c.require(count > 0, "it stitches nothing");
  ir::Values indices;
  ir::Values rows;
  for (size_t i = 0; i < count; ++i) {
    Value* index = c.input(i);
    Value* data = c.input(count + i);
    indices.push_back(b.Reshape(b.Cast(index, DType::kInt64), {-1}));
    const auto rank = static_cast<int64_t>(index->rank());
    rows.push_back(reshape(b, data, b.Concat({b.ints({-1}), dims(b, data, rank)}, 0)));
  }
  Value* index = b.Concat(indices, 0);
  Value* data = b.Concat(rows, 0);
  // The greatest index tells the size; there may be none.
  Value* size = b.Add(b.ReduceMax(b.Concat({index, b.ints({-1})}, 0), {0}), b.i64(1));
  Value* zeros = b.Fill(b.Concat({size, dims(b, data, 1)}, 0), 0, data->dtype);
  return b.op("ScatterND", {zeros, b.Unsqueeze(index, {-1}), data});
}

// DynamicPartition(data: T, partitions: int32, num_partitions: int) -> outputs: num_partitions * T
ir::Values dynamic_partition(Call& c) {
  ir::Builder& b = c.b;
  Value* data = c.input(0);
  Value* part = c.input(1);
  const int64_t count = c.integer("num_partitions");
  c.require(count > 0 && count < 65536, "its number of partitions is out of range");
  Value* rows = reshape(b, data, b.Concat({b.ints({-1}), dims(b, data, static_cast<int64_t>(part->rank()))}, 0));
  Value* flat = b.Reshape(part, {-1});
  ir::Values results;
  for (int64_t i = 0; i < count; ++i) {
    Value* here = b.Equal(flat, b.number_like(static_cast<double>(i), flat));
    results.push_back(b.op("Compress", {rows, here}, {{"axis", 0}}));
  }
  return results;
}

// InvertPermutation(x: T) -> y
Value* invert_permutation(Call& c) {
  Value* x = c.input(0);
  Value* numbers = c.b.Cast(counting(c.b, c.b.Size(x)), x->dtype);
  return c.b.op("ScatterElements", {numbers, c.b.Cast(x, DType::kInt64), numbers}, {{"axis", 0}});
}

// SparseToDense(sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T) -> dense
Value* sparse_to_dense(Call& c) {
  ir::Builder& b = c.b;
  Value* indices = b.Cast(c.input(0), DType::kInt64);
  const size_t rank = indices->rank();
  if (rank < 2) indices = b.Reshape(indices, {-1, 1});
  Value* data = b.Expand(c.input(3), as_vector(b, c.input(1)));
  Value* values = b.Expand(c.input(2), dims(b, indices, 0, 1));
  return b.op("ScatterND", {data, indices, values});
}

// SparseTensorDenseMatMul(a_indices: Tindices, a_values: T, a_shape: int64, b: T, adjoint_a: bool = false, adjoint_b:
// bool = false) -> product
Value* sparse_dense_product(Call& c) {
  ir::Builder& b = c.b;
  Value* zeros = b.Fill(as_vector(b, c.input(2)), 0, c.input(1)->dtype);
  Value* left = scatter(b, zeros, c.input(0), c.input(1), "add");
  Value* right = c.input(3);
  if (c.flag("adjoint_a")) left = b.Transpose(left, {1, 0});
  if (c.flag("adjoint_b")) right = b.Transpose(right, {1, 0});
  return b.MatMul(left, right);
}

// SparseFillEmptyRows(indices: int64, values: T, dense_shape: int64, default_value: T) -> output_indices,
// output_values, empty_row_indicator, reverse_index_map
ir::Values fill_empty_rows(Call& c) {
  ir::Builder& b = c.b;
  Value* indices = c.input(0);
  Value* values = c.input(1);
  Value* rows = b.Slice(as_vector(b, c.input(2)), 0, 1, 0);
  Value* row = b.Select(indices, 0, 1);
  Value* ones = b.Fill(b.Shape(row), 1, DType::kInt64);
  Value* counts = scatter(b, b.Fill(rows, 0, DType::kInt64), b.Unsqueeze(row, {-1}), ones, "add");
  Value* empty = b.Equal(counts, b.i64(0));
  // Where each entry lands: behind those of the rows before it and the filled rows before it.
  Value* lengths = b.Max(counts, b.i64(1));
  Value* none = b.i64(0);
  Value* starts = b.op("CumSum", {lengths, none}, {{"exclusive", 1}});
  Value* own_starts = b.op("CumSum", {counts, none}, {{"exclusive", 1}});
  // Stable order within a row: the number of entries of the same row before this one, entries being sorted by row.
  Value* place = b.Add(b.Gather(starts, row, 0), b.Sub(counting(b, b.Size(row)), b.Gather(own_starts, row, 0)));
  Value* total = b.ReduceSum(lengths, {0});
  Value* empty_rows = b.Squeeze(b.NonZero(empty), {0});
  Value* empty_places = b.Gather(starts, empty_rows, 0);
  Value* width = b.dim(indices, 1);
  Value* filler = b.op("Pad", {b.Unsqueeze(empty_rows, {1}), b.Concat({b.ints({0, 0, 0}), b.Sub(width, b.i64(1))}, 0)},
                       {{"mode", "constant"}});
  Value* all = b.Unsqueeze(b.Concat({place, empty_places}, 0), {-1});
  Value* out_indices =
      b.op("ScatterND", {b.Fill(b.Concat({total, width}, 0), 0, DType::kInt64), all, b.Concat({indices, filler}, 0)});
  Value* defaults = b.Expand(c.input(3), b.Shape(empty_rows));
  Value* blank = b.Expand(c.input(3), total);
  Value* out_values = b.op("ScatterND", {blank, all, b.Concat({values, defaults}, 0)});
  return {out_indices, out_values, empty, place};
}

// --- sparse tensors: indices [n, rank], values [n], shape [rank] -----------------------------------------------------

struct Sparse {
  Value* indices;
  Value* values;
  Value* shape;
};
Sparse sparse_input(Call& c, size_t first) {
  ir::Builder& b = c.b;
  return {b.Cast(c.input(first), DType::kInt64), c.input(first + 1),
          b.Cast(as_vector(b, c.input(first + 2)), DType::kInt64)};
}

int64_t rank_of(Call& c, const Value* shape) {
  c.require(shape->dim(0).is_known(), "its rank is only known when the model runs");
  return shape->dim(0).value();
}

// The place of each element in the flat tensor, [n]; and back.
Value* flat_places(Call& c, Value* indices, Value* shape) {
  ir::Builder& b = c.b;
  Value* place = nullptr;
  for (int64_t i = 0; i < rank_of(c, shape); ++i) {
    Value* index = b.Select(indices, i, 1);
    place = place == nullptr ? index : b.Add(b.Mul(place, b.Select(shape, i, 0)), index);
  }
  c.require(place != nullptr, "a sparse scalar is not supported");
  return place;
}
Value* indices_of(Call& c, Value* place, Value* shape) {
  ir::Builder& b = c.b;
  ir::Values columns;
  for (int64_t i = rank_of(c, shape) - 1; i >= 0; --i) {
    Value* size = b.Max(b.Select(shape, i, 0), b.i64(1));
    columns.insert(columns.begin(), b.Unsqueeze(b.Mod(place, size), {1}));
    place = b.Div(place, size);
  }
  return b.Concat(columns, 1);
}

Value* dense_of(Call& c, const Sparse& x, double blank) {
  ir::Builder& b = c.b;
  return scatter(b, b.Fill(x.shape, blank, x.values->dtype), x.indices, x.values, "none");
}

// In the order of a dense tensor's elements.
Sparse in_order(Call& c, const Sparse& x) {
  ir::Builder& b = c.b;
  Value* place = flat_places(c, x.indices, x.shape);
  const ir::Values order = b.ops("TopK", {place, b.dim(place, 0)}, 2, {{"axis", 0}, {"largest", 0}, {"sorted", 1}});
  return {b.Gather(x.indices, order[1], 0), b.Gather(x.values, order[1], 0), x.shape};
}

// SparseReorder(input_indices: int64, input_values: T, input_shape: int64) -> output_indices, output_values
ir::Values sparse_reorder(Call& c) {
  const Sparse x = in_order(c, sparse_input(c, 0));
  return {x.indices, x.values};
}

// SparseReshape(input_indices: int64, input_shape: int64, new_shape: int64) -> output_indices, output_shape
ir::Values sparse_reshape(Call& c) {
  ir::Builder& b = c.b;
  Value* shape = as_vector(b, c.input(1));
  Value* wanted = as_vector(b, c.input(2));
  Value* open = b.Less(wanted, b.i64(0));
  Value* rest = b.Div(product(b, shape), b.Max(product(b, b.Where(open, b.i64(1), wanted)), b.i64(1)));
  Value* result = b.Where(open, rest, wanted);
  return {indices_of(c, flat_places(c, c.input(0), shape), result), result};
}

// SparseConcat(indices: N * int64, values: N * T, shapes: N * int64, concat_dim: int) -> output_indices, output_values,
// output_shape
ir::Values sparse_concat(Call& c) {
  ir::Builder& b = c.b;
  const size_t count = c.input_count() / 3;
  Value* shape = as_vector(b, c.input(2 * count));
  const int64_t rank = rank_of(c, shape);
  int64_t axis = c.integer("concat_dim");
  axis += axis < 0 ? rank : 0;
  c.require(axis >= 0 && axis < rank, "its dimension is out of range");
  std::vector<int64_t> unit(static_cast<size_t>(rank), 0);
  unit[static_cast<size_t>(axis)] = 1;
  Value* offset = b.ints({0});
  ir::Values indices;
  ir::Values values;
  for (size_t i = 0; i < count; ++i) {
    indices.push_back(b.Add(c.input(i), b.Mul(b.ints(unit), offset)));
    values.push_back(c.input(count + i));
    offset = b.Add(offset, b.Slice(as_vector(b, c.input(2 * count + i)), axis, axis + 1, 0));
  }
  Value* total = b.Where(b.Equal(b.ints(unit), b.i64(1)), offset, shape);
  const Sparse all = in_order(c, {b.Concat(indices, 0), b.Concat(values, 0), total});
  return {all.indices, all.values, total};
}

// The elements within [start, start + size).
Sparse sliced(Call& c, const Sparse& x, Value* start, Value* size) {
  ir::Builder& b = c.b;
  Value* end = b.Min(b.Add(start, size), x.shape);
  Value* inside = b.And(b.GreaterOrEqual(x.indices, start), b.Less(x.indices, end));
  Value* kept = b.Cast(b.ReduceMin(b.Cast(inside, DType::kInt32), {1}, false), DType::kBool);
  return {b.Sub(b.op("Compress", {x.indices, kept}, {{"axis", 0}}), start),
          b.op("Compress", {x.values, kept}, {{"axis", 0}}), b.Max(b.Sub(end, start), b.i64(0))};
}

// SparseSlice(indices: int64, values: T, shape: int64, start: int64, size: int64) -> output_indices, output_values,
// output_shape
ir::Values sparse_slice(Call& c) {
  const Sparse x = sliced(c, sparse_input(c, 0), as_vector(c.b, c.input(3)), as_vector(c.b, c.input(4)));
  return {x.indices, x.values, x.shape};
}

// SparseSplit(split_dim: int64, indices: int64, values: T, shape: int64, num_split: int) -> output_indices: num_split *
// int64, output_values: num_split * T, output_shape: num_split * int64: the first parts are larger by one where it does
// not divide evenly
ir::Values sparse_split(Call& c) {
  ir::Builder& b = c.b;
  const Sparse x = sparse_input(c, 1);
  const int64_t rank = rank_of(c, x.shape);
  int64_t axis = c.constant_int(0, "dimension");
  axis += axis < 0 ? rank : 0;
  const int64_t count = c.integer("num_split");
  c.require(axis >= 0 && axis < rank && count > 0, "its dimension is out of range");
  std::vector<int64_t> unit(static_cast<size_t>(rank), 0);
  unit[static_cast<size_t>(axis)] = 1;
  Value* along_axis = b.ints(unit);
  Value* size = b.Slice(x.shape, axis, axis + 1, 0);
  Value* share = b.Div(size, b.i64(count));
  Value* larger = b.Mod(size, b.i64(count));
  ir::Values indices;
  ir::Values values;
  ir::Values shapes;
  Value* start = b.ints({0});
  for (int64_t i = 0; i < count; ++i) {
    Value* length = b.Add(share, b.Cast(b.Less(b.ints({i}), larger), DType::kInt64));
    Value* sizes = b.Where(b.Equal(along_axis, b.i64(1)), length, x.shape);
    const Sparse part = sliced(c, x, b.Mul(along_axis, start), sizes);
    indices.push_back(part.indices);
    values.push_back(part.values);
    shapes.push_back(part.shape);
    start = b.Add(start, length);
  }
  indices.insert(indices.end(), values.begin(), values.end());
  indices.insert(indices.end(), shapes.begin(), shapes.end());
  return indices;
}

// Both tensors' elements where either has one: [u] places, and each one's values there, zero where it has none.
struct Union {
  Value* places;
  Value* first;
  Value* second;
};
Union united(Call& c, const Sparse& x, const Sparse& y) {
  ir::Builder& b = c.b;
  const ir::Values all =
      b.ops("Unique", {b.Concat({flat_places(c, x.indices, x.shape), flat_places(c, y.indices, y.shape)}, 0)}, 3,
            {{"sorted", 1}});
  Value* count = b.dim(x.indices, 0);
  Value* zeros = b.Fill(b.dim(all[0], 0), 0, x.values->dtype);
  const auto spread = [&](Value* at, Value* values) {
    return b.op("ScatterElements", {zeros, at, values}, {{"axis", 0}});
  };
  Value* axis = b.ints({0});
  return {all[0], spread(b.Slice(all[2], axis, count, axis), x.values),
          spread(b.Slice(all[2], count, b.ints({kToEnd}), axis), y.values)};
}

// SparseAdd(a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, b_shape: int64, thresh:
// Treal)
// -> sum_indices, sum_values, sum_shape: without what is smaller than thresh
ir::Values sparse_add(Call& c) {
  ir::Builder& b = c.b;
  const Sparse x = sparse_input(c, 0);
  const Union both = united(c, x, sparse_input(c, 3));
  Value* sum = b.Add(both.first, both.second);
  Value* kept = b.GreaterOrEqual(b.Abs(sum), b.Cast(as_scalar(b, c.input(6)), sum->dtype));
  Value* places = b.op("Compress", {both.places, kept}, {{"axis", 0}});
  return {indices_of(c, places, x.shape), b.op("Compress", {sum, kept}, {{"axis", 0}}), x.shape};
}

// SparseSparseMaximum(a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, b_shape: int64) ->
// output_indices, output_values
template <Value* (ir::Builder::*Node)(Value*, Value*)>
ir::Values sparse_extreme(Call& c) {
  const Sparse x = sparse_input(c, 0);
  const Union both = united(c, x, sparse_input(c, 3));
  return {indices_of(c, both.places, x.shape), (c.b.*Node)(both.first, both.second)};
}

// SparseTensorDenseAdd(a_indices: Tindices, a_values: T, a_shape: Tindices, b: T) -> output
Value* sparse_dense_add(Call& c) { return scatter(c.b, c.input(3), c.input(0), c.input(1), "add"); }

// SparseDenseCwiseMul(sp_indices: int64, sp_values: T, sp_shape: int64, dense: T) -> output: the values
template <Value* (ir::Builder::*Node)(Value*, Value*)>
Value* sparse_with_dense(Call& c) {
  ir::Builder& b = c.b;
  const Sparse x = sparse_input(c, 0);
  Value* other = b.op("GatherND", {b.Expand(c.input(3), x.shape), x.indices});
  return (b.*Node)(x.values, other);
}

// SparseReduceSum(input_indices: int64, input_values: T, input_shape: int64, reduction_axes: int32, keep_dims: bool =
// false) -> output; SparseReduceMax gives 0 where there is nothing
template <bool Sum>
Value* sparse_reduce(Call& c) {
  ir::Builder& b = c.b;
  const Sparse x = sparse_input(c, 0);
  std::vector<int64_t> axes = c.constant_ints(3, "axes");
  const bool keep = c.flag("keep_dims");
  if (Sum) return b.ReduceSum(scatter(b, b.Fill(x.shape, 0, x.values->dtype), x.indices, x.values, "add"), axes, keep);
  Value* most = b.ReduceMax(dense_of(c, x, lowest(x.values->dtype)), axes, keep);
  Value* ones = b.Fill(b.Shape(x.values), 1, x.values->dtype);
  Value* count = b.ReduceSum(scatter(b, b.Fill(x.shape, 0, ones->dtype), x.indices, ones, "add"), axes, keep);
  return b.Where(b.Equal(count, b.number_like(0, count)), b.number_like(0, most), most);
}

// SparseSoftmax(sp_indices: int64, sp_values: T, sp_shape: int64) -> output: of the values of each row
Value* sparse_softmax(Call& c) {
  const Sparse x = sparse_input(c, 0);
  return c.b.op("GatherND", {c.b.Softmax(dense_of(c, x, lowest(x.values->dtype)), -1), x.indices});
}

// SetSize(set_indices: int64, set_values: T, set_shape: int64) -> size: of the sets along the last axis
Value* set_size(Call& c) {
  ir::Builder& b = c.b;
  const Sparse x = sparse_input(c, 0);
  Value* ones = b.Fill(dims(b, x.indices, 0, 1), 1, DType::kInt32);
  Value* counts = scatter(b, b.Fill(x.shape, 0, DType::kInt32), x.indices, ones, "add");
  return b.ReduceSum(counts, {-1}, false);
}

}  // namespace

void register_indexing(OpTable& t) {
  t.add("Gather", gather_v2);
  t.add("GatherV2", gather_v2);
  t.add("GatherNd", gather_nd);
  t.add("ResourceGather", resource_gather);
  t.add("ResourceGatherNd", resource_gather_nd);
  t.add("DynamicStitch", dynamic_stitch);
  t.add("ParallelDynamicStitch", dynamic_stitch);
  t.add("DynamicPartition", dynamic_partition);
  t.add("InvertPermutation", invert_permutation);
  t.add("SparseToDense", sparse_to_dense);
  t.add("SparseTensorDenseMatMul", sparse_dense_product);
  t.add("SparseFillEmptyRows -> output_indices, output_values, empty_row_indicator, reverse_index_map",
        fill_empty_rows);
  t.add("SparseReorder -> output_indices, output_values", sparse_reorder);
  t.add("SparseReshape -> output_indices, output_shape", sparse_reshape);
  t.add("SparseConcat -> output_indices, output_values, output_shape", sparse_concat);
  t.add("SparseSlice -> output_indices, output_values, output_shape", sparse_slice);
  t.add("SparseSplit -> output_indices*num_split, output_values*num_split, output_shape*num_split", sparse_split);
  t.add("SparseAdd -> sum_indices, sum_values, sum_shape", sparse_add);
  t.add("SparseSparseMaximum -> output_indices, output_values", sparse_extreme<&ir::Builder::Max>);
  t.add("SparseSparseMinimum -> output_indices, output_values", sparse_extreme<&ir::Builder::Min>);
  t.add("SparseTensorDenseAdd", sparse_dense_add);
  t.add("SparseDenseCwiseAdd", sparse_with_dense<&ir::Builder::Add>);
  t.add("SparseDenseCwiseMul", sparse_with_dense<&ir::Builder::Mul>);
  t.add("SparseDenseCwiseDiv", sparse_with_dense<&ir::Builder::Div>);
  t.add("SparseReduceSum", sparse_reduce<true>);
  t.add("SparseReduceMax", sparse_reduce<false>);
  t.add("SparseSoftmax", sparse_softmax);
  t.add("SetSize", set_size);
}

}  // namespace onward::importer::tf
