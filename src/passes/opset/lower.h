// From the canonical opset (18, plus operators taken from later ones) to the opset that the model is written for.
#pragma once

#include "ir/graph.h"
#include "ir/inference.h"

namespace onward::passes {

// `canonical` infers for the canonical opset; afterwards the graph must not be inferred with it any more. Throws one
// Error(kUnimplemented) that lists every node which `opset` has no way to express.
void lower_opset(ir::Graph& graph, const ir::Inference& canonical, int opset);

// The same for `opset` or, where it has no way, the oldest later one that has; tells which.
int lower_to_least_opset(ir::Graph& graph, const ir::Inference& canonical, int opset);

}  // namespace onward::passes
