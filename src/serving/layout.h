// Fitting one input to models that want it in different layouts.
#pragma once

#include <optional>

#include "ir/tensor.h"

namespace onward::serving {

// `tensor` as a model's input of `wanted` shape, the first of these that fits:
//   as it is; with a batch dimension of 1 in front; and for images
//   [H,W] as [1,H,W,1] or [1,1,H,W]; [N,H,W] as [N,H,W,1] or [N,1,H,W];
//   [H,W,C] as [1,C,H,W]; [C,H,W] as [1,H,W,C]; NHWC as NCHW and NCHW as NHWC.
// Nothing when none fits. No bytes are copied unless channels really move.
std::optional<ir::Tensor> fit(const ir::Tensor& tensor, const ir::Shape& wanted);

// Whether dims of this size suit the shape.
bool matches(const ir::Dims& dims, const ir::Shape& wanted);

}  // namespace onward::serving
