// Operators that draw random numbers: the same inputs give something else in every run.
#pragma once

#include "ir/graph.h"

namespace onward::ir {

// Whether the node itself draws (not what its subgraphs do). Dropout counts where its mode is an
// input: it may train.
bool draws_random(const Node& node);
// Whether any node of the graph or of its subgraphs does.
bool draws_random(const Graph& graph);

}  // namespace onward::ir
