// Resampling of images.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

struct Sampling {
  bool corners;
  bool half;
  const char* coordinate() const { return corners ? "align_corners" : half ? "half_pixel" : "asymmetric"; }
};
Sampling sampling_of(Call& c) { return {c.flag("align_corners"), c.flag("half_pixel_centers")}; }

// ONNX's Resize of [batch, height, width, channels] to the sizes in input 1.
Value* resized(Call& c, Value* x, ir::Attrs attrs) {
  ir::Builder& b = c.b;
  Value* size = as_vector(b, c.input(1));
  attrs.set("coordinate_transformation_mode", sampling_of(c).coordinate());
  return in_nchw(b, x, 4, false, [&](Value* image) {
    Value* sizes = b.Concat({dims(b, image, 0, 2), size}, 0);
    Value* result = b.op("Resize", {image, nullptr, nullptr, sizes}, attrs);
    if (!result->shape && image->shape) {
      result->shape = ir::Shape{image->dim(0), image->dim(1), ir::Dim(), ir::Dim()};
    }
    return result;
  });
}

// ResizeBilinear(images: T, size: int32, align_corners: bool = false, half_pixel_centers: bool = false) ->
// resized_images: float
Value* resize_bilinear(Call& c) { return resized(c, c.b.Cast(c.input(0), DType::kFloat), {{"mode", "linear"}}); }

Value* single(ir::Builder& b, Value* x) { return b.Cast(x, DType::kFloat); }
Value* number(ir::Builder& b, double value) { return b.number(value, DType::kFloat); }

// Input elements per output element along an axis, as TensorFlow computes it; rank 0.
Value* scale_of(ir::Builder& b, const Sampling& s, Value* in, Value* out) {
  Value* plain = b.Div(single(b, in), single(b, out));
  if (!s.corners) return plain;
  Value* steps = b.Sub(out, b.i64(1));
  Value* stretched = b.Div(single(b, b.Sub(in, b.i64(1))), single(b, b.Max(steps, b.i64(1))));
  return b.Where(b.Greater(steps, b.i64(0)), stretched, plain);
}

// The input position that each output position takes.
Value* nearest(ir::Builder& b, const Sampling& s, Value* in, Value* out) {
  Value* position = single(b, counting(b, out));
  Value* scale = scale_of(b, s, in, out);
  if (s.half) position = b.Add(position, 0.5);
  Value* at = b.Mul(position, scale);
  Value* index = b.Cast(b.Floor(s.corners ? b.Add(at, 0.5) : at), DType::kInt64);
  return b.Max(b.Min(index, b.Sub(in, b.i64(1))), b.i64(0));
}

// Whether every output size is known to be a multiple of the input's: ONNX's own rounding is exact then.
bool is_multiple(Call& c) {
  const Value* x = c.input(0);
  const auto size = c.known_ints(1);
  if (!size || !x->shape || c.flag("align_corners")) return false;
  for (size_t i = 0; i < 2; ++i) {
    const ir::Dim dim = x->dim(i + 1);
    if (!dim.is_known() || dim.value() <= 0 || (*size)[i] % dim.value() != 0) return false;
  }
  return true;
}

// ResizeNearestNeighbor(images: T, size: int32, align_corners, half_pixel_centers) -> resized_images: T
Value* resize_nearest(Call& c) {
  ir::Builder& b = c.b;
  const Sampling s = sampling_of(c);
  Value* x = c.input(0);
  if (is_multiple(c)) {
    return resized(c, x, {{"mode", "nearest"}, {"nearest_mode", s.half ? "round_prefer_ceil" : "floor"}});
  }
  // Scales are rounded as TensorFlow rounds them: Resize may pick a neighbour instead.
  Value* size = as_vector(b, c.input(1));
  for (const int64_t axis : {1, 2}) {
    Value* out = b.Select(size, axis - 1, 0);
    x = b.Gather(x, nearest(b, s, b.dim_scalar(x, axis), out), axis);
  }
  return x;
}

// --- by weights ------------------------------------------------------------------------------------------------------

// [batch, height, width, channels] times a matrix [out, in] along each spatial axis.
Value* weighted(ir::Builder& b, Value* x, Value* rows, Value* columns) {
  Value* image = b.Transpose(single(b, x), {0, 3, 1, 2});
  Value* result = b.MatMul(b.MatMul(rows, image), b.Transpose(columns, {1, 0}));
  return b.Transpose(result, {0, 2, 3, 1});
}

