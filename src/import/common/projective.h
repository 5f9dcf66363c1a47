// Images through affine and projective maps, as TensorFlow's ImageProjectiveTransform has them.
#pragma once

#include <string>

#include "ir/builder.h"

namespace onward::importer {

// `images` [n, h, w, c]; `transforms` [n or 1, 8] float maps an output place (x, y) to the input's
// ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) with k = c0 x + c1 y + 1; `size` the output's [height, width],
// int64. `interpolation` is "NEAREST" or "BILINEAR", `fill_mode` "CONSTANT" (with `fill`), "REFLECT", "WRAP" or
// "NEAREST".
ir::Value* projected(ir::Builder& b, ir::Value* images, ir::Value* transforms, ir::Value* size,
                     const std::string& interpolation, const std::string& fill_mode, ir::Value* fill);

}  // namespace onward::importer
