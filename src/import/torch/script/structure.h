// Tells whether two translations of one program came out the same.
#pragma once

#include <string>

#include "ir/graph.h"

namespace onward::importer::script {

// What a graph does whatever the shapes of its values: its operators with their numbers, and the small constants.
std::string structure(const ir::Graph& graph);

}  // namespace onward::importer::script
