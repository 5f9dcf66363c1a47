// Diagonals and bands of matrices.
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// The diagonals from `low` (below the main one, negative) to `high`, and how short ones are aligned.
struct Band {
  int64_t low = 0;
  int64_t high = 0;
  bool left_above = false;  // superdiagonals start at the left
  bool left_below = true;
  int64_t count() const { return high - low + 1; }
};

Band band_of(Call& c, size_t index) {
  Band band;
  if (c.input_count() <= index || c.node().op.find('V') == std::string::npos) return band;
  const std::vector<int64_t> k = c.constant_ints(index, "k");
  c.require(k.size() == 1 || k.size() == 2, "its k is no number or pair");
  band.low = k.front();
  band.high = k.back();
  c.require(band.low <= band.high, "its band is empty");
  const bool v2 = c.node().op.ends_with("V2");
  const std::string align = v2 ? "LEFT_LEFT" : c.text("align", "RIGHT_LEFT");
  band.left_above = align.starts_with("LEFT");
  band.left_below = align.ends_with("LEFT");
  return band;
}

// Rank 0 numbers about a matrix of rows x columns and its band.
struct Sizes {
  Value* rows;
  Value* columns;
  Value* longest;  // diagonal of the band
};

Value* length_of(ir::Builder& b, Value* rows, Value* columns, Value* diagonal) {
  return b.Min(b.Add(rows, b.Min(diagonal, b.i64(0))), b.Sub(columns, b.Max(diagonal, b.i64(0))));
}

Value* longest(ir::Builder& b, Value* rows, Value* columns, const Band& band) {
  const int64_t nearest = band.low > 0 ? band.low : band.high < 0 ? band.high : 0;
  return length_of(b, rows, columns, b.i64(nearest));
}

// By how much the elements of `diagonal` are moved from the left.
Value* offset_of(ir::Builder& b, const Sizes& s, const Band& band, Value* diagonal) {
  Value* slack = b.Sub(s.longest, length_of(b, s.rows, s.columns, diagonal));
  Value* none = b.i64(0);
  return b.Where(b.GreaterOrEqual(diagonal, none), band.left_above ? none : slack, band.left_below ? none : slack);
}

// For each place of the matrix [rows, columns]: whether it lies in the band, and where its number is in the diagonals
// [count, longest], flattened.
struct Places {
  Value* inside;
  Value* index;
};
Places places_in_diagonals(ir::Builder& b, const Sizes& s, const Band& band) {
  Value* row = b.Unsqueeze(counting(b, s.rows), {1});
  Value* column = b.Unsqueeze(counting(b, s.columns), {0});
  Value* diagonal = b.Sub(column, row);
  Value* inside = b.And(b.GreaterOrEqual(diagonal, b.i64(band.low)), b.LessOrEqual(diagonal, b.i64(band.high)));
  Value* along = b.Add(b.Min(row, column), offset_of(b, s, band, diagonal));
  Value* index = b.Add(b.Mul(b.Sub(b.i64(band.high), diagonal), s.longest), along);
  return {inside, b.Where(inside, index, b.i64(0))};
}

// The matrix's elements that come from the diagonals `x` ([…, count, longest], or […, longest] of one).
Value* spread(ir::Builder& b, Value* x, const Places& places, const Band& band) {
  Value* head = dims(b, x, 0, band.count() > 1 ? -2 : -1);
  Value* flat = band.count() > 1 ? b.Reshape(x, b.Concat({head, b.ints({-1})}, 0)) : x;
  return b.Gather(flat, places.index, -1);
}

// A size that is given, or -1.
std::optional<int64_t> given_size(Call& c, size_t index) {
  if (c.input_count() <= index) return std::nullopt;
  const auto known = c.known_ints(index);
  if (!known || known->size() != 1 || known->front() < 0) return std::nullopt;
  return known->front();
}

// MatrixDiagV3(diagonal: T, k: int32, num_rows: int32, num_cols: int32, padding_value: T, align: string =
// "RIGHT_LEFT") -> output
Value* matrix_diag(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const Band band = band_of(c, 1);
  Value* length = b.dim_scalar(x, -1);
  // The least square that holds the band; what is given decides, then the other follows.
  Value* least_rows = b.Sub(length, b.i64(std::min<int64_t>(band.high, 0)));
  Value* least_columns = b.Add(length, b.i64(std::max<int64_t>(band.low, 0)));
  Value* square = b.Max(least_rows, least_columns);
  const bool sized = c.input_count() > 3;
  const auto rows = sized ? given_size(c, 2) : std::nullopt;
  const auto columns = sized ? given_size(c, 3) : std::nullopt;
  const auto unknown = [&](size_t index) { return sized && !c.known_ints(index); };
  Sizes s{square, square, length};
  if (rows) s.rows = b.i64(*rows);
  if (columns) s.columns = b.i64(*columns);
  if (rows && !columns) s.columns = least_columns;
  if (columns && !rows) s.rows = least_rows;
  const auto at_run_time = [&](size_t index, Value* otherwise) {
    Value* size = as_scalar(b, b.Cast(c.input(index), DType::kInt64));
    return b.Where(b.Less(size, b.i64(0)), otherwise, size);
  };
  if (unknown(2)) s.rows = at_run_time(2, columns ? least_rows : square);
  if (unknown(3)) s.columns = at_run_time(3, rows ? least_columns : square);
  const Places places = places_in_diagonals(b, s, band);
  Value* padding = c.input_count() > 4 ? as_scalar(b, c.input(4)) : b.number_like(0, x);
  return select(b, places.inside, spread(b, x, places, band), padding);
}

