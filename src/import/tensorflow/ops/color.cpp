// Colours of images: [..., 3] as red, green, blue or hue, saturation, value.
#include "import/common/color.h"

#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::Value;

// RGBToHSV(images: T) -> output
Value* rgb_to_hsv(Call& c) { return joined(c.b, to_hsv(c.b, c.input(0))); }
// HSVToRGB(images: T) -> output
Value* hsv_to_rgb(Call& c) { return to_rgb(c.b, split_hsv(c.b, c.input(0))); }

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