// How much of each input element each output element covers.
Value* area_weights(ir::Builder& b, const Sampling& s, Value* in, Value* out) {
  Value* scale = scale_of(b, s, in, out);
  Value* begin = b.Mul(b.Unsqueeze(single(b, counting(b, out)), {1}), scale);
  Value* end = b.Add(begin, scale);
  Value* cell = b.Unsqueeze(counting(b, in), {0});
  Value* low = single(b, cell);
  // The last element goes on beyond the border.
  Value* is_last = b.Equal(cell, b.Sub(in, b.i64(1)));
  Value* high = b.Where(is_last, number(b, 1e30), b.Add(low, 1));
  return b.Div(b.Max(b.Sub(b.Min(end, high), b.Max(begin, low)), number(b, 0)), scale);
}

// The image by the matrices that `weights` makes for its axes.
Value* by_weights(Call& c, Value* (*weights)(ir::Builder&, const Sampling&, Value* in, Value* out)) {
  ir::Builder& b = c.b;
  const Sampling s = sampling_of(c);
  Value* x = c.input(0);
  Value* size = as_vector(b, c.input(1));
  Value* rows = weights(b, s, b.dim_scalar(x, 1), b.Select(size, 0, 0));
  Value* columns = weights(b, s, b.dim_scalar(x, 2), b.Select(size, 1, 0));
  return weighted(b, x, rows, columns);
}

// ResizeArea(images: T, size: int32, align_corners: bool = false) -> resized_images: float
Value* resize_area(Call& c) { return by_weights(c, area_weights); }

// --- bicubic

// Keys' kernel with `a` at 0 <= x <= 1, and at 1 <= x <= 2.
Value* cubic_near(ir::Builder& b, Value* x, double a) {
  return b.Add(b.Mul(b.Mul(b.Sub(b.Mul(x, a + 2), a + 3), x), x), 1);
}
Value* cubic_far(ir::Builder& b, Value* x, double a) {
  return b.Sub(b.Mul(b.Add(b.Mul(b.Sub(b.Mul(x, a), 5 * a), x), 8 * a), x), 4 * a);
}

// TensorFlow looks the kernel up in a table of 1024 steps. With half pixels a is -0.5, and what lies outside counts
// nothing; else a is -0.75, and the border goes on.
Value* bicubic_weights(ir::Builder& b, const Sampling& s, Value* in, Value* out) {
  const double a = s.half ? -0.5 : -0.75;
  Value* position = single(b, counting(b, out));
  Value* scale = scale_of(b, s, in, out);
  Value* at = s.half ? b.Sub(b.Mul(b.Add(position, 0.5), scale), 0.5) : b.Mul(position, scale);
  Value* base = b.Floor(at);
  Value* d = b.Div(b.Round(b.Mul(b.Sub(at, base), 1024)), 1024);
  Value* e = b.Sub(number(b, 1), d);
  const std::array<Value*, 4> taps{cubic_far(b, b.Add(d, 1), a), cubic_near(b, d, a), cubic_near(b, e, a),
                                   cubic_far(b, b.Add(e, 1), a)};
  Value* cell = b.Unsqueeze(counting(b, in), {0});
  Value* first = b.Cast(base, DType::kInt64);
  Value* last = b.Sub(in, b.i64(1));
  Value* sum = nullptr;
  for (size_t i = 0; i < taps.size(); ++i) {
    Value* index = b.Add(first, b.i64(static_cast<int64_t>(i) - 1));
    if (!s.half) index = b.Max(b.Min(index, last), b.i64(0));
    Value* here = single(b, b.Equal(b.Unsqueeze(index, {1}), cell));
    Value* part = b.Mul(here, b.Unsqueeze(taps[i], {1}));
    sum = sum == nullptr ? part : b.Add(sum, part);
  }
  return s.half ? b.Div(sum, b.ReduceSum(sum, {1})) : sum;
}

// ResizeBicubic(images: T, size: int32, align_corners, half_pixel_centers) -> resized_images: float
Value* resize_bicubic(Call& c) { return by_weights(c, bicubic_weights); }

// --- ScaleAndTranslate -----------------------------------------------------------------------------------------------

struct Kernel {
  double radius;
  Value* (*at)(ir::Builder&, Value* distance, double radius);  // of |x| in units of the kernel
};

