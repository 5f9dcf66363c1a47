// Unique names for every value and node of a graph and its subgraphs.
#pragma once

#include "ir/graph.h"

namespace onward::exporter {

// Graph inputs and outputs keep their names (an Identity is put in where one value would need two); other values keep a
// name that is theirs alone and get one made of their producer's otherwise. Deterministic.
void assign_names(ir::Graph& graph);

// Whether an output that nothing uses may be left without a name: only where the operator says so.
bool may_be_absent(const ir::Node& node, const ir::Value& output);

}  // namespace onward::exporter
