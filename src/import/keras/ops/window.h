// What convolutions and poolings share: strides, padding, kernels in ONNX's layout.
#pragma once

#include "import/keras/context.h"

namespace onward::importer::keras {

struct Window {
  std::vector<int64_t> strides;
  std::vector<int64_t> dilations;
  std::string padding;  // "same", "valid" or "causal"
};

// Spatial rank by a class' name: Conv2D → 2. Requires an input with `others` dimensions more: batch and channels, say.
size_t spatial_rank(const Context& ctx, size_t others = 2);
Window window_of(const Context& ctx, size_t rank);
// The spatial entries of a list that may have one entry, one an axis, or batch and channels as well; 1s where empty.
std::vector<int64_t> spatial_list(const std::vector<int64_t>& given, size_t rank, bool channels_first);

// Attributes of a Conv; `kernel` in ONNX's layout.
ir::Attrs conv_attrs(const Window& window, const ir::Value& kernel, int64_t groups);
// Attributes of a ConvTranspose whose kernel, [spatial…, out, in] in Keras, is [in, out, spatial…]; `output_padding`
// empty where it is None.
ir::Attrs conv_transpose_attrs(const Window& window, const ir::Value& kernel,
                               const std::vector<int64_t>& output_padding);
// Keras' kernel is [spatial…, in / groups, out], ONNX's [out, in / groups, spatial…].
ir::Value* conv_kernel(ir::Builder& b, ir::Value* kernel);
// The depthwise kernel [spatial…, in, multiplier] as ONNX's [in * multiplier, 1, spatial…].
ir::Value* depthwise_kernel(ir::Builder& b, ir::Value* kernel);

}  // namespace onward::importer::keras
