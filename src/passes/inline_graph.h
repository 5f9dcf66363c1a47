// Moves the nodes of a subgraph out into a graph around it.
#pragma once

#include "ir/builder.h"

namespace onward::passes {

// The nodes and constants of `from`, which has no inputs, go into `to` before `before`; returns the values that were
// `from`'s outputs. `from` is left without meaning and must not be used again.
ir::Values inline_graph(ir::Graph& from, ir::Graph& to, ir::Node* before);

}  // namespace onward::passes
