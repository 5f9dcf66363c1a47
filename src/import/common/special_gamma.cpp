// The gamma function's family.
#include <cmath>
#include <numbers>

#include "import/common/arithmetic.h"
#include "import/common/special.h"

namespace onward::importer::special {

using ir::DType;
using ir::Value;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Value* number(ir::Builder& b, double value) { return b.number(value, DType::kDouble); }
// x, x + 1, … x + count - 1 in a new last dimension.
Value* successors(ir::Builder& b, Value* x, int count) {
  std::vector<double> steps(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) steps[static_cast<size_t>(i)] = i;
  return b.Add(b.Unsqueeze(x, {-1}), vector_of(b, steps, DType::kDouble));
}
// The distance to the nearest whole number: sin(pi x) is computed from it without loss.
Value* from_whole(ir::Builder& b, Value* x) { return b.Sub(x, b.Round(x)); }

// Of positive numbers, by Lanczos' sum with g = 7.
Value* log_gamma_positive(ir::Builder& b, Value* x) {
  static const std::vector<double> kWeights = {676.5203681218851,     -1259.1392167224028,  771.32342877765313,
                                               -176.61502916214059,   12.507343278686905,   -0.13857109526572012,
                                               9.9843695780195716e-6, 1.5056327351493116e-7};
  Value* terms = b.Div(vector_of(b, kWeights, DType::kDouble), successors(b, x, static_cast<int>(kWeights.size())));
  Value* sum = b.Add(b.ReduceSum(terms, {-1}, false), 0.99999999999980993);
  Value* t = b.Add(x, 6.5);
  Value* power = b.Sub(b.Mul(b.Sub(x, 0.5), b.Log(t)), t);
  return b.Add(b.Add(power, b.Log(sum)), 0.5 * std::log(2 * std::numbers::pi));
}

}  // namespace

Value* log_gamma(ir::Builder& b, Value* x) {
  Value* left = b.Less(x, number(b, 0.5));
  Value* one_minus = b.Sub(number(b, 1), x);
  Value* gamma = log_gamma_positive(b, b.Where(left, one_minus, x));
  Value* sine = b.Abs(b.Sin(b.Mul(from_whole(b, x), std::numbers::pi)));
  Value* mirrored = b.Sub(b.Log(b.Div(number(b, std::numbers::pi), sine)), gamma);
  return b.Where(b.IsInf(x), number(b, kInfinity), b.Where(left, mirrored, gamma));
}

// By recurrence to x + 10, where the asymptotic series holds.
Value* digamma(ir::Builder& b, Value* x) {
  Value* left = b.Less(x, number(b, 0));
  Value* at = b.Where(left, b.Sub(number(b, 1), x), x);
  Value* rest = b.ReduceSum(b.Reciprocal(successors(b, at, 10)), {-1}, false);
  Value* y = b.Add(at, 10);
  Value* z = b.Reciprocal(b.Mul(y, y));
  Value* series =
      b.Mul(z, polynomial(b, z, {1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12}));
  Value* right = b.Sub(b.Sub(b.Sub(b.Log(y), b.Div(number(b, 0.5), y)), series), rest);
  Value* turn = b.Mul(from_whole(b, x), std::numbers::pi);
  Value* cotangent = b.Div(b.Mul(b.Cos(turn), std::numbers::pi), b.Sin(turn));
  Value* whole = b.Equal(x, b.Round(x));
  Value* mirrored = b.Where(whole, number(b, kNan), b.Sub(right, cotangent));
  Value* at_zero = b.Neg(b.Reciprocal(x));  // an infinity of the other sign
  return b.Where(b.Equal(x, number(b, 0)), at_zero, b.Where(left, mirrored, right));
}

// Terms one by one, then Euler's and Maclaurin's formula for the rest.
Value* zeta(ir::Builder& b, Value* s, Value* q) {
  constexpr int kTerms = 32;
  Value* column = b.Unsqueeze(s, {-1});
  Value* sum = b.ReduceSum(b.Pow(successors(b, q, kTerms), b.Neg(column)), {-1}, false);
  Value* a = b.Add(q, kTerms);
  Value* power = b.Pow(a, b.Neg(s));
  Value* tail = b.Add(b.Div(b.Mul(power, a), b.Sub(s, 1)), b.Mul(power, 0.5));
  // B_2k / (2k)! s (s + 1) … (s + 2k - 2) a^(1 - 2k - s)
  constexpr double kBernoulli[] = {1.0 / 12,       -1.0 / 720,     1.0 / 30240,
                                   -1.0 / 1209600, 1.0 / 47900160, -691.0 / 1307674368000.0};
  Value* factor = b.Div(b.Mul(s, power), a);
  double step = 1;
  for (const double weight : kBernoulli) {
    tail = b.Add(tail, b.Mul(factor, weight));
    factor = b.Div(b.Mul(factor, b.Mul(b.Add(s, step), b.Add(s, step + 1))), b.Mul(a, a));
    step += 2;
  }
  Value* result = b.Add(sum, tail);
  Value* not_positive = b.LessOrEqual(q, number(b, 0));
  Value* undefined = b.And(not_positive, b.Not(b.Equal(s, b.Floor(s))));
  result = b.Where(undefined, number(b, kNan), result);
  result = b.Where(b.And(not_positive, b.Equal(q, b.Floor(q))), number(b, kInfinity), result);
  result = b.Where(b.Less(s, number(b, 1)), number(b, kNan), result);
  return b.Where(b.Equal(s, number(b, 1)), number(b, kInfinity), result);
}

