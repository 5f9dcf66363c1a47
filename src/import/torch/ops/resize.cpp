// Resampling: nearest, linear, cubic.
#include <cmath>
#include <limits>

#include "import/torch/ops/families.h"

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

// PyTorch takes element floor(i · (1 / scale)) for "nearest", ONNX floor(i / scale), both in float: the scale within a
// few roundings with which they meet at most places, for sizes that one meets.
float nearest_scale(double scale) {
  constexpr int kSizes = 1024;
  const auto step = static_cast<float>(1 / scale);
  const auto differences = [&](float candidate) {
    int count = 0;
    for (int i = 0; i < kSizes; ++i) {
      const auto place = static_cast<float>(i);
      if (std::floor(place * step) != std::floor(place / candidate)) ++count;
      // The result's size must not change at all.
      if (std::floor(place * scale) != std::floor(place * candidate)) count += kSizes;
    }
    return count;
  };
  const auto given = static_cast<float>(scale);
  float best = given;
  int least = differences(given);
  for (const float end : {0.0F, std::numeric_limits<float>::infinity()}) {
    float candidate = given;
    for (int i = 0; i < 3 && least > 0; ++i) {
      candidate = std::nextafter(candidate, end);
      if (const int count = differences(candidate); count < least) {
        least = count;
        best = candidate;
      }
    }
  }
  return best;
}

Value* resize(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor(c.signature().find("input") != nullptr ? "input" : "self");
  const Mode mode = mode_of(c);
  const bool antialias = c.signature().name.find("_aa") != std::string::npos;
  ir::Attrs attrs{{"mode", mode.mode}, {"coordinate_transformation_mode", mode.coordinate}};
  if (!mode.nearest.empty()) attrs.set("nearest_mode", mode.nearest);
  if (mode.mode == "cubic") attrs.set("cubic_coeff_a", antialias ? -0.5 : -0.75);
  if (antialias) {  // weights of what lies outside go to what lies inside
    attrs.set("antialias", 1);
    attrs.set("exclude_outside", 1);
  }
  const std::vector<double> scales = given_scales(c);
  const bool sized = c.given("output_size");
  // Given scales also decide where samples lie; ONNX takes either scales or sizes, and floors as PyTorch does.
  const bool by_scale = !scales.empty() && mode.coordinate != "align_corners";
  if (by_scale) {
    std::vector<double> all{1, 1};
    for (const double scale : scales) {
      c.require(scale > 0, "a scale must be larger than 0");
      all.push_back(mode.nearest == "floor" ? nearest_scale(scale) : scale);
    }
    Value* factors = b.constant(ir::Tensor::from_doubles(DType::kFloat, {static_cast<int64_t>(all.size())}, all));
    return b.op("Resize", {x, nullptr, factors}, attrs);
  }
  Value* head = x->has_rank() ? b.Concat({b.dim(x, 0), b.dim(x, 1)}, 0) : b.Slice(b.Shape(x), 0, 2, 0);
  Value* spatial = nullptr;
  if (sized) {
    spatial = c.int_vector("output_size");
  } else {
    const std::vector<double>& factors = scales;
    Value* sizes = b.Cast(b.Slice(b.Shape(x), 2, std::numeric_limits<int64_t>::max(), 0), DType::kDouble);
    Value* scaled = b.Mul(
        sizes, b.constant(ir::Tensor::from_doubles(DType::kDouble, {static_cast<int64_t>(factors.size())}, factors)));
    spatial = b.Cast(b.Floor(scaled), DType::kInt64);
  }
  return b.op("Resize", {x, nullptr, nullptr, b.Concat({head, spatial}, 0)}, attrs);
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
