// Quantized weights shift the mean of a layer's results; its bias can take that back.
#pragma once

#include <vector>

#include "quantize/layers.h"
#include "quantize/weights.h"

namespace onward::quantize {

// `input_means`: of the layer's input, for each channel that the weights sum over. `bias` (empty: none) is changed, or
// made. For Conv and Gemm.
void correct_bias(const Layer& layer, const QuantizedWeight& weight, const std::vector<double>& input_means,
                  std::vector<float>& bias);

}  // namespace onward::quantize
