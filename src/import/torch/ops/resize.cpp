// Resampling: nearest, linear, cubic.
#include "import/common/resize.h"

#include <cmath>
#include <limits>
#include <optional>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

struct Mode {
  std::string mode;        // "nearest", "linear", "cubic"
  std::string coordinate;  // ONNX's coordinate_transformation_mode
  std::string nearest;
};

Mode mode_of(Call& c) {
  const std::string& name = c.signature().name;
  if (name.find("nearest_exact") != std::string::npos) return {"nearest", "half_pixel", "round_prefer_ceil"};
  if (name.find("nearest") != std::string::npos) return {"nearest", "asymmetric", "floor"};
  const bool corners = c.signature().find("align_corners") != nullptr && c.flag("align_corners");
  const bool cubic = name.find("bicubic") != std::string::npos;
  return {cubic ? "cubic" : "linear", corners ? "align_corners" : cubic ? "half_pixel" : "pytorch_half_pixel", ""};
}

// The scales that the user gave, or nothing.
std::vector<double> given_scales(Call& c) {
  if (c.signature().find("scale_factors") != nullptr) return c.numbers("scale_factors");
  std::vector<double> scales;
  for (const char* name : {"scales", "scales_d", "scales_h", "scales_w"}) {
    if (c.signature().find(name) == nullptr) continue;
    if (!c.known(name)) return {};
    scales.push_back(c.number(name));
  }
  return scales;
}

// PyTorch's "nearest" takes element floor(i · step), its "nearest_exact" floor((i + 1/2) · step), in float; ONNX
// Runtime divides by the scale. Whether both take the same one at each of the first `count` places.
bool same_elements(bool exact, int64_t count, float step, float scale) {
  const float offset = exact ? 0.5F : 0.0F;
  for (int64_t i = 0; i < count; ++i) {
    const float place = static_cast<float>(i) + offset;
    if (std::floor(place * step) != std::floor(place / scale)) return false;
  }
  return true;
}

// The scale within a few roundings for which ONNX Runtime gives PyTorch's elements and sizes, for sizes that one meets.
std::optional<float> nearest_scale(bool exact, double scale) {
  constexpr int64_t kSizes = 1024;
  const auto step = static_cast<float>(1 / scale);
  const auto given = static_cast<float>(scale);
  const auto fits = [&](float candidate) {
    for (int64_t size = 0; size < kSizes; ++size) {
      const auto source = static_cast<float>(size);
      if (std::floor(static_cast<double>(size) * scale) != std::floor(source * candidate)) return false;
    }
    return same_elements(exact, kSizes, step, candidate);
  };
  float below = given;
  float above = given;
  for (int i = 0; i < 4; ++i) {
    if (fits(below)) return below;
    if (fits(above)) return above;
    below = std::nextafter(below, 0.0F);
    above = std::nextafter(above, std::numeric_limits<float>::infinity());
  }
  return std::nullopt;
}

// What the translation of one call works with; axis 2 + i gets the size sizes[i].
struct Resizing {
  Value* x;
  Mode mode;
  std::vector<double> scales;  // one per axis, or none
  Value* sizes;                // rank 1 int64
  size_t axes;
};

// Whether the same elements come out for these sizes. Those that only a run tells nearly always have a whole ratio.
bool same_by_sizes(const Resizing& r, bool exact) {
  if (!r.x->has_rank() || !r.sizes->content) return true;
  for (size_t i = 0; i < r.axes; ++i) {
    const ir::Dim& in = r.x->shape->at(2 + i);
    const ir::Dim& out = r.sizes->content->at(i);
    if (!in.is_known() || !out.is_known() || in.value() == 0 || out.value() == 0) continue;
    const auto source = static_cast<float>(in.value());
    const auto result = static_cast<float>(out.value());
    if (!same_elements(exact, out.value(), source / result, result / source)) return false;
  }
  return true;
}

