// Ragged tensors: flat values with row splits.
#include "import/tensorflow/ops/families.h"

namespace onward::importer::tf {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

Value* iota(Builder& b, Value* count) { return b.Range(b.i64(0), b.Reshape(count, std::vector<int64_t>{}), b.i64(1)); }

// One level of rows: which row each item is in, and its place there.
struct Rows {
  Value* count = nullptr;  // of rows, [1]
  Value* row = nullptr;    // of each item
  Value* column = nullptr;
};

Rows placed(Builder& b, Value* count, Value* row, Value* splits) {
  return {count, row, b.Sub(iota(b, b.dim(row, 0)), b.Gather(splits, row, 0))};
}

// splits [0, 2, 2, 5] → rows 0 0 2 2 2: a row begins where the running number of splits grows.
Rows from_splits(Builder& b, Value* splits, Value* items) {
  splits = b.Cast(splits, DType::kInt64);
  Value* inner = b.Slice(splits, 1, -1, 0);
  Value* zeros = b.Fill(b.Add(items, b.i64(1)), 0, DType::kInt64);
  Value* ones = b.Fill(b.Shape(inner), 1, DType::kInt64);
  Value* marks = b.op("ScatterElements", {zeros, inner, ones}, {{"axis", 0}, {"reduction", "add"}});
  Value* row = b.Slice(b.op("CumSum", {marks, b.i64(0)}), 0, -1, 0);
  return placed(b, b.Sub(b.dim(splits, 0), b.i64(1)), row, splits);
}

Rows from_row_ids(Builder& b, Value* ids, Value* count) {
  ids = b.Cast(ids, DType::kInt64);
  Value* zeros = b.Fill(count, 0, DType::kInt64);
  Value* ones = b.Fill(b.Shape(ids), 1, DType::kInt64);
  Value* lengths = b.op("ScatterElements", {zeros, ids, ones}, {{"axis", 0}, {"reduction", "add"}});
  Value* starts = b.op("CumSum", {lengths, b.i64(0)}, {{"exclusive", 1}});
  return placed(b, count, ids, starts);
}

// Row, then column at each level, of each value.
ir::Values coordinates(Builder& b, const std::vector<Rows>& levels) {
  ir::Values places{levels[0].row, levels[0].column};
  for (size_t i = 1; i < levels.size(); ++i) {
    for (Value*& place : places) place = b.Gather(place, levels[i].row, 0);
    places.push_back(levels[i].column);
  }
  return places;
}

// The number of rows, then the longest row at each level; [1] each.
ir::Values bounds(Builder& b, const std::vector<Rows>& levels) {
  ir::Values sizes{levels[0].count};
  for (const Rows& level : levels) {
    // A zero in front: there may be no items.
    Value* ends = b.Concat({b.ints({0}), b.Add(level.column, b.i64(1))}, 0);
    sizes.push_back(b.reduce("ReduceMax", ends, {0}, true));
  }
  return sizes;
}

Value* stacked_columns(Builder& b, const ir::Values& places) {
  ir::Values columns;
  for (Value* place : places) columns.push_back(b.Unsqueeze(place, {1}));
  return b.Concat(columns, 1);
}

// The levels of RaggedTensorToTensor's row partitions.
std::vector<Rows> partition_levels(Call& c) {
  Builder& b = c.b;
  const std::vector<std::string> types = c.texts("row_partition_types");
  c.require(c.input_count() == types.size() + 3 && !types.empty(), "its row partitions are malformed");
  const bool sized = types[0] == "FIRST_DIM_SIZE";
  const size_t count = types.size() - (sized ? 1 : 0);
  Value* rows = sized ? b.Reshape(b.Cast(c.input(3), DType::kInt64), {1}) : nullptr;
  std::vector<Rows> levels;
  for (size_t i = 0; i < count; ++i) {
    const size_t at = i + (sized ? 1 : 0);
    Value* partition = c.input(3 + at);
    // The items of a level are the rows of the next, and at last the values.
    if (types[at] == "VALUE_ROWIDS") {
      c.require(rows != nullptr, "it does not say how many rows there are");
      levels.push_back(from_row_ids(b, partition, rows));
    } else {
      c.require(types[at] == "ROW_SPLITS", "row partitions of type " + types[at] + " are not supported");
      Value* items = b.Slice(b.Cast(partition, DType::kInt64), -1, kEnd, 0);
      levels.push_back(from_splits(b, partition, items));
    }
    rows = b.dim(levels.back().row, 0);
  }
  c.require(!levels.empty(), "it has no row partitions");
  return levels;
}

// RaggedTensorToTensor(shape: Tshape, values: T, default_value: T, row_partition_tensors: num_row_partition_tensors *
//                      Tindex, row_partition_types: list(string)) -> result
Value* to_tensor(Call& c) {
  Builder& b = c.b;
  const std::vector<Rows> levels = partition_levels(c);
  Value* values = c.input(1);
  ir::Values places = coordinates(b, levels);
  ir::Values sizes = bounds(b, levels);
  const auto wanted = c.known_ints(0);
  c.require(wanted.has_value(), "its shape is only known when the model runs");
  Value* keep = nullptr;
  for (size_t i = 0; i < wanted->size() && i < sizes.size() && c.input(0)->rank() == 1; ++i) {
    if ((*wanted)[i] < 0) continue;
    sizes[i] = b.ints({(*wanted)[i]});
    Value* inside = b.Less(places[i], sizes[i]);
    keep = keep == nullptr ? inside : b.And(keep, inside);
  }
  Value* index = stacked_columns(b, places);
  if (keep != nullptr) {
    Value* kept = b.Squeeze(b.NonZero(keep), {0});
    index = b.Gather(index, kept, 0);
    values = b.Gather(values, kept, 0);
  }
  sizes.push_back(b.Slice(b.Shape(values), 1, kEnd, 0));
  Value* blank = b.Expand(c.input(2), b.Concat(sizes, 0));
  return b.op("ScatterND", {blank, index, values});
}

std::vector<Rows> nested_levels(Call& c, size_t count) {
  std::vector<Rows> levels;
  for (size_t i = 0; i < count; ++i) {
    Value* splits = c.b.Cast(c.input(i), DType::kInt64);
    levels.push_back(from_splits(c.b, splits, c.b.Slice(splits, -1, kEnd, 0)));
  }
  c.require(!levels.empty(), "it has no row splits");
  return levels;
}

// RaggedTensorToSparse(rt_nested_splits: RAGGED_RANK * Tsplits, rt_dense_values: T)
//   -> sparse_indices: int64, sparse_values: T, sparse_dense_shape: int64
ir::Values to_sparse(Call& c) {
  Builder& b = c.b;
  const auto rank = static_cast<size_t>(c.integer("RAGGED_RANK", 1));
  c.require(c.input_count() == rank + 1 && c.input(rank)->has_rank() && c.input(rank)->rank() == 1,
            "ragged tensors with inner dimensions are not supported here");
  const std::vector<Rows> levels = nested_levels(c, rank);
  return {stacked_columns(b, coordinates(b, levels)), c.input(rank), b.Concat(bounds(b, levels), 0)};
}

Value* splits_of(Builder& b, Value* lengths) { return b.Concat({b.ints({0}), b.op("CumSum", {lengths, b.i64(0)})}, 0); }

// RaggedRange(starts: T, limits: T, deltas: T, Tsplits: type = int64) -> rt_nested_splits: Tsplits, rt_dense_values: T
ir::Values range(Call& c) {
  Builder& b = c.b;
  const DType dtype = c.input(0)->dtype;
  const DType wide = ir::is_floating(dtype) ? dtype : DType::kInt64;
  // Scalars stand for every row.
  ir::Values ends;
  for (size_t i = 0; i < 3; ++i) ends.push_back(b.Reshape(b.Cast(c.input(i), wide), {-1}));
  Value* zero = b.number(0, wide);
  Value* span = b.Sub(ends[1], ends[0]);
  Value* step = ends[2];
  Value* lengths = nullptr;
  if (ir::is_floating(wide)) {
    lengths = b.Cast(b.Ceil(b.Div(span, step)), DType::kInt64);
  } else {
    // Rounded up: (span + step - sign(step)) / step
    lengths = b.Div(b.Sub(b.Add(span, step), b.Sign(step)), step);
  }
  Value* backwards = b.Not(b.Equal(b.Sign(span), b.Sign(step)));
  lengths = b.Where(backwards, b.ints({0}), b.Max(lengths, b.i64(0)));
  Value* splits = splits_of(b, lengths);
  const Rows rows = from_splits(b, splits, b.Slice(splits, -1, kEnd, 0));
  Value* every = b.Shape(lengths);
  Value* start = b.Gather(b.Expand(b.Add(ends[0], zero), every), rows.row, 0);
  Value* stride = b.Gather(b.Expand(step, every), rows.row, 0);
  Value* values = b.Add(start, b.Mul(b.Cast(rows.column, wide), stride));
  return {b.Cast(splits, c.dtype("Tsplits", tensorflow::DataType::kInt64)), b.Cast(values, dtype)};
}

// RaggedGather(params_nested_splits: PARAMS_RAGGED_RANK * Tsplits, params_dense_values, indices)
//   -> output_nested_splits: OUTPUT_RAGGED_RANK * Tsplits, output_dense_values
ir::Values gather(Call& c) {
  Builder& b = c.b;
  Value* indices = c.input(c.input_count() - 1);
  const bool plain =
      c.integer("PARAMS_RAGGED_RANK", 1) == 1 && c.input_count() == 3 && indices->has_rank() && indices->rank() == 1;
  c.require(plain, "only rows of a tensor with one ragged dimension are gathered");
  Value* splits = b.Cast(c.input(0), DType::kInt64);
  Value* at = b.Cast(indices, DType::kInt64);
  Value* starts = b.Gather(splits, at, 0);
  Value* lengths = b.Sub(b.Gather(splits, b.Add(at, b.i64(1)), 0), starts);
  Value* out = splits_of(b, lengths);
  const Rows rows = from_splits(b, out, b.Slice(out, -1, kEnd, 0));
  Value* from = b.Add(b.Gather(starts, rows.row, 0), rows.column);
  return {b.Cast(out, c.input(0)->dtype), b.Gather(c.input(1), from, 0)};
}

}  // namespace

void register_ragged(OpTable& t) {
  t.add("RaggedTensorToTensor", to_tensor);
  t.add("RaggedTensorToSparse -> sparse_indices, sparse_values, sparse_dense_shape", to_sparse);
  t.add("RaggedRange -> rt_nested_splits, rt_dense_values", range);
  t.add("RaggedGather -> output_nested_splits*OUTPUT_RAGGED_RANK, output_dense_values", gather);
}

}  // namespace onward::importer::tf
