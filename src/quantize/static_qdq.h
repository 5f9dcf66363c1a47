// Static quantization: activations as uint8 with scales from calibration, weights as 8-bit integers per channel.
#pragma once

#include <map>
#include <set>
#include <string>

#include "quantize/calibration.h"
#include "quantize/layers.h"
#include "quantize/weights.h"

namespace onward::quantize {

// value = scale * (integer - zero)
struct Affine {
  float scale;
  uint8_t zero;
};
Affine affine(const Range& range);

struct StaticOptions {
  Method method = Method::kMse;
  double percentile = 99.99;
  WeightType weights = WeightType::kInt7;
  bool correct_bias = false;
};

// What calibration must watch to quantize these layers, or some of them.
Watched watched_values(ir::Graph& graph, const std::vector<Layer>& layers);

// Each layer must pass refuse_integers; values that `statistics` lacks stay float, with the layers that need them.
void quantize_static(ir::Graph& graph, std::vector<Layer> layers, const std::map<std::string, Statistics>& statistics,
                     const StaticOptions& options);

}  // namespace onward::quantize
