// Conv, ConvTranspose and Gemm with constant weights: what scales and shifts their channels goes into the weights.
#pragma once

#include <optional>

#include "base/buffer.h"
#include "passes/rewrite.h"

namespace onward::passes {

struct Linear {
  ir::Node* node;
  size_t channels;           // of the output, at axis 1
  std::vector<double> bias;  // zeros where there is none
};

// The operator that computes `value` for its only user; nothing where its weights are not constant, are large and used
// elsewhere too, or are not of a float type.
std::optional<Linear> linear_behind(const ir::Value* value);

// The operator with output channel c multiplied by factors[c] and offsets[c] added. Empty factors: all 1.
ir::Value* with_affine(const Linear& linear, Rewrite& rewrite, const std::vector<double>& factors,
                       const std::vector<double>& offsets);

// `tensor`, whose dims are seen as [outer, middle, inner], times factors[index(outer, middle)].
template <class Index>
ir::Tensor scaled(const ir::Tensor& tensor, size_t outer, size_t middle, const std::vector<double>& factors,
                  const Index& index);

// The numbers that a constant gives to each channel (axis 1) of a value of rank `rank`, when it varies along no other
// axis and does not widen the value; one number counts for all channels.
std::optional<std::vector<double>> per_channel(const ir::Value* constant, size_t rank, size_t channels);

}  // namespace onward::passes

#include "passes/fold/linear_inl.h"
