// Nodes whose results nothing uses, and constants without uses, are dropped:
//
//   y = Relu(x); z = Neg(x); output y   →   y = Relu(x); output y
//
// In subgraphs too. Graph inputs stay, used or not: they are the model's interface.
#include <algorithm>
#include <iterator>

#include "passes/passes.h"

namespace onward::passes {

using ir::Graph;
using ir::Node;

bool eliminate_dead_code(Graph& graph, const ir::Inference& inference) {
  bool changed = false;
  for (auto place = graph.nodes().end(); place != graph.nodes().begin();) {
    Node& node = *std::prev(place);
    const bool used =
        std::any_of(node.outputs().begin(), node.outputs().end(), [](const auto* v) { return !v->uses().empty(); });
    if (used) {
      ir::for_each_subgraph(node, [&](Graph& subgraph) { changed |= eliminate_dead_code(subgraph, inference); });
      --place;
    } else {
      graph.erase(&node);
      changed = true;
    }
  }
  graph.drop_unused_constants();
  return changed;
}

}  // namespace onward::passes
