// Colours of images [..., 3] as red, green, blue or as hue, saturation, value.
#pragma once

#include "ir/builder.h"

namespace onward::importer {

// Each [..., 1].
struct Hsv {
  ir::Value* hue;
  ir::Value* saturation;
  ir::Value* value;
};

Hsv split_hsv(ir::Builder& b, ir::Value* hsv);
ir::Value* joined(ir::Builder& b, const Hsv& x);
Hsv to_hsv(ir::Builder& b, ir::Value* rgb);
ir::Value* to_rgb(ir::Builder& b, const Hsv& x);

}  // namespace onward::importer
