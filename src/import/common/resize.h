// TensorFlow's ways of resizing images (tf.image.resize with half-pixel centres), for all who import its models.
#pragma once

#include <string>

#include "ir/builder.h"

namespace onward::importer {

// Whether `method` is one of nearest, bilinear, bicubic, area, lanczos3, lanczos5, gaussian, mitchellcubic.
bool is_resize_method(std::string_view method);

// `x` with the axes `height` and `width` (any place, any rank) brought to `size`, a vector [height, width] of int64.
// Floating `x` but for nearest. Sizes may be dynamic.
ir::Value* resize_image(ir::Builder& b, ir::Value* x, int64_t height, int64_t width, ir::Value* size,
                        const std::string& method, bool antialias);

// One axis of `x` resampled to `out` (a rank 0 int64) by a widened "bilinear" or "bicubic" kernel that lets nothing
// through twice: element i lies at step · (i + 1/2) of the source. `step` is a rank 0 float, source elements per result
// element.
ir::Value* resample_axis(ir::Builder& b, ir::Value* x, int64_t axis, ir::Value* out, ir::Value* step,
                         const std::string& method);

}  // namespace onward::importer
