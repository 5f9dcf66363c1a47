// Colours of images: [..., 3] as red, green, blue or hue, saturation, value.
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::Value;

struct Hsv {
  Value* hue;
  Value* saturation;
  Value* value;
};

Hsv split(ir::Builder& b, Value* x) {
  const ir::Values parts = b.Split(x, {1, 1, 1}, -1);
  return {parts[0], parts[1], parts[2]};
}

Hsv to_hsv(ir::Builder& b, Value* rgb) {
  const ir::Values parts = b.Split(rgb, {1, 1, 1}, -1);
  Value* zero = b.number_like(0, rgb);
  Value* one = b.number_like(1, rgb);
  Value* high = b.ReduceMax(rgb, {-1});
  Value* spread = b.Sub(high, b.ReduceMin(rgb, {-1}));
  const auto or_one = [&](Value* x) { return b.Where(b.Equal(x, zero), one, x); };
  Value* saturation = b.Where(b.Greater(high, zero), b.Div(spread, or_one(high)), zero);
  Value* unit = b.Div(b.number_like(1.0 / 6, rgb), or_one(spread));
  const auto turned = [&](Value* x, Value* y, double start) { return b.Add(b.Mul(unit, b.Sub(x, y)), start); };
  Value* hue =
      b.Where(b.Equal(parts[1], high), turned(parts[2], parts[0], 2.0 / 6), turned(parts[0], parts[1], 4.0 / 6));
  hue = b.Where(b.Equal(parts[0], high), b.Mul(unit, b.Sub(parts[1], parts[2])), hue);
  hue = b.Where(b.Greater(spread, zero), hue, zero);
  return {b.Where(b.Less(hue, zero), b.Add(hue, 1), hue), saturation, high};
}

Value* to_rgb(ir::Builder& b, const Hsv& x) {
  Value* zero = b.number_like(0, x.hue);
  Value* one = b.number_like(1, x.hue);
  Value* six = b.Mul(x.hue, 6);
  const auto clipped = [&](Value* y) { return b.Min(b.Max(y, zero), one); };
  Value* red = clipped(b.Sub(b.Abs(b.Sub(six, 3)), 1));
  Value* green = clipped(b.Sub(b.number_like(2, six), b.Abs(b.Sub(six, 2))));
  Value* blue = clipped(b.Sub(b.number_like(2, six), b.Abs(b.Sub(six, 4))));
  Value* colour = b.Concat({red, green, blue}, -1);
  return b.Mul(b.Add(b.Mul(b.Sub(colour, 1), x.saturation), 1), x.value);
}

// RGBToHSV(images: T) -> output
Value* rgb_to_hsv(Call& c) {
  const Hsv x = to_hsv(c.b, c.input(0));
  return c.b.Concat({x.hue, x.saturation, x.value}, -1);
}
// HSVToRGB(images: T) -> output
Value* hsv_to_rgb(Call& c) { return to_rgb(c.b, split(c.b, c.input(0))); }

// AdjustHue(images: T, delta: float) -> output: turned by delta, in whole turns
Value* adjust_hue(Call& c) {
  ir::Builder& b = c.b;
  Value* wide = b.Cast(c.input(0), ir::DType::kFloat);
  Hsv x = to_hsv(b, wide);
  Value* turned = b.Add(x.hue, as_scalar(b, c.input(1)));
  x.hue = b.Sub(turned, b.Floor(turned));
  return b.Cast(to_rgb(b, x), c.input(0)->dtype);
}
// AdjustSaturation(images: T, scale: float) -> output
Value* adjust_saturation(Call& c) {
  ir::Builder& b = c.b;
  Value* wide = b.Cast(c.input(0), ir::DType::kFloat);
  Hsv x = to_hsv(b, wide);
  x.saturation = b.Min(b.Max(b.Mul(x.saturation, as_scalar(b, c.input(1))), 0.0), 1);
  return b.Cast(to_rgb(b, x), c.input(0)->dtype);
}
// AdjustContrastv2(images: T, contrast_factor: float) -> output: about the mean of each channel
Value* adjust_contrast(Call& c) {
  ir::Builder& b = c.b;
  Value* x = b.Cast(c.input(0), ir::DType::kFloat);
  Value* mean = b.ReduceMean(x, {-3, -2});
  return b.Cast(b.Add(b.Mul(b.Sub(x, mean), as_scalar(b, c.input(1))), mean), c.input(0)->dtype);
}
// AdjustContrast(images: T, contrast_factor: float, min_value: float, max_value: float) -> output: float
Value* adjust_contrast_v1(Call& c) {
  ir::Builder& b = c.b;
  Value* x = b.Cast(c.input(0), ir::DType::kFloat);
  Value* mean = b.ReduceMean(x, {-3, -2});
  Value* result = b.Add(b.Mul(b.Sub(x, mean), as_scalar(b, c.input(1))), mean);
  return b.Min(b.Max(result, as_scalar(b, c.input(2))), as_scalar(b, c.input(3)));
}

}  // namespace

void register_color(OpTable& t) {
  t.add("RGBToHSV", rgb_to_hsv);
  t.add("HSVToRGB", hsv_to_rgb);
  t.add("AdjustHue", adjust_hue);
  t.add("AdjustSaturation", adjust_saturation);
  t.add("AdjustContrastv2", adjust_contrast);
  t.add("AdjustContrast", adjust_contrast_v1);
}

}  // namespace onward::importer::tf
