// Pictures as inputs of models, and outputs of models as pictures.
#pragma once

#include "formats/array.h"
#include "runtime/session.h"

namespace onward::serving {

// What numbers a model wants pixels as.
enum class PixelRange {
  kAuto,    // floating-point inputs get kUnit, integer ones kRaw
  kRaw,     // 0 to 255 (65535 for 16 bits; those of an 8-bit input are scaled down)
  kUnit,    // 0 to 1
  kSigned,  // -1 to 1
};

// `image` ([height, width, 1 or 3] of uint8 or uint16, as image::read gives it) in the layout (HW, HWC, CHW, with or
// without a batch), dtype and number of channels that `input` wants: grey is repeated for three channels, colour is
// weighed into one (Rec. 601). Throws Error(kInvalidArgument) that says both sizes where it does not fit.
ir::Tensor image_tensor(const Array& image, const runtime::ValueInfo& input, PixelRange range = PixelRange::kAuto);

// The inverse, for looking at masks and the like: [H,W], [H,W,C] or [C,H,W] with one or three channels, behind any
// dimensions of 1, as uint8. Floating-point values count from 0 to 1 and are clamped; integers and
// booleans as they are (true is 255). Throws Error(kInvalidArgument) for another shape.
Array tensor_image(const ir::Tensor& tensor, std::string_view name);

}  // namespace onward::serving
