// Integrals that TensorFlow's tf.math.special names, and the incomplete beta function.
#include <cmath>
#include <numbers>

#include "import/common/arithmetic.h"
#include "import/common/axes.h"
#include "import/common/special.h"

namespace onward::importer::special {

using ir::DType;
using ir::Value;

namespace {

using Result = ir::Builder::LoopResult;
constexpr double kPi = std::numbers::pi;

Value* number(ir::Builder& b, double value) { return b.number(value, DType::kDouble); }

// Σ coefficients[k] x^(k+1).
Value* power_series(ir::Builder& b, Value* x, std::vector<double> coefficients) {
  std::vector<double> falling(coefficients.rbegin(), coefficients.rend());
  falling.push_back(0);
  Value* sum = number(b, falling.at(0));
  for (size_t i = 1; i < falling.size(); ++i) sum = b.Add(b.Mul(sum, x), falling[i]);
  return sum;
}

// Not zero, so that it can divide.
Value* nonzero(ir::Builder& b, Value* x) { return b.Where(b.Less(b.Abs(x), number(b, 1e-300)), number(b, 1e-300), x); }

// --- the incomplete beta function ------------------------------------------------------------------------------------

// Its continued fraction after Lentz, for x < (a + 1) / (a + b + 2).
Value* beta_fraction(ir::Builder& b, Value* p, Value* q, Value* x) {
  constexpr int64_t kTerms = 200;
  Value* one = number(b, 1);
  Value* both = b.Add(p, q);
  Value* d = b.Div(one, nonzero(b, b.Sub(one, b.Div(b.Mul(both, x), b.Add(p, 1)))));
  const auto step = [&](ir::Builder& i, Value* round, Value*, const ir::Values& state) -> Result {
    Value* m = i.Add(i.Cast(round, DType::kDouble), 1);
    Value* at = i.Add(p, i.Mul(m, 2));
    Value* unit = i.number(1, DType::kDouble);
    Value* c = state[0];
    Value* e = state[1];
    Value* h = state[2];
    const auto apply = [&](Value* term) {
      e = i.Div(unit, nonzero(i, i.Add(unit, i.Mul(term, e))));
      c = nonzero(i, i.Add(unit, i.Div(term, c)));
      h = i.Mul(h, i.Mul(c, e));
    };
    apply(i.Div(i.Mul(i.Mul(m, i.Sub(q, m)), x), i.Mul(i.Sub(at, 1), at)));
    apply(i.Neg(i.Div(i.Mul(i.Mul(i.Add(p, m), i.Add(both, m)), x), i.Mul(at, i.Add(at, 1)))));
    return {nullptr, {c, e, h}, {}};
  };
  Value* ones = b.Add(b.Mul(d, 0.0), 1);
  return b.Loop(b.i64(kTerms), nullptr, {ones, d, d}, step)[2];
}

}  // namespace

Value* incomplete_beta(ir::Builder& b, Value* p, Value* q, Value* x) {
  Value* shape = broadcast_shape(b, {p, q, x});
  p = b.Expand(p, shape);
  q = b.Expand(q, shape);
  x = b.Expand(x, shape);
  Value* one = number(b, 1);
  Value* zero = number(b, 0);
  Value* swapped = b.GreaterOrEqual(x, b.Div(b.Add(p, 1), b.Add(b.Add(p, q), 2)));
  Value* rest = b.Sub(one, x);
  Value* first = b.Where(swapped, q, p);
  Value* second = b.Where(swapped, p, q);
  Value* at = b.Where(swapped, rest, x);
  Value* logs = b.Add(b.Mul(p, b.Log(x)), b.Mul(q, b.Log(rest)));
  Value* scale = b.Sub(log_gamma(b, b.Add(p, q)), b.Add(log_gamma(b, p), log_gamma(b, q)));
  Value* share = b.Div(b.Mul(b.Exp(b.Add(scale, logs)), beta_fraction(b, first, second, at)), first);
  Value* result = b.Where(swapped, b.Sub(one, share), share);
  result = b.Where(b.Equal(x, zero), zero, b.Where(b.Equal(x, one), one, result));
  Value* outside = b.Or(b.Or(b.Less(x, zero), b.Greater(x, one)), b.Or(b.LessOrEqual(p, zero), b.LessOrEqual(q, zero)));
  return b.Where(outside, number(b, std::nan("")), result);
}

// --- Dawson's integral -----------------------------------------------------------------------------------------------

// After Rybicki: Σ exp(-(x - n h)²) / n over odd n, around the even n next to x.
Value* dawson(ir::Builder& b, Value* x) {
  constexpr double kStep = 0.25;
  constexpr int kReach = 27;
  std::vector<double> offsets;
  for (int n = -kReach; n <= kReach; n += 2) offsets.push_back(n);
  Value* center = b.Mul(b.Round(b.Div(x, 2 * kStep)), 2.0);
  Value* n = b.Add(b.Unsqueeze(center, {-1}), vector_of(b, offsets, DType::kDouble));
  Value* off = b.Sub(b.Unsqueeze(x, {-1}), b.Mul(n, kStep));
  Value* sum = b.ReduceSum(b.Div(b.Exp(b.Neg(b.Mul(off, off))), n), {-1}, false);
  return b.Div(sum, std::sqrt(kPi));
}

// --- the exponential integral ----------------------------------------------------------------------------------------

namespace {

constexpr double kEuler = 0.57721566490153286061;

constexpr double kFar = 40;

// Σ x^k / (k k!) to x = kFar, in x / kFar: ONNX Runtime takes an added number below a float's least for zero.
Value* exponential_series(ir::Builder& b, Value* x) {
  constexpr int kTerms = 140;
  std::vector<double> coefficients;
  double power = 1;
  for (int k = 1; k <= kTerms; ++k) {
    power *= kFar / k;
    coefficients.push_back(power / k);
  }
  return power_series(b, b.Div(x, kFar), std::move(coefficients));
}

}  // namespace

Value* exponential_integral(ir::Builder& b, Value* x) {
  Value* zero = number(b, 0);
  Value* near = b.Max(b.Min(x, kFar), 0.0);
  Value* series = b.Add(b.Add(b.Log(near), exponential_series(b, near)), kEuler);
  // e^x / x Σ k! / x^k
  constexpr int kTerms = 30;
  std::vector<double> factorials;
  double factorial = 1;
  for (int k = 1; k <= kTerms; ++k) factorials.push_back(factorial *= k);
  Value* far = b.Max(x, kFar);
  Value* tail = b.Add(power_series(b, b.Div(number(b, 1), far), std::move(factorials)), 1);
  Value* grown = b.Mul(b.Div(b.Exp(far), far), tail);
  Value* result = b.Where(b.Greater(x, number(b, kFar)), grown, series);
  return b.Where(b.Less(x, zero), number(b, std::nan("")), result);
}

// --- Spence's function -----------------------------------------------------------------------------------------------

// The dilogarithm of 1 - x, by its series within 1/2 of 1 and the reflections that lead there.
Value* spence(ir::Builder& b, Value* x) {
  constexpr int kTerms = 56;
  std::vector<double> coefficients;
  for (int k = 1; k <= kTerms; ++k) coefficients.push_back(1.0 / (k * k));
  Value* one = number(b, 1);
  Value* zero = number(b, 0);
  Value* inverted = b.Greater(x, number(b, 1.5));
  Value* y = b.Where(inverted, b.Div(one, x), x);
  Value* reflected = b.Less(y, number(b, 0.5));
  Value* w = b.Where(reflected, b.Sub(one, y), y);
  Value* result = power_series(b, b.Sub(one, w), std::move(coefficients));
  Value* positive = b.Where(b.Greater(y, zero), y, one);
  Value* mirrored =
      b.Sub(b.Sub(number(b, kPi * kPi / 6), b.Mul(b.Log(positive), b.Log(b.Sub(one, b.Min(y, 0.5))))), result);
  result = b.Where(reflected, mirrored, result);
  Value* logarithm = b.Log(b.Max(x, 1.0));
  result = b.Where(inverted, b.Sub(b.Mul(b.Mul(logarithm, logarithm), -0.5), result), result);
  return b.Where(b.Less(x, zero), number(b, std::nan("")), result);
}

// --- Fresnel's integrals ---------------------------------------------------------------------------------------------

namespace {

// The places and weights of Gauss' quadrature on [0, 1].
struct Quadrature {
  std::vector<double> places;
  std::vector<double> weights;
};
Quadrature gauss(int count) {
  Quadrature q;
  for (int i = 0; i < count; ++i) {
    double at = std::cos(kPi * (i + 0.75) / (count + 0.5));
    double slope = 1;
    for (int round = 0; round < 100; ++round) {
      double previous = 1;
      double value = at;
      for (int k = 2; k <= count; ++k) {
        const double next = ((2 * k - 1) * at * value - (k - 1) * previous) / k;
        previous = value;
        value = next;
      }
      slope = count * (at * value - previous) / (at * at - 1);
      const double step = value / slope;
      at -= step;
      if (std::abs(step) < 1e-15) break;
    }
    q.places.push_back((1 - at) / 2);
    q.weights.push_back(1 / ((1 - at * at) * slope * slope));
  }
  return q;
}

// sin or cos of π t² / 2 integrated from 0 to x: by quadrature to 8, by the asymptotic series beyond.
Value* fresnel(ir::Builder& b, Value* x, bool sine) {
  constexpr double kFar = 8;
  constexpr int kPlaces = 200;
  const auto phase = [&](Value* t) { return b.Mul(b.Mul(t, t), kPi / 2); };
  const Quadrature q = gauss(kPlaces);
  Value* near = b.Min(b.Abs(x), kFar);
  Value* angles = phase(b.Mul(b.Unsqueeze(near, {-1}), vector_of(b, q.places, DType::kDouble)));
  Value* heights = sine ? b.Sin(angles) : b.Cos(angles);
  Value* area = b.Mul(near, b.ReduceSum(b.Mul(heights, vector_of(b, q.weights, DType::kDouble)), {-1}, false));
  Value* far = b.Max(b.Abs(x), kFar);
  Value* u = b.Div(number(b, 1), b.Mul(b.Mul(far, far), kPi));
  Value* square = b.Mul(u, u);
  Value* f = b.Div(b.Add(power_series(b, square, {-3, 105, -10395, 2027025}), 1), b.Mul(far, kPi));
  Value* g = b.Div(b.Mul(b.Add(power_series(b, square, {-15, 945, -135135}), 1), u), b.Mul(far, kPi));
  Value* end = phase(far);
  Value* half = number(b, 0.5);
  Value* wave = sine ? b.Neg(b.Add(b.Mul(f, b.Cos(end)), b.Mul(g, b.Sin(end))))
                     : b.Sub(b.Mul(f, b.Sin(end)), b.Mul(g, b.Cos(end)));
  Value* size = b.Where(b.Greater(b.Abs(x), number(b, kFar)), b.Add(half, wave), area);
  return b.Where(b.Less(x, number(b, 0)), b.Neg(size), size);
}

}  // namespace

Value* fresnel_sin(ir::Builder& b, Value* x) { return fresnel(b, x, true); }
Value* fresnel_cos(ir::Builder& b, Value* x) { return fresnel(b, x, false); }

}  // namespace onward::importer::special