// --- incomplete gamma functions --------------------------------------------------------------------------------------

namespace {

constexpr int64_t kMostSteps = 2000;

Value* any(ir::Builder& b, Value* condition) {
  return b.Cast(b.ReduceMax(b.Concat({b.Reshape(b.Cast(condition, DType::kInt32), {-1}),
                                      b.constant(ir::Tensor::from_ints(DType::kInt32, {1}, {0}))},
                                     0),
                            {}, false),
                DType::kBool);
}

// Sum of x^n / ((a + 1) … (a + n)).
Value* lower_series(ir::Builder& b, Value* a, Value* x) {
  Value* one = b.Expand(number(b, 1), b.Shape(x));
  const auto step = [&](ir::Builder& i, Value* k, Value*, const ir::Values& state) -> ir::Builder::LoopResult {
    Value* n = i.Cast(i.Add(k, i.i64(1)), DType::kDouble);
    Value* term = i.Div(i.Mul(state[0], x), i.Add(a, n));
    Value* sum = i.Add(state[1], term);
    return {any(i, i.Greater(term, i.Mul(sum, 1e-17))), {term, sum}, {}};
  };
  return b.Loop(b.i64(kMostSteps), b.boolean(true), {one, one}, step)[1];
}
// The continued fraction of the upper function, by Lentz's method.
Value* upper_fraction(ir::Builder& b, Value* a, Value* x) {
  Value* start = b.Add(b.Sub(x, a), 1);
  const auto safe = [](ir::Builder& i, Value* y) {
    Value* tiny = i.number(1e-300, DType::kDouble);
    return i.Where(i.Less(i.Abs(y), tiny), tiny, y);
  };
  Value* d = b.Reciprocal(safe(b, start));
  Value* c = b.Expand(number(b, 1e300), b.Shape(x));
  const auto step = [&](ir::Builder& i, Value* k, Value*, const ir::Values& state) -> ir::Builder::LoopResult {
    Value* n = i.Cast(i.Add(k, i.i64(1)), DType::kDouble);
    Value* factor = i.Mul(n, i.Sub(a, n));
    Value* base = i.Add(start, i.Mul(n, 2));
    Value* below = i.Reciprocal(safe(i, i.Add(base, i.Mul(factor, state[0]))));
    Value* above = safe(i, i.Add(base, i.Div(factor, state[1])));
    Value* ratio = i.Mul(below, above);
    Value* change = i.Abs(i.Sub(ratio, 1));
    return {any(i, i.Greater(change, i.number(1e-16, DType::kDouble))), {below, above, i.Mul(state[2], ratio)}, {}};
  };
  return b.Loop(b.i64(kMostSteps), b.boolean(true), {d, c, d}, step)[2];
}

// `upper` is 1 minus the lower one; each is computed where it is the smaller.
Value* incomplete(ir::Builder& b, Value* given_a, Value* given_x, bool upper_one) {
  Value* shape = broadcast_shape(b, {given_a, given_x});
  Value* a = b.Expand(given_a, shape);
  Value* x = b.Expand(given_x, shape);
  Value* zero = number(b, 0);
  Value* one = number(b, 1);
  Value* plain = b.And(b.And(b.Greater(a, zero), b.Greater(x, zero)), b.Not(b.Or(b.IsInf(a), b.IsInf(x))));
  Value* safe_a = b.Where(plain, a, one);
  Value* safe_x = b.Where(plain, x, one);
  Value* by_fraction = b.Greater(safe_x, b.Add(safe_a, 1));
  Value* front = b.Exp(b.Sub(b.Sub(b.Mul(safe_a, b.Log(safe_x)), safe_x), log_gamma(b, safe_a)));
  Value* series = b.Div(b.Mul(front, lower_series(b, safe_a, b.Where(by_fraction, one, safe_x))), safe_a);
  Value* fraction = b.Mul(front, upper_fraction(b, safe_a, b.Where(by_fraction, safe_x, b.Add(safe_a, 2))));
  Value* lower = b.Where(by_fraction, b.Sub(one, fraction), series);
  Value* upper = b.Where(by_fraction, fraction, b.Sub(one, series));
  Value* result = upper_one ? upper : lower;
  // At the edges: a = 0 or x = inf is all lower, x = 0 or a = inf all upper.
  Value* no_lower = b.Or(b.Equal(x, zero), b.IsInf(a));
  Value* no_upper = b.Or(b.Equal(a, zero), b.IsInf(x));
  Value* nan = number(b, kNan);
  Value* bad = b.Or(b.Or(b.Less(a, zero), b.Less(x, zero)), b.Or(b.IsNaN(a), b.IsNaN(x)));
  bad = b.Or(bad, b.And(no_lower, no_upper));
  result = b.Where(no_lower, upper_one ? one : zero, b.Where(no_upper, upper_one ? zero : one, result));
  return b.Where(bad, nan, result);
}

}  // namespace

Value* lower_gamma(ir::Builder& b, Value* a, Value* x) { return incomplete(b, a, x, false); }
Value* upper_gamma(ir::Builder& b, Value* a, Value* x) { return incomplete(b, a, x, true); }

}  // namespace onward::importer::special
