// What the tests of passes share: running a graph in ONNX Runtime on made-up inputs.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace onward::passes::testing {

// Random tensors for the graph's inputs, the same for the same seed: floats in [-2, 2), integers in [0, 4). Symbols and
// unknown dims become small numbers.
std::vector<ir::Tensor> random_inputs(const ir::Graph& graph, unsigned seed);

// The graph's outputs as ONNX Runtime computes them from the graph as it is.
std::vector<ir::Tensor> run(ir::Model& model, const std::vector<ir::Tensor>& inputs, int opset = 18);

// Empty when both hold the same up to rounding, else what differs.
std::string difference(const std::vector<ir::Tensor>& got, const std::vector<ir::Tensor>& wanted,
                       double tolerance = 1e-4);

}  // namespace onward::passes::testing
