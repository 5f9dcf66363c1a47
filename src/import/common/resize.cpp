#include "import/common/resize.h"

#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace onward::importer {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

Value* range(Builder& b, Value* count) { return b.Cast(b.Range(b.i64(0), count, b.i64(1)), DType::kFloat); }

// One axis of nearest: source index floor((i + 1/2) in / out), as TensorFlow rounds it in float32.
Value* nearest(Builder& b, Value* x, int64_t axis, Value* out) {
  Value* in = b.dim_scalar(x, axis);
  Value* scale = b.Div(b.Cast(in, DType::kFloat), b.Cast(out, DType::kFloat));
  Value* index = b.Cast(b.Floor(b.Mul(b.Add(range(b, out), 0.5), scale)), DType::kInt64);
  return b.Gather(x, b.Min(index, b.Sub(in, b.i64(1))), axis);
}

// A kernel's value at the distance |d|, and how far it reaches.
struct Kernel {
  double radius;
  Value* (*at)(Builder&, Value*);
};

Value* triangle(Builder& b, Value* d) { return b.Max(b.Sub(b.number_like(1, d), d), 0.0); }

Value* lanczos(Builder& b, Value* d, double radius) {
  Value* zero = b.Less(d, b.number_like(1e-3, d));
  Value* safe = b.Where(zero, b.number_like(1, d), d);
  Value* angle = b.Mul(safe, std::numbers::pi);
  Value* y = b.Div(b.Mul(b.Mul(b.Sin(angle), b.Sin(b.Div(angle, radius))), radius), b.Mul(angle, angle));
  return b.Where(b.Greater(d, b.number_like(radius, d)), b.number_like(0, d), b.Where(zero, b.number_like(1, d), y));
}
Value* lanczos3(Builder& b, Value* d) { return lanczos(b, d, 3); }
Value* lanczos5(Builder& b, Value* d) { return lanczos(b, d, 5); }

Value* gaussian(Builder& b, Value* d) {
  constexpr double kRadius = 1.5;
  constexpr double kSigma = kRadius / 3;
  Value* y = b.Exp(b.Div(b.Mul(d, d), -2 * kSigma * kSigma));
  return b.Where(b.GreaterOrEqual(d, b.number_like(kRadius, d)), b.number_like(0, d), y);
}

// Piecewise cubics given by their coefficients below 1 and from 1 to 2, highest power first.
Value* cubic(Builder& b, Value* d, const std::array<double, 4>& inner, const std::array<double, 4>& outer) {
  const auto polynomial = [&](const std::array<double, 4>& c) {
    Value* y = b.Add(b.Mul(d, c[0]), c[1]);
    y = b.Add(b.Mul(y, d), c[2]);
    return b.Add(b.Mul(y, d), c[3]);
  };
  Value* far = b.Where(b.Less(d, b.number_like(2, d)), polynomial(outer), b.number_like(0, d));
  return b.Where(b.Less(d, b.number_like(1, d)), polynomial(inner), far);
}
Value* keys_cubic(Builder& b, Value* d) { return cubic(b, d, {1.5, -2.5, 0, 1}, {-0.5, 2.5, -4, 2}); }
Value* mitchell_cubic(Builder& b, Value* d) {
  return cubic(b, d, {7.0 / 6, -2, 0, 8.0 / 9}, {-7.0 / 18, 2, -10.0 / 3, 16.0 / 9});
}

Kernel kernel_of(std::string_view method) {
  if (method == "lanczos3") return {3, lanczos3};
  if (method == "lanczos5") return {5, lanczos5};
  if (method == "gaussian") return {1.5, gaussian};
  if (method == "mitchellcubic") return {2, mitchell_cubic};
  if (method == "bicubic") return {2, keys_cubic};
  return {1, triangle};
}

// [out, in] weights of one axis, whose elements lie `inverse` apart in the source; each row sums to 1.
Value* kernel_weights(Builder& b, Value* in, Value* out, Value* inverse, const std::string& method, bool antialias) {
  Value* sample = b.Unsqueeze(b.Sub(b.Mul(b.Add(range(b, out), 0.5), inverse), 0.5), {1});
  if (method == "bicubic" && !antialias) {
    // TensorFlow looks these weights up in a table of 1024 places.
    Value* whole = b.Floor(sample);
    sample = b.Add(whole, b.Div(b.Round(b.Mul(b.Sub(sample, whole), 1024.0)), 1024.0));
  }
  Value* distance = b.Abs(b.Sub(b.Unsqueeze(range(b, in), {0}), sample));
  if (antialias) distance = b.Div(distance, b.Max(inverse, 1.0));
  const Kernel kernel = kernel_of(method);
  Value* within = b.LessOrEqual(distance, b.number_like(kernel.radius, distance));
  Value* weights = b.Where(within, kernel.at(b, distance), b.number_like(0, distance));
  return b.Div(weights, b.ReduceSum(weights, {1}));
}