Value* inside(ir::Builder& b, Value* x, double limit, Value* value) {
  return b.Where(b.Less(x, number(b, limit)), value, number(b, 0));
}
Value* lanczos(ir::Builder& b, Value* x, double radius) {
  Value* angle = b.Mul(x, std::numbers::pi);
  Value* tiny = b.LessOrEqual(x, number(b, 1e-3));
  Value* safe = b.Where(tiny, number(b, 1), angle);
  Value* wave = b.Div(b.Mul(b.Mul(b.Sin(safe), b.Sin(b.Div(safe, radius))), radius), b.Mul(safe, safe));
  return inside(b, x, radius, b.Where(tiny, number(b, 1), wave));
}
Value* gaussian(ir::Builder& b, Value* x, double radius) {
  const double sigma = radius / 3;
  return inside(b, x, radius, b.Exp(b.Div(b.Mul(x, x), -2 * sigma * sigma)));
}
Value* box(ir::Builder& b, Value* x, double) {
  Value* below = b.Where(b.Less(x, number(b, 0.5)), number(b, 1), number(b, 0));
  return b.Where(b.Equal(x, number(b, 0.5)), number(b, 0.5), below);
}
Value* triangle(ir::Builder& b, Value* x, double) { return b.Max(b.Sub(number(b, 1), x), number(b, 0)); }
Value* cubic(ir::Builder& b, Value* x, const std::array<double, 4>& near, const std::array<double, 4>& far) {
  const auto polynomial = [&](const std::array<double, 4>& k) {
    return b.Add(b.Mul(b.Add(b.Mul(b.Add(b.Mul(x, k[0]), k[1]), x), k[2]), x), k[3]);
  };
  Value* outer = b.Where(b.GreaterOrEqual(x, number(b, 2)), number(b, 0), polynomial(far));
  return b.Where(b.GreaterOrEqual(x, number(b, 1)), outer, polynomial(near));
}
Value* keys_cubic(ir::Builder& b, Value* x, double) { return cubic(b, x, {1.5, -2.5, 0, 1}, {-0.5, 2.5, -4, 2}); }
Value* mitchell_cubic(ir::Builder& b, Value* x, double) {
  return cubic(b, x, {7.0 / 6, -2, 0, 8.0 / 9}, {-7.0 / 18, 2, -10.0 / 3, 16.0 / 9});
}

Kernel kernel_of(Call& c) {
  const std::string name = c.text("kernel_type", "lanczos3");
  if (name == "lanczos1") return {1, lanczos};
  if (name == "lanczos3") return {3, lanczos};
  if (name == "lanczos5") return {5, lanczos};
  if (name == "gaussian") return {1.5, gaussian};
  if (name == "box") return {1, box};
  if (name == "triangle") return {1, triangle};
  if (name == "keyscubic") return {2, keys_cubic};
  if (name == "mitchellcubic") return {2, mitchell_cubic};
  c.fail("its kernel_type \"" + name + "\" is unknown");
}

// The matrix [out, in] of one axis.
Value* kernel_weights(Call& c, Value* in, Value* out, Value* scale, Value* translation) {
  ir::Builder& b = c.b;
  const Kernel kernel = kernel_of(c);
  Value* inverse = b.Reciprocal(scale);
  Value* stretch = c.flag("antialias", true) ? b.Max(inverse, number(b, 1)) : number(b, 1);
  Value* position = b.Unsqueeze(b.Add(single(b, counting(b, out)), 0.5), {1});
  Value* sample = b.Sub(b.Mul(position, inverse), b.Mul(translation, inverse));
  Value* cell = b.Unsqueeze(b.Add(single(b, counting(b, in)), 0.5), {0});
  Value* distance = b.Abs(b.Div(b.Sub(cell, sample), stretch));
  Value* weights = kernel.at(b, distance, kernel.radius);
  Value* sum = b.ReduceSum(weights, {1});
  Value* outside = b.Or(b.Less(sample, number(b, 0)), b.Greater(sample, single(b, in)));
  Value* nothing = b.Or(outside, b.Less(b.Abs(sum), number(b, 1e-12)));
  return b.Where(nothing, number(b, 0), b.Div(weights, b.Where(nothing, number(b, 1), sum)));
}

// ScaleAndTranslate(images: T, size: int32, scale: float, translation: float, kernel_type: string = "lanczos3",
// antialias: bool = true) -> resized_images: float
Value* scale_and_translate(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  Value* size = as_vector(b, c.input(1));
  ir::Values weights;
  for (const int64_t axis : {0, 1}) {
    weights.push_back(kernel_weights(c, b.dim_scalar(x, axis + 1), b.Select(size, axis, 0),
                                     b.Select(c.input(2), axis, 0), b.Select(c.input(3), axis, 0)));
  }
  return weighted(b, x, weights[0], weights[1]);
}

}  // namespace

void register_resize(OpTable& t) {
  t.add("ResizeBilinear", resize_bilinear);
  t.add("ResizeBicubic", resize_bicubic);
  t.add("ResizeNearestNeighbor", resize_nearest);
  t.add("ResizeArea", resize_area);
  t.add("ScaleAndTranslate", scale_and_translate);
}

}  // namespace onward::importer::tf