// Source elements per element of the result, rank 0 float: what the given scale says, or the sizes.
Value* step_of(ir::Builder& b, const Resizing& r, size_t i) {
  const bool corners = r.mode.coordinate == "align_corners";
  if (!corners && !r.scales.empty()) return b.number(1 / r.scales[i], DType::kFloat);
  Value* in = b.Cast(b.dim_scalar(r.x, static_cast<int64_t>(2 + i)), DType::kFloat);
  Value* out = b.Cast(b.Select(r.sizes, static_cast<int64_t>(i), 0), DType::kFloat);
  if (!corners) return b.Div(in, out);
  Value* several = b.Greater(out, b.number_like(1, out));
  return b.Where(several, b.Div(b.Sub(in, 1.0), b.Max(b.Sub(out, 1.0), 1.0)), b.number_like(0, out));
}

// Axis by axis, for what ONNX Runtime has no mode for: `resized(x, axis, size, step)`.
template <class Resized>
Value* by_axes(ir::Builder& b, const Resizing& r, const Resized& resized) {
  Value* y = r.x;
  for (size_t i = 0; i < r.axes; ++i) {
    Value* size = b.Select(r.sizes, static_cast<int64_t>(i), 0);
    y = resized(y, static_cast<int64_t>(2 + i), size, step_of(b, r, i));
  }
  return y;
}

// Whether the sizes may be others than those that the given scales lead to; numbers beside an open size are.
bool sizes_differ_from_scales(const Resizing& r) {
  if (r.scales.empty() || !r.x->has_rank() || !r.sizes->content) return false;
  for (size_t i = 0; i < r.axes; ++i) {
    const ir::Dim& in = r.x->shape->at(2 + i);
    const ir::Dim& out = r.sizes->content->at(i);
    if (!out.is_known()) continue;
    if (!in.is_known() || std::floor(static_cast<double>(in.value()) * r.scales[i]) != out.value()) return true;
  }
  return false;
}

Value* gathered(ir::Builder& b, const Resizing& r, bool exact) {
  return by_axes(b, r, [&](Value* y, int64_t axis, Value* size, Value* step) {
    Value* place = b.Cast(b.Range(b.i64(0), size, b.i64(1)), DType::kFloat);
    if (exact) place = b.Add(place, 0.5);
    Value* index = b.Cast(b.Floor(b.Mul(place, step)), DType::kInt64);
    return b.Gather(y, b.Min(index, b.Sub(b.dim_scalar(y, axis), b.i64(1))), axis);
  });
}

Value* resized_by_scales(ir::Builder& b, Value* x, std::vector<double> scales, const ir::Attrs& attrs) {
  scales.insert(scales.begin(), {1, 1});
  const auto count = static_cast<int64_t>(scales.size());
  return b.op("Resize", {x, nullptr, b.constant(ir::Tensor::from_doubles(DType::kFloat, {count}, scales))}, attrs);
}

Value* resized_by_sizes(ir::Builder& b, const Resizing& r, const ir::Attrs& attrs) {
  Value* head = r.x->has_rank() ? b.Concat({b.dim(r.x, 0), b.dim(r.x, 1)}, 0) : b.Slice(b.Shape(r.x), 0, 2, 0);
  return b.op("Resize", {r.x, nullptr, nullptr, b.Concat({head, r.sizes}, 0)}, attrs);
}

Value* nearest(Call& c, const Resizing& r) {
  const bool exact = r.mode.nearest != "floor";
  ir::Attrs attrs{
      {"mode", "nearest"}, {"coordinate_transformation_mode", r.mode.coordinate}, {"nearest_mode", r.mode.nearest}};
  if (!r.scales.empty() && sizes_differ_from_scales(r)) return gathered(c.b, r, exact);
  if (r.scales.empty()) {
    return same_by_sizes(r, exact) ? resized_by_sizes(c.b, r, attrs) : gathered(c.b, r, exact);
  }
  std::vector<double> scales;
  for (const double scale : r.scales) {
    const std::optional<float> fitting = nearest_scale(exact, scale);
    if (!fitting) return gathered(c.b, r, exact);
    scales.push_back(*fitting);
  }
  return resized_by_scales(c.b, r.x, scales, attrs);
}

// aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor, and its kin: the
// forms with `scale_factors` take the size from them, those with scales_h and scales_w only where samples lie.
Value* resize(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor(c.has("input") ? "input" : "self");
  const std::string& name = c.signature().name;
  const size_t axes = spatial_rank(c);
  Resizing r{x, mode_of(c), given_scales(c), nullptr, axes};
  for (const double scale : r.scales) c.require(scale > 0, "a scale must be larger than 0");
  if (c.given("output_size")) {
    r.sizes = c.int_vector("output_size");
  } else {
    c.require(r.scales.size() == axes, "neither a size nor a scale for each axis");
    Value* source = b.Cast(b.Slice(b.Shape(x), 2, std::numeric_limits<int64_t>::max(), 0), DType::kDouble);
    const auto count = static_cast<int64_t>(axes);
    r.sizes = b.Cast(b.Floor(b.Mul(source, b.constant(ir::Tensor::from_doubles(DType::kDouble, {count}, r.scales)))),
                     DType::kInt64);
  }
  if (r.mode.mode == "nearest") return nearest(c, r);

  const bool antialias = name.find("_aa") != std::string::npos;
  const bool corners = r.mode.coordinate == "align_corners";
  if (antialias && (corners || sizes_differ_from_scales(r))) {
    const std::string method = r.mode.mode == "cubic" ? "bicubic" : "bilinear";
    return by_axes(b, r, [&](Value* y, int64_t axis, Value* size, Value* step) {
      return resample_axis(b, y, axis, size, step, method);
    });
  }
  ir::Attrs attrs{{"mode", r.mode.mode}, {"coordinate_transformation_mode", r.mode.coordinate}};
  if (r.mode.mode == "cubic") attrs.set("cubic_coeff_a", antialias ? -0.5 : -0.75);
  if (antialias) {  // weights of what lies outside go to what lies inside
    attrs.set("antialias", 1);
    attrs.set("exclude_outside", 1);
  }
  // Given scales also decide where samples lie; ONNX takes either scales or sizes, and floors as PyTorch does.
  return r.scales.empty() || corners ? resized_by_sizes(b, r, attrs) : resized_by_scales(b, x, r.scales, attrs);
}

}  // namespace

void register_resize(OpTable& t) {
  struct Rank {
    char digit;
    const char* linear;
    const char* scales;
  };
  for (const Rank& rank :
       {Rank{'1', "upsample_linear1d", ", float? scales=None"},
        Rank{'2', "upsample_bilinear2d", ", float? scales_h=None, float? scales_w=None"},
        Rank{'3', "upsample_trilinear3d", ", float? scales_d=None, float? scales_h=None, float? scales_w=None"}}) {
    const std::string digit(1, rank.digit);
    const std::string vec = ", float[]? scale_factors) -> Tensor";
    for (const std::string& name : {"upsample_nearest" + digit + "d", "_upsample_nearest_exact" + digit + "d"}) {
      t.add("aten::" + name + "(Tensor self, SymInt[] output_size" + rank.scales + ") -> Tensor", resize);
      t.add("aten::" + name + ".vec(Tensor input, SymInt[]? output_size" + vec, resize);
    }
    const std::string linear = std::string("aten::") + rank.linear;
    t.add(linear + "(Tensor self, SymInt[] output_size, bool align_corners" + rank.scales + ") -> Tensor", resize);
    t.add(linear + ".vec(Tensor input, SymInt[]? output_size, bool align_corners" + vec, resize);
  }
  const std::string two = ", float? scales_h=None, float? scales_w=None) -> Tensor";
  t.add("aten::upsample_bicubic2d(Tensor self, SymInt[] output_size, bool align_corners" + two, resize);
  t.add(
      "aten::upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) "
      "-> Tensor",
      resize);
  for (const char* name : {"_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa"}) {
    const std::string full = "aten::" + std::string(name);
    t.add(full + "(Tensor self, SymInt[] output_size, bool align_corners" + two, resize);
    t.add(full + ".vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor",
          resize);
  }
}

}  // namespace onward::importer::torch
