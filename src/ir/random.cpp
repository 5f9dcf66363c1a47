#include "ir/random.h"

#include <algorithm>

namespace onward::ir {

bool draws_random(const Node& node) {
  if (!node.domain.empty()) return false;
  if (node.op_type == "Dropout") return node.inputs().size() > 2 && node.input(2) != nullptr;
  return node.op_type.starts_with("Random") || node.op_type == "Multinomial" || node.op_type == "Bernoulli";
}

bool draws_random(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) {
    bool draws = draws_random(node);
    for_each_subgraph(node, [&](const Graph& subgraph) { draws = draws || draws_random(subgraph); });
    return draws;
  });
}

}  // namespace onward::ir