// MatrixSetDiagV3(input: T, diagonal: T, k: int32, align: string = "RIGHT_LEFT") -> output
Value* matrix_set_diag(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const Band band = band_of(c, 2);
  Value* rows = b.dim_scalar(x, -2);
  Value* columns = b.dim_scalar(x, -1);
  const Sizes s{rows, columns, longest(b, rows, columns, band)};
  const Places places = places_in_diagonals(b, s, band);
  return select(b, places.inside, spread(b, c.input(1), places, band), x);
}

// MatrixDiagPartV3(input: T, k: int32, padding_value: T, align: string = "RIGHT_LEFT") -> diagonal
Value* matrix_diag_part(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const Band band = band_of(c, 1);
  Value* rows = b.dim_scalar(x, -2);
  Value* columns = b.dim_scalar(x, -1);
  const Sizes s{rows, columns, longest(b, rows, columns, band)};
  Value* diagonal = b.Unsqueeze(b.Sub(b.i64(band.high), counting(b, b.i64(band.count()))), {1});
  Value* along = b.Sub(b.Unsqueeze(counting(b, s.longest), {0}), offset_of(b, s, band, diagonal));
  Value* inside = within(b, along, b.i64(0), length_of(b, rows, columns, diagonal));
  Value* row = b.Sub(along, b.Min(diagonal, b.i64(0)));
  Value* column = b.Add(along, b.Max(diagonal, b.i64(0)));
  Value* index = b.Where(inside, b.Add(b.Mul(row, columns), column), b.i64(0));
  Value* flat = b.Reshape(x, b.Concat({dims(b, x, 0, -2), b.ints({-1})}, 0));
  Value* padding = c.input_count() > 2 ? as_scalar(b, c.input(2)) : b.number_like(0, x);
  Value* part = select(b, inside, b.Gather(flat, index, -1), padding);
  return band.count() == 1 ? b.Squeeze(part, {-2}) : part;
}

// MatrixBandPart(input: T, num_lower: Tindex, num_upper: Tindex) -> band; negative: all of that triangle
Value* matrix_band_part(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  Value* row = b.Unsqueeze(counting(b, b.dim(x, -2)), {1});
  Value* column = b.Unsqueeze(counting(b, b.dim(x, -1)), {0});
  const auto limit = [&](size_t index) {
    Value* number = as_scalar(b, b.Cast(c.input(index), DType::kInt64));
    return b.Where(b.Less(number, b.i64(0)), b.i64(kToEnd), number);
  };
  Value* inside = b.And(b.LessOrEqual(b.Sub(row, column), limit(1)), b.LessOrEqual(b.Sub(column, row), limit(2)));
  return select(b, inside, x, b.number_like(0, x));
}

// Diag(diagonal: T) -> output: of rank 2 r
Value* diag(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  Value* flat = b.Reshape(x, {-1});
  Value* number = counting(b, b.Size(x));
  Value* here = b.Equal(b.Unsqueeze(number, {1}), number);
  Value* matrix = select(b, here, flat, b.number_like(0, x));
  return b.Reshape(matrix, b.Concat({b.Shape(x), b.Shape(x)}, 0));
}
// DiagPart(input: T) -> diagonal
Value* diag_part(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  Value* half = dims(b, x, 0, static_cast<int64_t>(x->rank()) / 2);
  Value* size = product(b, half);
  Value* index = b.Mul(counting(b, size), b.Add(size, b.i64(1)));
  return b.Reshape(b.Gather(b.Reshape(x, {-1}), index, 0), half);
}

}  // namespace

void register_matrix(OpTable& t) {
  for (const char* version : {"", "V2", "V3"}) {
    t.add(std::string("MatrixDiag") + version, matrix_diag);
    t.add(std::string("MatrixDiagPart") + version, matrix_diag_part);
    t.add(std::string("MatrixSetDiag") + version, matrix_set_diag);
  }
  t.add("BatchMatrixDiag", matrix_diag);
  t.add("BatchMatrixDiagPart", matrix_diag_part);
  t.add("BatchMatrixSetDiag", matrix_set_diag);
  t.add("MatrixBandPart", matrix_band_part);
  t.add("BatchMatrixBandPart", matrix_band_part);
  t.add("Diag", diag);
  t.add("DiagPart", diag_part);
}

}  // namespace onward::importer::tf