// [out, in] weights by how much of each source pixel an output pixel covers.
Value* area_weights(Builder& b, Value* in, Value* out) {
  Value* scale = b.Div(b.Cast(in, DType::kFloat), b.Cast(out, DType::kFloat));
  Value* low = b.Unsqueeze(b.Mul(range(b, out), scale), {1});
  Value* high = b.Unsqueeze(b.Mul(b.Add(range(b, out), 1.0), scale), {1});
  Value* start = b.Unsqueeze(range(b, in), {0});
  Value* overlap = b.Sub(b.Min(high, b.Add(start, 1.0)), b.Max(low, start));
  return b.Div(b.Max(overlap, 0.0), scale);
}

// x with `axis` multiplied by [out, in] weights.
Value* weighted(Builder& b, Value* x, int64_t axis, Value* weights) {
  const size_t rank = x->rank();
  std::vector<int64_t> perm;
  for (size_t i = 0; i < rank; ++i) {
    if (static_cast<int64_t>(i) != axis) perm.push_back(static_cast<int64_t>(i));
  }
  perm.push_back(axis);
  std::vector<int64_t> back(rank);
  for (size_t i = 0; i < rank; ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  Value* rows = b.Transpose(x, perm);
  return b.Transpose(b.MatMul(rows, b.Cast(b.Transpose(weights, {1, 0}), x->dtype)), back);
}

Value* bilinear(Builder& b, Value* x, int64_t height, int64_t width, Value* size) {
  const size_t rank = x->rank();
  // ONNX Runtime resizes the last two axes.
  std::vector<int64_t> perm;
  for (size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<int64_t>(i);
    if (axis != height && axis != width) perm.push_back(axis);
  }
  perm.push_back(height);
  perm.push_back(width);
  std::vector<int64_t> back(rank);
  for (size_t i = 0; i < rank; ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  Value* y = b.Transpose(x, perm);
  const bool single = rank == 3;
  if (single) y = b.Unsqueeze(y, {0});
  Value* sizes = b.Concat({b.op("Shape", {y}, {{"end", -2}}), size}, 0);
  y = b.op("Resize", {y, nullptr, nullptr, sizes},
           {{"mode", "linear"}, {"coordinate_transformation_mode", "half_pixel"}});
  if (single) y = b.Squeeze(y, {0});
  return b.Transpose(y, back);
}

}  // namespace

bool is_resize_method(std::string_view method) {
  for (const char* known :
       {"nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"}) {
    if (method == known) return true;
  }
  return false;
}

Value* resize_image(Builder& b, Value* x, int64_t height, int64_t width, Value* size, const std::string& method,
                    bool antialias) {
  if (!is_resize_method(method)) fail_unsupported("the resize method \"" + method + "\" is unknown");
  Value* rows = b.Select(size, 0, 0);
  Value* columns = b.Select(size, 1, 0);
  if (method == "nearest") return nearest(b, nearest(b, x, height, rows), width, columns);
  // Not so bicubic: ONNX Runtime moves the transposes and then refuses the shape.
  if (!antialias && method == "bilinear") return bilinear(b, x, height, width, size);
  const auto weights = [&](int64_t axis, Value* out) {
    Value* in = b.dim_scalar(x, axis);
    if (method == "area") return area_weights(b, in, out);
    Value* inverse = b.Div(b.Cast(in, DType::kFloat), b.Cast(out, DType::kFloat));
    return kernel_weights(b, in, out, inverse, method, antialias);
  };
  Value* by_height = weights(height, rows);
  Value* by_width = weights(width, columns);
  return weighted(b, weighted(b, x, height, by_height), width, by_width);
}

Value* resample_axis(Builder& b, Value* x, int64_t axis, Value* out, Value* step, const std::string& method) {
  return weighted(b, x, axis, kernel_weights(b, b.dim_scalar(x, axis), out, step, method, true));
}

}  // namespace onward::importer
