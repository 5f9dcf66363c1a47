// Error functions, Bessel and Airy functions, by the fits of special_fits.inc.
#include <cmath>
#include <numbers>
#include <span>

#include "import/common/arithmetic.h"
#include "import/common/special.h"

namespace onward::importer::special {

using ir::DType;
using ir::Value;

namespace {

#include "import/common/special_fits.inc"

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = std::numbers::pi;

Value* number(ir::Builder& b, double value) { return b.number(value, DType::kDouble); }
// A fit at t, which must lie in -1 … 1 (elsewhere the result is of no use and must be masked).
Value* fitted(ir::Builder& b, std::span<const double> fit, Value* t) {
  Value* inside = b.Min(b.Max(t, -1.0), 1.0);
  return polynomial(b, inside, std::vector<double>(fit.begin(), fit.end()));
}
// t = 2 u / reach² - 1 for u = x² (the fits made with even()).
Value* even_fit(ir::Builder& b, std::span<const double> fit, Value* x, double reach) {
  return fitted(b, fit, b.Sub(b.Mul(b.Mul(x, x), 2 / (reach * reach)), 1));
}
// t = 2 start / x - 1, and with the square.
Value* inverse_fit(ir::Builder& b, std::span<const double> fit, Value* x, double start) {
  return fitted(b, fit, b.Sub(b.Div(number(b, 2 * start), x), 1));
}
Value* inverse_square_fit(ir::Builder& b, std::span<const double> fit, Value* x, double start) {
  return fitted(b, fit, b.Sub(b.Div(number(b, 2 * start * start), b.Mul(x, x)), 1));
}
Value* odd_sign(ir::Builder& b, Value* x, Value* of_size) {
  return b.Where(b.Less(x, number(b, 0)), b.Neg(of_size), of_size);
}

}  // namespace

// --- modified Bessel functions ---------------------------------------------------------------------------------------

Value* i0e(ir::Builder& b, Value* x) {
  Value* size = b.Abs(x);
  Value* near = fitted(b, kI0Near, b.Sub(b.Mul(size, 0.25), 1));
  Value* far = b.Div(inverse_fit(b, kI0Far, size, 8), b.Sqrt(size));
  return b.Where(b.LessOrEqual(size, number(b, 8)), near, far);
}
Value* i0(ir::Builder& b, Value* x) { return b.Mul(i0e(b, x), b.Exp(b.Abs(x))); }
Value* i1e(ir::Builder& b, Value* x) {
  Value* size = b.Abs(x);
  Value* near = b.Mul(size, fitted(b, kI1Near, b.Sub(b.Mul(size, 0.25), 1)));
  Value* far = b.Div(inverse_fit(b, kI1Far, size, 8), b.Sqrt(size));
  return odd_sign(b, x, b.Where(b.LessOrEqual(size, number(b, 8)), near, far));
}
Value* i1(ir::Builder& b, Value* x) { return b.Mul(i1e(b, x), b.Exp(b.Abs(x))); }

namespace {

// exp(x) K(x), infinite at 0, undefined below.
template <int Order>
Value* scaled_k(ir::Builder& b, Value* x) {
  Value* two = number(b, 2);
  Value* small = b.Where(b.And(b.Greater(x, number(b, 0)), b.LessOrEqual(x, two)), x, two);
  Value* log_half = b.Log(b.Mul(small, 0.5));
  Value* near = nullptr;
  if (Order == 0) {
    near = b.Sub(even_fit(b, kK0Near, small, 2), b.Mul(log_half, i0(b, small)));
  } else {
    near = b.Add(b.Div(even_fit(b, kK1Near, small, 2), small), b.Mul(log_half, i1(b, small)));
  }
  near = b.Mul(near, b.Exp(small));
  Value* large = b.Max(x, 2.0);
  Value* far = b.Div(inverse_fit(b, Order == 0 ? std::span<const double>(kK0Far) : kK1Far, large, 2), b.Sqrt(large));
  Value* result = b.Where(b.LessOrEqual(x, two), near, far);
  result = b.Where(b.Equal(x, number(b, 0)), number(b, kInfinity), result);
  return b.Where(b.Or(b.Less(x, number(b, 0)), b.IsNaN(x)), number(b, kNan), result);
}
template <int Order>
Value* plain_k(ir::Builder& b, Value* x) {
  return b.Where(b.Equal(x, number(b, 0)), number(b, kInfinity), b.Mul(scaled_k<Order>(b, x), b.Exp(b.Neg(x))));
}

}  // namespace

Value* k0(ir::Builder& b, Value* x) { return plain_k<0>(b, x); }
Value* k0e(ir::Builder& b, Value* x) { return scaled_k<0>(b, x); }
Value* k1(ir::Builder& b, Value* x) { return plain_k<1>(b, x); }
Value* k1e(ir::Builder& b, Value* x) { return scaled_k<1>(b, x); }

// --- Bessel functions ------------------------------------------------------------------------------------------------

namespace {

// From 8 on, sqrt(2 / (pi x)) (P cos - Q sin) of the phase for J, (P sin + Q cos) for Y.
struct Wave {
  Value* j;
  Value* y;
};
template <int Order>
Wave bessel_wave(ir::Builder& b, Value* x) {
  const std::span<const double> p_fit = Order == 0 ? std::span<const double>(kHankel0P) : kHankel1P;
  const std::span<const double> q_fit = Order == 0 ? std::span<const double>(kHankel0Q) : kHankel1Q;
  Value* large = b.Max(x, 8.0);
  Value* p = inverse_square_fit(b, p_fit, large, 8);
  Value* q = b.Div(inverse_square_fit(b, q_fit, large, 8), large);
  Value* phase = b.Sub(large, (2 * Order + 1) * kPi / 4);
  Value* cosine = b.Cos(phase);
  Value* sine = b.Sin(phase);
  Value* size = b.Sqrt(b.Div(number(b, 2 / kPi), large));
  return {b.Mul(size, b.Sub(b.Mul(p, cosine), b.Mul(q, sine))), b.Mul(size, b.Add(b.Mul(p, sine), b.Mul(q, cosine)))};
}
}  // namespace

Value* j0(ir::Builder& b, Value* x) {
  Value* size = b.Abs(x);
  return b.Where(b.LessOrEqual(size, number(b, 8)), even_fit(b, kJ0Near, size, 8), bessel_wave<0>(b, size).j);
}
Value* j1(ir::Builder& b, Value* x) {
  Value* size = b.Abs(x);
  Value* near = b.Mul(size, even_fit(b, kJ1Near, size, 8));
  return odd_sign(b, x, b.Where(b.LessOrEqual(size, number(b, 8)), near, bessel_wave<1>(b, size).j));
}
namespace {

// -inf at 0, undefined below.
Value* second_kind(ir::Builder& b, Value* x, Value* near, Value* far) {
  Value* result = b.Where(b.LessOrEqual(x, number(b, 8)), near, far);
  result = b.Where(b.Equal(x, number(b, 0)), number(b, -kInfinity), result);
  return b.Where(b.Less(x, number(b, 0)), number(b, kNan), result);
}

}  // namespace

Value* y0(ir::Builder& b, Value* x) {
  Value* near = b.Add(even_fit(b, kY0Near, x, 8), b.Mul(b.Mul(b.Log(x), j0(b, x)), 2 / kPi));
  return second_kind(b, x, near, bessel_wave<0>(b, x).y);
}
Value* y1(ir::Builder& b, Value* x) {
  Value* regular = b.Mul(x, even_fit(b, kY1Near, x, 8));
  Value* singular = b.Mul(b.Sub(b.Mul(b.Log(x), j1(b, x)), b.Reciprocal(x)), 2 / kPi);
  return second_kind(b, x, b.Add(regular, singular), bessel_wave<1>(b, x).y);
}
Value* spherical_j0(ir::Builder& b, Value* x) {
  Value* zero = b.Equal(x, number(b, 0));
  Value* safe = b.Where(zero, number(b, 1), x);
  Value* ratio = b.Where(b.IsInf(x), number(b, 0), b.Div(b.Sin(safe), safe));
  return b.Where(zero, number(b, 1), ratio);
}

Value* airy_ai(ir::Builder& b, Value* x) {
  Value* size = b.Abs(x);
  Value* four = number(b, 4);
  Value* large = b.Max(size, 4.0);
  Value* z = b.Mul(b.Mul(large, b.Sqrt(large)), 2.0 / 3);
  Value* root = b.Mul(b.Sqrt(b.Sqrt(large)), std::sqrt(kPi));
  constexpr double kStart = 16.0 / 3;  // z at 4
  Value* decay = b.Div(b.Mul(inverse_fit(b, kAiryFar, z, kStart), b.Exp(b.Neg(z))), b.Mul(root, 2));
  Value* phase = b.Sub(z, kPi / 4);
  Value* p = inverse_square_fit(b, kAiryWaveP, z, kStart);
  Value* q = b.Div(inverse_square_fit(b, kAiryWaveQ, z, kStart), z);
  Value* wave = b.Div(b.Sub(b.Mul(p, b.Cos(phase)), b.Mul(q, b.Sin(phase))), root);
  Value* positive = b.Where(b.LessOrEqual(x, four), fitted(b, kAiryPositive, b.Sub(b.Mul(x, 0.5), 1)), decay);
  Value* negative = b.Where(b.LessOrEqual(size, four), fitted(b, kAiryNegative, b.Add(b.Mul(x, 0.5), 1)), wave);
  Value* result = b.Where(b.Less(x, number(b, 0)), negative, positive);
  return b.Where(b.IsInf(x), b.Where(b.Less(x, number(b, 0)), number(b, kNan), number(b, 0)), result);
}

// --- error functions -------------------------------------------------------------------------------------------------

Value* scaled_erfc(ir::Builder& b, Value* x) {
  Value* size = b.Abs(x);
  Value* t = b.Sub(number(b, 1), b.Div(number(b, 4), b.Add(size, 2)));
  Value* positive = b.Div(fitted(b, kErfcx, t), b.Add(b.Mul(size, 2), 1));
  Value* square = b.Mul(x, x);
  return b.Where(b.Less(x, number(b, 0)), b.Sub(b.Mul(b.Exp(square), 2), positive), positive);
}

Value* erfc(ir::Builder& b, Value* x) {
  Value* size = b.Abs(x);
  Value* tail = b.Mul(scaled_erfc(b, size), b.Exp(b.Neg(b.Mul(size, size))));
  return b.Where(b.Less(x, number(b, 0)), b.Sub(number(b, 2), tail), tail);
}
Value* ndtr(ir::Builder& b, Value* x) { return b.Mul(erfc(b, b.Mul(x, -1 / std::numbers::sqrt2)), 0.5); }
Value* log_ndtr(ir::Builder& b, Value* x) {
  Value* scaled = b.Mul(x, -1 / std::numbers::sqrt2);
  Value* far = b.Sub(b.Log(b.Mul(scaled_erfc(b, b.Max(scaled, 0.0)), 0.5)), b.Mul(scaled, scaled));
  // log(1 - q) of a small q without loss: log1p as log(u) (-q) / (u - 1), u = 1 - q.
  Value* q = b.Mul(erfc(b, b.Neg(scaled)), 0.5);
  Value* u = b.Sub(number(b, 1), q);
  Value* same = b.Equal(u, number(b, 1));
  Value* safe = b.Where(same, number(b, 0.5), u);
  Value* near = b.Where(same, b.Neg(q), b.Mul(b.Log(safe), b.Div(q, b.Sub(number(b, 1), safe))));
  return b.Where(b.Less(x, number(b, -1)), far, near);
}
Value* erfinv(ir::Builder& b, Value* y) {
  Value* one = number(b, 1);
  Value* size = b.Abs(y);
  Value* w = b.Neg(b.Log(b.Mul(b.Sub(one, size), b.Add(one, size))));
  Value* root = b.Sqrt(b.Max(w, 0.0));
  Value* near = fitted(b, kErfinvNear, b.Sub(b.Div(w, 3.125), 1));
  Value* middle = fitted(b, kErfinvMiddle, b.Div(b.Sub(root, 3.25), 0.75));
  Value* far = fitted(b, kErfinvFar, b.Div(b.Sub(root, 5.25), 1.25));
  Value* ratio = b.Where(b.Less(w, number(b, 6.25)), near, b.Where(b.Less(w, number(b, 16)), middle, far));
  Value* result = b.Where(b.Equal(size, one), b.Mul(y, kInfinity), b.Mul(ratio, y));
  return b.Where(b.Greater(size, one), number(b, kNan), result);
}
Value* ndtri(ir::Builder& b, Value* p) {
  Value* one = number(b, 1);
  Value* zero = number(b, 0);
  Value* low = b.Min(p, b.Sub(one, p));
  Value* middle = b.Mul(erfinv(b, b.Sub(b.Mul(p, 2), 1)), std::numbers::sqrt2);
  Value* tail = b.Where(b.And(b.Greater(low, zero), b.Less(low, number(b, 0.13))), low, number(b, 0.13));
  Value* s = b.Sqrt(b.Mul(b.Log(tail), -2));
  Value* near = fitted(b, kNdtriNear, b.Div(b.Sub(s, 5), 3));
  Value* far = fitted(b, kNdtriFar, b.Div(b.Sub(b.Div(number(b, 8), s), 0.6), 0.4));
  Value* distance = b.Mul(s, b.Where(b.LessOrEqual(s, number(b, 8)), near, far));
  Value* edge = b.Where(b.Less(p, number(b, 0.5)), b.Neg(distance), distance);
  Value* result = b.Where(b.Less(low, number(b, 0.13)), edge, middle);
  result = b.Where(b.Equal(p, zero), number(b, -kInfinity), b.Where(b.Equal(p, one), number(b, kInfinity), result));
  return b.Where(b.Or(b.Less(p, zero), b.Greater(p, one)), number(b, kNan), result);
}

}  // namespace onward::importer::special
