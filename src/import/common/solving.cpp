#include "import/common/solving.h"

#include "import/common/axes.h"

namespace onward::importer {

using ir::DType;
using ir::Value;
using State = ir::Values;
using Result = ir::Builder::LoopResult;

namespace {

// 0 … n-1 along the rows (as a column) or along the columns.
Value* row_numbers(ir::Builder& b, Value* x) { return b.Unsqueeze(counting(b, b.dim(x, -2)), {1}); }
Value* column_numbers(ir::Builder& b, Value* x) { return counting(b, b.dim(x, -1)); }

// Row or column k of every matrix, kept as one.
Value* row_at(ir::Builder& b, Value* x, Value* k) { return b.Gather(x, b.Unsqueeze(k, {0}), -2); }
Value* column_at(ir::Builder& b, Value* x, Value* k) { return b.Gather(x, b.Unsqueeze(k, {0}), -1); }

Value* zero_like(ir::Builder& b, Value* x) { return b.number_like(0, x); }

// The row at or below k with the largest element in column k: [*, 1] of int64.
Value* pivot_row(ir::Builder& b, Value* x, Value* k) {
  Value* sizes = b.Abs(column_at(b, x, k));
  Value* open = b.GreaterOrEqual(row_numbers(b, x), k);
  return b.Squeeze(b.ArgMax(b.Where(open, sizes, b.number_like(-1, x)), -2, true), {-1});
}
// Numbers of rows after rows k and `other` have changed places: [*, n].
Value* swapped_numbers(ir::Builder& b, Value* x, Value* k, Value* other) {
  Value* rows = counting(b, b.dim(x, -2));
  return b.Where(b.Equal(rows, k), other, b.Where(b.Equal(rows, other), k, rows));
}
Value* rows_in_order(ir::Builder& b, Value* x, Value* order) {
  return b.op("GatherElements", {x, b.Expand(b.Unsqueeze(order, {-1}), b.Shape(x))}, {{"axis", -2}});
}

Value* smaller_side(ir::Builder& b, Value* x) { return b.Squeeze(b.Min(b.dim(x, -2), b.dim(x, -1)), {0}); }
Value* batch_shape(ir::Builder& b, Value* x) { return b.Slice(b.Shape(x), 0, -2, 0); }

Value* either(ir::Builder& b, Value* condition, Value* x) { return b.Where(condition, x, zero_like(b, x)); }

}  // namespace

Value* identity_matrix(ir::Builder& b, Value* like) {
  Value* one = b.Cast(b.Equal(row_numbers(b, like), counting(b, b.dim(like, -2))), like->dtype);
  if (like->rank() == 2) return one;
  return b.Expand(one, b.Concat({batch_shape(b, like), b.dim(like, -2), b.dim(like, -2)}, 0));
}
Value* transposed(ir::Builder& b, Value* matrix) { return swap_axes(b, matrix, -1, -2); }

Value* triangle(ir::Builder& b, Value* a, bool upper, bool unit) {
  Value* part = b.op("Trilu", {a}, {{"upper", upper}});
  if (!unit) return part;
  Value* one = identity_matrix(b, a);
  return b.Add(b.Mul(part, b.Sub(b.number_like(1, a), one)), one);
}

Value* solve(ir::Builder& b, Value* a, Value* right) {
  if (a->rank() != right->rank() || a->rank() > 2) {  // batches broadcast
    const auto batches = [&](Value* x) { return b.Expand(b.boolean(true), batch_shape(b, x)); };
    Value* batch = b.Shape(b.And(batches(a), batches(right)));
    const auto wide = [&](Value* x) { return b.Expand(x, b.Concat({batch, b.Slice(b.Shape(x), -2, kToEnd, 0)}, 0)); };
    a = wide(a);
    right = wide(right);
  }
  Value* size = b.dim(a, -1);
  const auto eliminate = [](ir::Builder& i, Value* k, Value*, const State& state) -> Result {
    Value* swapped = rows_in_order(i, state[0], swapped_numbers(i, state[0], k, pivot_row(i, state[0], k)));
    Value* own = row_at(i, swapped, k);
    Value* pivot = i.Div(own, column_at(i, own, k));
    Value* is_own = i.Equal(row_numbers(i, swapped), k);
    Value* rest = i.Sub(swapped, i.Mul(column_at(i, swapped, k), pivot));
    return {nullptr, {i.Where(is_own, pivot, rest)}, {}};
  };
  Value* both = b.Loop(b.Squeeze(size, {0}), nullptr, {b.Concat({a, right}, -1)}, eliminate)[0];
  return b.Slice(both, size, b.ints({kToEnd}), b.ints({-1}));
}
Value* inverse_of(ir::Builder& b, Value* a) { return solve(b, a, identity_matrix(b, a)); }

Lu lu(ir::Builder& b, Value* a) {
  Value* rows = b.Expand(counting(b, b.dim(a, -2)), b.Slice(b.Shape(a), 0, -1, 0));
  const auto eliminate = [](ir::Builder& i, Value* k, Value*, const State& state) -> Result {
    Value* pivot = pivot_row(i, state[0], k);
    Value* order = swapped_numbers(i, state[0], k, pivot);
    Value* x = rows_in_order(i, state[0], order);
    Value* total = i.op("GatherElements", {state[1], order}, {{"axis", -1}});
    Value* own = row_at(i, x, k);
    Value* below = i.Greater(row_numbers(i, x), k);
    Value* divisor = column_at(i, own, k);
    Value* safe = i.Where(i.Equal(divisor, zero_like(i, x)), i.number_like(1, x), divisor);
    Value* factors = either(i, below, i.Div(column_at(i, x, k), safe));
    Value* columns = column_numbers(i, x);
    Value* reduced = i.Sub(x, i.Mul(factors, either(i, i.Greater(columns, k), own)));
    Value* next = i.Where(i.And(below, i.Equal(columns, k)), factors, reduced);
    return {nullptr, {next, total}, {i.Squeeze(pivot, {-1})}};
  };
  const ir::Values results = b.Loop(smaller_side(b, a), nullptr, {a, rows}, eliminate, 1);
  return {results[0], move_axis(b, results[2], 0, -1), results[1]};
}

Value* cholesky(ir::Builder& b, Value* a) {
  const auto column = [](ir::Builder& i, Value* k, Value*, const State& state) -> Result {
    Value* x = state[0];
    Value* own = column_at(i, x, k);
    Value* root = i.Sqrt(row_at(i, own, k));
    Value* factor = either(i, i.GreaterOrEqual(row_numbers(i, x), k), i.Div(own, root));
    return {nullptr, {i.Sub(x, i.Mul(factor, transposed(i, factor)))}, {i.Squeeze(factor, {-1})}};
  };
  const ir::Values results = b.Loop(b.Squeeze(b.dim(a, -1), {0}), nullptr, {a}, column, 1);
  return move_axis(b, results[1], 0, -1);
}

Reflections householder(ir::Builder& b, Value* a) {
  const auto reflect = [](ir::Builder& i, Value* k, Value*, const State& state) -> Result {
    Value* x = state[0];
    Value* rows = row_numbers(i, x);
    Value* column = column_at(i, x, k);
    Value* head = row_at(i, column, k);
    Value* tail = either(i, i.Greater(rows, k), column);
    Value* below = i.ReduceSum(i.Mul(tail, tail), {-2});
    Value* nothing = i.Equal(below, zero_like(i, x));  // no reflection: the column is reduced already
    Value* length = i.Sqrt(i.Add(i.Mul(head, head), below));
    Value* beta = i.Where(i.Less(head, zero_like(i, x)), length, i.Neg(length));
    Value* one = i.number_like(1, x);
    Value* safe_beta = i.Where(nothing, one, beta);
    Value* factor = either(i, i.Not(nothing), i.Div(i.Sub(beta, head), safe_beta));
    Value* scale = i.Where(nothing, one, i.Sub(head, beta));
    Value* scaled = i.Div(tail, scale);
    Value* vector = i.Add(scaled, i.Cast(i.Equal(rows, k), x->dtype));
    Value* columns = column_numbers(i, x);
    Value* open = either(i, i.GreaterOrEqual(columns, k), x);
    Value* products = i.MatMul(transposed(i, vector), open);
    Value* reduced = i.Sub(x, i.Mul(i.Mul(factor, vector), products));
    Value* kept = i.And(i.Greater(rows, k), i.Equal(columns, k));
    return {nullptr, {i.Where(kept, scaled, reduced)}, {i.Squeeze(factor, {-2, -1})}};
  };
  const ir::Values results = b.Loop(smaller_side(b, a), nullptr, {a}, reflect, 1);
  return {results[0], move_axis(b, results[1], 0, -1)};
}

Value* reflected_product(ir::Builder& b, Value* vectors, Value* factors, Value* matrix, bool transpose) {
  Value* count = b.dim_scalar(factors, -1);
  // H0 H1 … M: the last reflection acts first; transposed, the first one does.
  const auto apply = [&](ir::Builder& i, Value* step, Value*, const State& state) -> Result {
    Value* k = transpose ? step : i.Sub(i.Sub(count, i.i64(1)), step);
    Value* rows = row_numbers(i, vectors);
    Value* below = either(i, i.Greater(rows, k), column_at(i, vectors, k));
    Value* vector = i.Add(below, i.Cast(i.Equal(rows, k), below->dtype));
    Value* factor = i.Unsqueeze(i.Gather(factors, i.Unsqueeze(k, {0}), -1), {-1});
    Value* products = i.MatMul(transposed(i, vector), state[0]);
    return {nullptr, {i.Sub(state[0], i.Mul(i.Mul(factor, vector), products))}, {}};
  };
  return b.Loop(count, nullptr, {matrix}, apply)[0];
}

Qr orthogonal_factors(ir::Builder& b, Value* a, bool reduced) {
  const Reflections f = householder(b, a);
  Value* rows = b.dim(a, -2);
  Value* side = b.Min(rows, b.dim(a, -1));
  Value* columns = reduced ? side : rows;
  // The first columns of the identity.
  Value* one = b.Cast(b.Equal(b.Unsqueeze(counting(b, rows), {1}), counting(b, columns)), a->dtype);
  if (a->rank() != 2) one = b.Expand(one, b.Concat({batch_shape(b, a), rows, columns}, 0));
  Value* r = triangle(b, f.packed, true, false);
  if (reduced) r = b.Slice(r, b.ints({0}), side, b.ints({-2}));
  return {reflected_product(b, f.packed, f.factors, one, false), r};
}

Value* symmetric(ir::Builder& b, Value* a, bool upper) {
  Value* part = triangle(b, a, upper, false);
  Value* strict = b.Sub(part, b.Mul(part, identity_matrix(b, a)));
  return b.Add(part, transposed(b, strict));
}

Eigen symmetric_eigen(ir::Builder& b, Value* a) {
  // Every pair of rows and columns in turn, sweep after sweep.
  constexpr int64_t kSweeps = 12;
  Value* size = b.dim_scalar(a, -1);
  Value* numbers = counting(b, size);
  Value* pairs = b.NonZero(b.Less(b.Unsqueeze(numbers, {1}), numbers));  // [2, n (n - 1) / 2]
  Value* count = b.dim_scalar(pairs, 1);
  const auto rotate = [&](ir::Builder& i, Value* step, Value*, const State& state) -> Result {
    Value* x = state[0];
    Value* one = i.number_like(1, x);
    Value* zero = zero_like(i, x);
    Value* pair = i.Gather(pairs, i.Mod(step, count), 1);
    Value* p = i.Select(pair, 0, 0);
    Value* q = i.Select(pair, 1, 0);
    const auto at = [&](Value* row, Value* column) { return column_at(i, row_at(i, x, row), column); };
    Value* off = at(p, q);
    Value* done = i.Equal(off, zero);
    Value* theta = i.Div(i.Sub(at(q, q), at(p, p)), i.Mul(i.Where(done, one, off), 2));
    Value* sign = i.Where(i.Less(theta, zero), i.number_like(-1, x), one);
    Value* t = i.Div(sign, i.Add(i.Abs(theta), i.Sqrt(i.Add(i.Mul(theta, theta), 1))));
    t = i.Where(done, zero, t);
    Value* cosine = i.Div(one, i.Sqrt(i.Add(i.Mul(t, t), 1)));
    Value* sine = i.Mul(t, cosine);
    Value* rows = row_numbers(i, x);
    Value* columns = column_numbers(i, x);
    Value* diagonal = i.Equal(rows, columns);
    Value* turned = i.Or(i.Equal(columns, p), i.Equal(columns, q));
    Value* rotation = i.Where(diagonal, i.Where(turned, cosine, one), zero);
    rotation = i.Where(i.And(i.Equal(rows, p), i.Equal(columns, q)), sine, rotation);
    rotation = i.Where(i.And(i.Equal(rows, q), i.Equal(columns, p)), i.Neg(sine), rotation);
    Value* next = i.MatMul(transposed(i, rotation), i.MatMul(x, rotation));
    return {nullptr, {next, i.MatMul(state[1], rotation)}, {}};
  };
  const ir::Values results = b.Loop(b.Mul(count, b.i64(kSweeps)), nullptr, {a, identity_matrix(b, a)}, rotate);
  Value* values = b.ReduceSum(b.Mul(results[0], identity_matrix(b, a)), {-1}, false);
  const ir::Values order = b.ops("TopK", {values, b.dim(values, -1)}, 2, {{"axis", -1}, {"largest", 0}, {"sorted", 1}});
  Value* columns = b.Expand(b.Unsqueeze(order[1], {-2}), b.Shape(results[1]));
  return {order[0], b.op("GatherElements", {results[1], columns}, {{"axis", -1}})};
}

}  // namespace onward::importer
