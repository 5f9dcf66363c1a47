// Which values of a graph become 8-bit integers, so that ONNX Runtime computes whole regions with integers.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "quantize/layers.h"

namespace onward::quantize {

struct QdqPlan {
  std::vector<Layer> layers;       // whose weights become integers
  std::vector<ir::Value*> values;  // which get a QuantizeLinear/DequantizeLinear pair, in the graph's order
  // Values that pass through an operator that only moves elements share the scale of where they come from.
  std::map<const ir::Value*, const ir::Value*> sources;

  const ir::Value* source_of(const ir::Value* value) const;
};

// Why a layer can't run with integers ("ONNX Runtime has no integer ConvTranspose"), or empty.
std::string refuse_integers(const Layer& layer);

// `layers`: those that shall run with integers; each must pass refuse_integers.
QdqPlan plan_qdq(ir::Graph& graph, std::vector<Layer> layers);

}  // namespace onward::quantize
