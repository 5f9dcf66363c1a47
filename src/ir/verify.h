// Whether a graph keeps the rules that passes and the exporter rely on. Run after import and, in tests, after each
// pass.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace onward::ir {

// What the operator schemas say about single nodes, as an interface; src/schema implements it.
class NodeRules {
 public:
  NodeRules() = default;
  NodeRules(const NodeRules&) = delete;
  NodeRules& operator=(const NodeRules&) = delete;
  virtual ~NodeRules() = default;
  // What is wrong with the node, or nothing.
  virtual std::optional<std::string> problem(const Node& node) const = 0;
};

// Everything that is wrong, in the order of the graph, subgraphs too: nodes in domain tf, keras or torch (not
// translated), nodes before what they use, uses that don't match inputs, graph inputs or outputs of one name, and what
// `rules` (may be null) say. Empty when all is well.
std::vector<std::string> problems(const Graph& graph, const NodeRules* rules = nullptr);

// Throws one Error that lists all problems: kUnimplemented when all of them are nodes that were not translated,
// kInternal otherwise.
void verify(const Graph& graph, const NodeRules* rules = nullptr);

// "node 'enc/conv' (Conv of Conv2D, model.py:31 …)": how messages name a node.
std::string node_text(const Node& node);

}  // namespace onward::ir
