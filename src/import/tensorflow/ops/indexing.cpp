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
}

}  // namespace onward::importer::tf
