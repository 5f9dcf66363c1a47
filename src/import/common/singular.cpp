// Singular values and vectors.
#include "import/common/axes.h"
#include "import/common/solving.h"

namespace onward::importer {

using ir::DType;
using ir::Value;

namespace {

// The columns of A turned until they are orthogonal: A V, and V.
struct Turned {
  Value* columns;
  Value* v;
};

// [*, n, n]: the identity but for a rotation in the plane of columns p and q.
Value* rotation(ir::Builder& i, Value* size, Value* p, Value* q, Value* cosine, Value* sine) {
  Value* rows = i.Unsqueeze(counting(i, size), {1});
  Value* columns = counting(i, size);
  Value* zero = i.number_like(0, cosine);
  Value* turned = i.Or(i.Equal(columns, p), i.Equal(columns, q));
  Value* result = i.Where(i.Equal(rows, columns), i.Where(turned, cosine, i.number_like(1, cosine)), zero);
  result = i.Where(i.And(i.Equal(rows, p), i.Equal(columns, q)), sine, result);
  return i.Where(i.And(i.Equal(rows, q), i.Equal(columns, p)), i.Neg(sine), result);
}

Turned orthogonal_columns(ir::Builder& b, Value* x) {
  constexpr int64_t kSweeps = 12;
  constexpr double kOrthogonal = 1e-15;
  Value* size = b.dim_scalar(x, -1);
  Value* numbers = counting(b, size);
  Value* pairs = b.NonZero(b.Less(b.Unsqueeze(numbers, {1}), numbers));  // [2, n (n - 1) / 2]
  Value* count = b.dim_scalar(pairs, 1);
  const auto rotate = [&](ir::Builder& i, Value* step, Value*, const ir::Values& state) -> ir::Builder::LoopResult {
    Value* one = i.number_like(1, x);
    Value* zero = i.number_like(0, x);
    Value* pair = i.Gather(pairs, i.Mod(step, count), 1);
    Value* p = i.Select(pair, 0, 0);
    Value* q = i.Select(pair, 1, 0);
    Value* left = i.Gather(state[0], i.Unsqueeze(p, {0}), -1);
    Value* right = i.Gather(state[0], i.Unsqueeze(q, {0}), -1);
    Value* alpha = i.ReduceSum(i.Mul(left, left), {-2});
    Value* beta = i.ReduceSum(i.Mul(right, right), {-2});
    Value* gamma = i.ReduceSum(i.Mul(left, right), {-2});
    Value* done = i.LessOrEqual(i.Abs(gamma), i.Mul(i.Sqrt(i.Mul(alpha, beta)), kOrthogonal));
    Value* zeta = i.Div(i.Sub(beta, alpha), i.Mul(i.Where(done, one, gamma), 2));
    Value* sign = i.Where(i.Less(zeta, zero), i.number_like(-1, x), one);
    Value* t = i.Div(sign, i.Add(i.Abs(zeta), i.Sqrt(i.Add(i.Mul(zeta, zeta), 1))));
    t = i.Where(done, zero, t);
    Value* cosine = i.Div(one, i.Sqrt(i.Add(i.Mul(t, t), 1)));
    Value* turn = rotation(i, size, p, q, cosine, i.Mul(t, cosine));
    return {nullptr, {i.MatMul(state[0], turn), i.MatMul(state[1], turn)}, {}};
  };
  Value* squares = b.MatMul(transposed(b, x), x);
  const ir::Values results = b.Loop(b.Mul(count, b.i64(kSweeps)), nullptr, {x, identity_matrix(b, squares)}, rotate);
  return {results[0], results[1]};
}

struct Sorted {
  Value* values;   // all n, falling
  Value* columns;  // A V, in that order
  Value* v;
};

Sorted sorted_factors(ir::Builder& b, Value* x) {
  const Turned turned = orthogonal_columns(b, x);
  Value* lengths = b.ReduceL2(turned.columns, {-2}, false);
  const ir::Values order =
      b.ops("TopK", {lengths, b.dim(lengths, -1)}, 2, {{"axis", -1}, {"largest", 1}, {"sorted", 1}});
  const auto ordered = [&](Value* matrix) {
    Value* places = b.Expand(b.Unsqueeze(order[1], {-2}), b.Shape(matrix));
    return b.op("GatherElements", {matrix, places}, {{"axis", -1}});
  };
  return {order[0], ordered(turned.columns), ordered(turned.v)};
}

Value* first_columns(ir::Builder& b, Value* x, Value* count) { return b.Slice(x, b.ints({0}), count, b.ints({-1})); }

// The unit vectors along columns, and where asked the rest of an orthonormal basis; vectors that are missing (columns
// of zeros) are found likewise.
Value* orthonormal(ir::Builder& b, Value* columns, Value* lengths, bool full) {
  Value* zero = b.number_like(0, lengths);
  Value* safe = b.Where(b.Equal(lengths, zero), b.number_like(1, lengths), lengths);
  const Qr factors = orthogonal_factors(b, b.Div(columns, b.Unsqueeze(safe, {-2})), !full);
  // Q's columns are the given ones but for the sign on R's diagonal.
  Value* diagonal = b.ReduceSum(b.Mul(factors.r, b.Cast(b.Equal(b.Unsqueeze(counting(b, b.dim(factors.r, -2)), {1}),
                                                                counting(b, b.dim(factors.r, -1))),
                                                        factors.r->dtype)),
                                {-1}, false);
  Value* sign = b.Where(b.Less(diagonal, zero), b.number_like(-1, lengths), b.number_like(1, lengths));
  return b.Mul(factors.q, b.Unsqueeze(sign, {-2}));
}

}  // namespace

Svd singular_factors(ir::Builder& b, Value* a, bool full) {
  const Sorted all = sorted_factors(b, b.Cast(a, DType::kDouble));
  Value* count = b.Min(b.dim(a, -2), b.dim(a, -1));
  Value* values = first_columns(b, all.values, count);
  Value* u = orthonormal(b, first_columns(b, all.columns, count), values, full);
  Value* v = full ? all.v : first_columns(b, all.v, count);
  return {b.Cast(u, a->dtype), b.Cast(values, a->dtype), b.Cast(v, a->dtype)};
}

Value* singular_values(ir::Builder& b, Value* a) {
  const Turned turned = orthogonal_columns(b, b.Cast(a, DType::kDouble));
  Value* lengths = b.ReduceL2(turned.columns, {-2}, false);
  Value* count = b.Min(b.dim(a, -2), b.dim(a, -1));
  return b.Cast(b.ops("TopK", {lengths, count}, 2, {{"axis", -1}, {"largest", 1}, {"sorted", 1}})[0], a->dtype);
}

// V diag(1/s²) (A V)'.
Value* pseudo_inverse(ir::Builder& b, Value* a, const SingularCut& cut) {
  const Turned turned = orthogonal_columns(b, b.Cast(a, DType::kDouble));
  Value* sizes = b.ReduceL2(turned.columns, {-2}, false);
  Value* largest = b.ReduceMax(sizes, {-1}, false);
  Value* bound = b.Cast(cut(b.Cast(largest, a->dtype)), DType::kDouble);
  // What is left of columns that are linear combinations of others is rounding.
  Value* least = b.Mul(b.Unsqueeze(largest, {-1}), 1e-14);
  Value* rounded = b.Cast(b.Cast(sizes, a->dtype), DType::kDouble);  // as the bound is
  Value* counts = b.Greater(rounded, b.Max(bound->rank() == 0 ? bound : b.Unsqueeze(bound, {-1}), least));
  Value* one = b.number(1, DType::kDouble);
  Value* inverses = b.Where(counts, b.Div(one, b.Mul(b.Where(counts, sizes, one), sizes)), b.number(0, DType::kDouble));
  Value* scaled = b.Mul(turned.v, b.Unsqueeze(inverses, {-2}));
  return b.Cast(b.MatMul(scaled, transposed(b, turned.columns)), a->dtype);
}

}  // namespace onward::importer
