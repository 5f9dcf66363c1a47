#include "import/common/color.h"

namespace onward::importer {

using ir::Value;

Hsv split_hsv(ir::Builder& b, Value* x) {
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

Value* joined(ir::Builder& b, const Hsv& x) { return b.Concat({x.hue, x.saturation, x.value}, -1); }

}  // namespace onward::importer
