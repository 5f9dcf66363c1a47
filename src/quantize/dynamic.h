// Dynamic quantization: activations get their scale when the model runs.
#pragma once

#include <string>
#include <vector>

#include "quantize/layers.h"
#include "quantize/weights.h"

namespace onward::quantize {

// Why a layer can't, or empty. Convolutions can't: ONNX Runtime's ConvInteger is several times slower than its float
// Conv.
std::string refuse_dynamic(const Layer& layer);

// DynamicQuantizeLinear and MatMulInteger in the place of each MatMul or Gemm, in the form that ONNX Runtime fuses;
// layers with the same input quantize it once. The layers' nodes are erased.
void quantize_dynamic(ir::Graph& graph, const std::vector<Layer>& layers, WeightType weights);

}  // namespace onward::quantize
