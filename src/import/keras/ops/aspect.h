// Images brought to an aspect ratio before they are resized.
#pragma once

#include "ir/builder.h"

namespace onward::importer::keras {

// `x` has its height at `axis`, its width behind it. The largest part in the middle with the ratio height : width.
ir::Value* cropped_to_aspect(ir::Builder& b, ir::Value* x, int64_t axis, int64_t height, int64_t width);
// Bars of `value` at both sides until the ratio is height : width.
ir::Value* padded_to_aspect(ir::Builder& b, ir::Value* x, int64_t axis, int64_t height, int64_t width, double value);

}  // namespace onward::importer::keras
