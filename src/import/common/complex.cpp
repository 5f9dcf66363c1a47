#include "import/common/complex.h"

#include <limits>
#include <numbers>

namespace onward::importer {

using ir::Builder;
using ir::DType;
using ir::Value;

namespace {

// What join() put an axis behind; null for any other value.
Value* unsqueezed_last(const Value* x) {
  const ir::Node* node = x->producer();
  if (node == nullptr || !node->is("Unsqueeze") || !node->input(1)->is_constant()) return nullptr;
  const ir::Tensor& axes = *node->input(1)->constant();
  return axes.count() == 1 && axes.as_int() == -1 ? node->input(0) : nullptr;
}

bool surely_same_shape(const Value* a, const Value* c) {
  if (!a->shape || !c->shape || a->shape->size() != c->shape->size()) return false;
  for (size_t i = 0; i < a->shape->size(); ++i) {
    if (!(*a->shape)[i].same((*c->shape)[i])) return false;
  }
  return true;
}

// a ± c where either may be zero.
Value* sum(Builder& b, Value* a, Value* c) {
  if (a == nullptr || c == nullptr) return a != nullptr ? a : c;
  return b.Add(a, c);
}
Value* difference(Builder& b, Value* a, Value* c) {
  if (c == nullptr) return a;
  return a == nullptr ? b.Neg(c) : b.Sub(a, c);
}
Value* product(Builder& b, Value* a, Value* c) { return a == nullptr || c == nullptr ? nullptr : b.Mul(a, c); }
Value* halved_sum(Builder& b, Value* a, Value* c) { return b.Mul(b.Add(a, c), 0.5); }
Value* halved_difference(Builder& b, Value* a, Value* c) { return b.Mul(b.Sub(a, c), 0.5); }

struct Hyperbolic {
  Value* sinh;
  Value* cosh;
};
Hyperbolic hyperbolic(Builder& b, Value* x) {
  Value* up = b.Exp(x);
  Value* down = b.Exp(b.Neg(x));
  return {halved_difference(b, up, down), halved_sum(b, up, down)};
}

}  // namespace

Complex parts(Builder& b, Value* x) {
  if (!x->complex) return {x, nullptr};
  if (const ir::Node* node = x->producer(); node != nullptr && node->is("Concat") && node->inputs().size() == 2) {
    Value* re = unsqueezed_last(node->input(0));
    Value* im = unsqueezed_last(node->input(1));
    if (re != nullptr && im != nullptr) return {re, im};
  }
  return {b.Select(x, 0, -1), b.Select(x, 1, -1)};
}

Value* imaginary(Builder& b, const Complex& x) {
  if (x.im == nullptr) return b.Fill(b.Shape(x.re), 0, x.re->dtype);
  return surely_same_shape(x.re, x.im) ? x.im : b.Expand(x.im, b.Shape(x.re));
}

Value* join(Builder& b, const Complex& x) {
  return as_complex(b.Concat({b.Unsqueeze(x.re, {-1}), b.Unsqueeze(imaginary(b, x), {-1})}, -1));
}

Value* as_complex(Value* pairs) {
  pairs->complex = true;
  return pairs;
}

ir::Tensor pairs_of(const ir::Tensor& tensor) {
  if (!ir::is_complex(tensor.dtype())) return tensor;
  ir::Dims dims = tensor.dims();
  dims.push_back(2);
  return ir::Tensor(real_dtype(tensor.dtype()), dims, tensor.bytes());
}

Value* add_input(ir::Graph& graph, const std::string& name, DType dtype, std::optional<ir::Shape> shape) {
  if (!ir::is_complex(dtype)) return graph.add_input(name, dtype, std::move(shape));
  if (shape) shape->push_back(2);
  return as_complex(graph.add_input(name, real_dtype(dtype), std::move(shape)));
}

DType framework_dtype(const Value* x) { return x->complex ? complex_dtype(x->dtype) : x->dtype; }
size_t framework_rank(const Value* x) { return x->rank() - (x->complex ? 1 : 0); }
std::optional<ir::Shape> framework_shape(const Value* x) {
  std::optional<ir::Shape> shape = x->shape;
  if (shape && x->complex) shape->pop_back();
  return shape;
}

DType real_dtype(DType dtype) {
  if (dtype == DType::kComplex64) return DType::kFloat;
  return dtype == DType::kComplex128 ? DType::kDouble : dtype;
}
DType complex_dtype(DType dtype) { return dtype == DType::kDouble ? DType::kComplex128 : DType::kComplex64; }

Complex constant(Builder& b, std::complex<double> value, DType real) {
  return {b.number(value.real(), real), value.imag() == 0 ? nullptr : b.number(value.imag(), real)};
}
Complex cast(Builder& b, const Complex& x, DType real) {
  return {b.Cast(x.re, real), x.im == nullptr ? nullptr : b.Cast(x.im, real)};
}
Complex conj(Builder& b, const Complex& x) { return {x.re, x.im == nullptr ? nullptr : b.Neg(x.im)}; }
Complex neg(Builder& b, const Complex& x) { return {b.Neg(x.re), x.im == nullptr ? nullptr : b.Neg(x.im)}; }
Complex times_i(Builder& b, const Complex& x) { return {b.Neg(imaginary(b, x)), x.re}; }
Complex add(Builder& b, const Complex& x, const Complex& y) { return {b.Add(x.re, y.re), sum(b, x.im, y.im)}; }
Complex sub(Builder& b, const Complex& x, const Complex& y) { return {b.Sub(x.re, y.re), difference(b, x.im, y.im)}; }
Complex mul(Builder& b, const Complex& x, const Complex& y) {
  return {difference(b, b.Mul(x.re, y.re), product(b, x.im, y.im)),
          sum(b, product(b, x.re, y.im), product(b, x.im, y.re))};
}
Complex mul(Builder& b, const Complex& x, double factor) {
  return {b.Mul(x.re, factor), x.im == nullptr ? nullptr : b.Mul(x.im, factor)};
}
Complex div(Builder& b, const Complex& x, const Complex& y) {
  if (y.im == nullptr) return {b.Div(x.re, y.re), x.im == nullptr ? nullptr : b.Div(x.im, y.re)};
  const Complex up = mul(b, x, conj(b, y));
  Value* norm = squared_abs(b, y);
  return {b.Div(up.re, norm), b.Div(imaginary(b, up), norm)};
}
Complex reciprocal(Builder& b, const Complex& x) { return div(b, {b.number_like(1, x.re), nullptr}, x); }
Complex matmul(Builder& b, const Complex& x, const Complex& y) {
  const auto times = [&](Value* a, Value* c) { return a == nullptr || c == nullptr ? nullptr : b.MatMul(a, c); };
  return {difference(b, b.MatMul(x.re, y.re), times(x.im, y.im)), sum(b, times(x.re, y.im), times(x.im, y.re))};
}
Complex where(Builder& b, Value* condition, const Complex& x, const Complex& y) {
  Value* re = b.Where(condition, x.re, y.re);
  if (x.im == nullptr && y.im == nullptr) return {re, nullptr};
  const auto im = [&](const Complex& z) { return z.im == nullptr ? b.number_like(0, z.re) : z.im; };
  return {re, b.Where(condition, im(x), im(y))};
}

Value* squared_abs(Builder& b, const Complex& x) { return sum(b, b.Mul(x.re, x.re), product(b, x.im, x.im)); }
// Scaled by the larger part: its square need not be representable.
Value* abs(Builder& b, const Complex& x) {
  if (x.im == nullptr) return b.Abs(x.re);
  Value* re = b.Abs(x.re);
  Value* im = b.Abs(x.im);
  Value* large = b.Max(re, im);
  Value* scale = b.Where(b.Equal(large, b.number_like(0, large)), b.number_like(1, large), large);
  Value* ratio = b.Div(b.Min(re, im), scale);
  Value* root = b.Mul(large, b.Sqrt(b.Add(b.Mul(ratio, ratio), 1)));
  return b.Where(b.IsInf(large), large, root);
}
Value* angle(Builder& b, const Complex& x) { return atan2(b, imaginary(b, x), x.re); }
Complex polar(Builder& b, Value* abs, Value* angle) { return {b.Mul(abs, b.Cos(angle)), b.Mul(abs, b.Sin(angle))}; }
Complex sgn(Builder& b, const Complex& x) {
  Value* size = abs(b, x);
  Value* safe = b.Where(b.Equal(size, b.number_like(0, size)), b.number_like(1, size), size);
  return div(b, x, {safe, nullptr});
}
Complex exp(Builder& b, const Complex& x) {
  Value* size = b.Exp(x.re);
  return x.im == nullptr ? Complex{size, nullptr} : polar(b, size, x.im);
}
Complex log(Builder& b, const Complex& x) { return {b.Log(abs(b, x)), angle(b, x)}; }
// (sqrt((|x| + re) / 2), ±sqrt((|x| - re) / 2)), each without cancellation.
Complex sqrt(Builder& b, const Complex& x) {
  Value* im = imaginary(b, x);
  Value* zero = b.number_like(0, x.re);
  Value* size = abs(b, x);
  Value* large = b.Sqrt(b.Mul(b.Add(size, b.Abs(x.re)), 0.5));
  Value* twice = b.Mul(b.Where(b.Equal(large, zero), b.number_like(1, large), large), 2);
  Value* small = b.Div(b.Abs(im), twice);
  Value* right = b.GreaterOrEqual(x.re, zero);
  Value* height = b.Where(right, small, large);
  return {b.Where(right, large, small), b.Where(b.Less(im, zero), b.Neg(height), height)};
}
Complex pow(Builder& b, const Complex& x, const Complex& y) {
  const Complex power = exp(b, mul(b, y, log(b, x)));
  Value* zero = b.number_like(0, x.re);
  Value* base_is_zero = b.And(b.Equal(x.re, zero), b.Equal(imaginary(b, x), zero));
  Value* exponent_is_zero = b.Equal(y.re, zero);
  if (y.im != nullptr) exponent_is_zero = b.And(exponent_is_zero, b.Equal(y.im, zero));
  const Complex one{b.number_like(1, x.re), nullptr};
  const Complex none{zero, nullptr};
  return where(b, exponent_is_zero, one, where(b, base_is_zero, none, power));
}
Complex sin(Builder& b, const Complex& x) {
  const Hyperbolic h = hyperbolic(b, imaginary(b, x));
  return {b.Mul(b.Sin(x.re), h.cosh), b.Mul(b.Cos(x.re), h.sinh)};
}
Complex cos(Builder& b, const Complex& x) {
  const Hyperbolic h = hyperbolic(b, imaginary(b, x));
  return {b.Mul(b.Cos(x.re), h.cosh), b.Neg(b.Mul(b.Sin(x.re), h.sinh))};
}
Complex tan(Builder& b, const Complex& x) {  // -i tanh(i x)
  return neg(b, times_i(b, tanh(b, times_i(b, x))));
}
Complex sinh(Builder& b, const Complex& x) {
  const Hyperbolic h = hyperbolic(b, x.re);
  Value* im = imaginary(b, x);
  return {b.Mul(h.sinh, b.Cos(im)), b.Mul(h.cosh, b.Sin(im))};
}
Complex cosh(Builder& b, const Complex& x) {
  const Hyperbolic h = hyperbolic(b, x.re);
  Value* im = imaginary(b, x);
  return {b.Mul(h.cosh, b.Cos(im)), b.Mul(h.sinh, b.Sin(im))};
}
// (t (1 + n²), n (1 - t²)) / (1 + t² n²) with t = tanh(re), n = tan(im).
Complex tanh(Builder& b, const Complex& x) {
  Value* t = b.Tanh(x.re);
  Value* n = b.Tan(imaginary(b, x));
  Value* n2 = b.Mul(n, n);
  Value* t2 = b.Mul(t, t);
  Value* below = b.Add(b.Mul(t2, n2), 1);
  Value* one = b.number_like(1, t);
  return {b.Div(b.Mul(t, b.Add(n2, 1)), below), b.Div(b.Mul(n, b.Sub(one, t2)), below)};
}
Complex sigmoid(Builder& b, const Complex& x) {
  const Complex e = exp(b, neg(b, x));
  return reciprocal(b, {b.Add(e.re, 1), e.im});
}
Value* equal(Builder& b, const Complex& x, const Complex& y) {
  Value* re = b.Equal(x.re, y.re);
  if (x.im == nullptr && y.im == nullptr) return re;
  return b.And(re, b.Equal(imaginary(b, x), imaginary(b, y)));
}

// The angle of the ratio of the smaller to the larger size, turned into the right octant.
Value* atan2(Builder& b, Value* y, Value* x) {
  constexpr double kPi = std::numbers::pi;
  Value* zero = b.number_like(0, x);
  Value* across = b.Abs(x);
  Value* up = b.Abs(y);
  Value* large = b.Max(across, up);
  Value* both_infinite = b.And(b.IsInf(across), b.IsInf(up));
  Value* divisor = b.Where(b.Equal(large, zero), b.number_like(1, x), large);
  Value* ratio = b.Where(both_infinite, b.number_like(1, x), b.Div(b.Min(across, up), divisor));
  Value* acute = b.Atan(ratio);
  Value* first = b.Where(b.Greater(up, across), b.Sub(b.number_like(kPi / 2, x), acute), acute);
  // 1/x tells -0 from 0.
  Value* left = b.Or(b.Less(x, zero), b.Less(b.Reciprocal(x), zero));
  Value* half = b.Where(left, b.Sub(b.number_like(kPi, x), first), first);
  Value* below = b.Or(b.Less(y, zero), b.Less(b.Reciprocal(y), zero));
  return b.Where(below, b.Neg(half), half);
}

}  // namespace onward::importer
