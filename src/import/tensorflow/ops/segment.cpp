// Reductions of rows by segment.
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// What an empty segment holds before anything is combined with it.
double neutral(std::string_view reduction, DType dtype) {
  if (reduction == "mul") return 1;
  if (reduction == "max") return lowest(dtype);
  return reduction == "min" ? highest(dtype) : 0;
}

// The rows of `data` by the vector `ids`, in `count` segments; rows with other ids are dropped.
Value* by_segment(ir::Builder& b, Value* data, Value* ids, Value* count, const char* reduction) {
  const DType dtype = data->dtype;
  const DType wide = arithmetic_dtype(dtype);
  Value* kept = within(b, ids, b.i64(0), as_scalar(b, count));
  Value* row = b.Where(kept, ids, count);
  const double start = neutral(reduction, dtype);
  Value* shape = b.Concat({b.Add(count, b.i64(1)), dims(b, data, 1)}, 0);
  Value* initial = b.Cast(b.Fill(shape, start, dtype), wide);
  Value* all = scatter(b, initial, b.Unsqueeze(row, {-1}), b.Cast(data, wide), reduction);
  return b.Cast(b.Slice(all, b.ints({0}), count, b.ints({0})), dtype);
}

// How many rows each segment has, shaped to divide `like`.
Value* lengths(ir::Builder& b, Value* ids, Value* count, Value* like) {
  Value* ones = b.Fill(b.Shape(ids), 1, DType::kInt64);
  Value* sums = by_segment(b, ones, ids, count, "add");
  Value* ranks = b.Sub(b.Unsqueeze(rank_value(b, like), {0}), b.i64(1));
  Value* shape = b.Concat({count, b.Fill(ranks, 1, DType::kInt64)}, 0);
  return b.Reshape(sums, shape);
}

Value* ids_of(Call& c, size_t index) { return c.b.Cast(c.input(index), DType::kInt64); }

// One more than the last id, 0 where there is none.
Value* segment_count(ir::Builder& b, Value* ids) {
  return b.Add(b.ReduceMax(b.Concat({ids, b.ints({-1})}, 0), {0}), b.i64(1));
}

Value* mean(ir::Builder& b, Value* data, Value* ids, Value* count, bool root) {
  Value* sum = by_segment(b, data, ids, count, "add");
  Value* number = b.Cast(b.Max(lengths(b, ids, count, data), b.i64(1)), data->dtype);
  return b.Div(sum, root ? b.Sqrt(number) : number);
}

// SegmentSum(data: T, segment_ids: Tindices) -> output: ids rise; segments without rows are 0 (1 in products)
template <int Kind>
Value* segment(Call& c) {
  ir::Builder& b = c.b;
  static constexpr const char* kReductions[] = {"add", "mul", "max", "min"};
  Value* data = c.input(0);
  Value* ids = ids_of(c, 1);
  Value* count = segment_count(b, ids);
  if (c.input_count() > 2) count = as_vector(b, c.input(2));
  Value* result = by_segment(b, data, ids, count, kReductions[Kind]);
  if (Kind < 2 || c.input_count() > 2) return result;
  Value* none = b.Equal(lengths(b, ids, count, data), b.i64(0));
  return select(b, none, b.number_like(0, result), result);
}
Value* segment_mean(Call& c) {
  Value* ids = ids_of(c, 1);
  return mean(c.b, c.input(0), ids, segment_count(c.b, ids), false);
}

// UnsortedSegmentSum(data: T, segment_ids: Tindices, num_segments: Tnumsegments) -> output: ids of any rank; segments
// without rows hold the lowest number in maxima, the highest in minima
template <int Kind>
Value* unsorted_segment(Call& c) {
  ir::Builder& b = c.b;
  static constexpr const char* kReductions[] = {"add", "mul", "max", "min"};
  Value* data = c.input(0);
  Value* ids = ids_of(c, 1);
  Value* rest = dims(b, data, static_cast<int64_t>(ids->rank()));
  Value* count = as_vector(b, c.input(2));
  Value* flat = b.Reshape(ids, {-1});
  Value* rows = b.op("Reshape", {data, b.Concat({b.Shape(flat), rest}, 0)}, {{"allowzero", 1}});
  Value* result = by_segment(b, rows, flat, count, kReductions[Kind]);
  if (Kind < 2 || !ir::is_floating(data->dtype)) return result;
  // Finite, as TensorFlow has it.
  const double edge = data->dtype == DType::kDouble    ? std::numeric_limits<double>::max()
                      : data->dtype == DType::kFloat16 ? 65504.0
                                                       : double{std::numeric_limits<float>::max()};
  Value* none = b.Equal(lengths(b, flat, count, rows), b.i64(0));
  return select(b, none, b.number_like(Kind == 2 ? -edge : edge, result), result);
}

// --- sparse ----------------------------------------------------------------------------------------------------------

// SparseSegmentSum(data: T, indices: Tidx, segment_ids: Tsegmentids) -> output: of the rows `indices` of data. The
// WithNumSegments forms say how many segments there are.
enum class Sparse { kSum, kMean, kRoot };
template <Sparse Kind>
Value* sparse_segment(Call& c) {
  ir::Builder& b = c.b;
  Value* rows = b.Gather(c.input(0), b.Cast(c.input(1), DType::kInt64), 0);
  Value* ids = ids_of(c, 2);
  Value* count = c.input_count() > 3 ? as_vector(b, c.input(3)) : segment_count(b, ids);
  if (Kind == Sparse::kSum) return by_segment(b, rows, ids, count, "add");
  return mean(b, rows, ids, count, Kind == Sparse::kRoot);
}

}  // namespace

void register_segment(OpTable& t) {
  t.add("SegmentSum", segment<0>);
  t.add("SegmentProd", segment<1>);
  t.add("SegmentMax", segment<2>);
  t.add("SegmentMin", segment<3>);
  t.add("SegmentSumV2", segment<0>);
  t.add("SegmentProdV2", segment<1>);
  t.add("SegmentMaxV2", segment<2>);
  t.add("SegmentMinV2", segment<3>);
  t.add("SegmentMean", segment_mean);
  t.add("UnsortedSegmentSum", unsorted_segment<0>);
  t.add("UnsortedSegmentProd", unsorted_segment<1>);
  t.add("UnsortedSegmentMax", unsorted_segment<2>);
  t.add("UnsortedSegmentMin", unsorted_segment<3>);
  for (const std::string end : {"", "WithNumSegments"}) {
    t.add("SparseSegmentSum" + end, sparse_segment<Sparse::kSum>);
    t.add("SparseSegmentMean" + end, sparse_segment<Sparse::kMean>);
    t.add("SparseSegmentSqrtN" + end, sparse_segment<Sparse::kRoot>);
  }
}

}  // namespace onward::importer::tf
