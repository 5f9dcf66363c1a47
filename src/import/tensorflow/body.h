// A graph or function with its edges resolved from names to numbers.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "formats/tensorflow/graph.h"

namespace onward::importer::tf {

struct Endpoint {
  size_t node = 0;
  size_t output = 0;
};

struct BodyNode {
  const tensorflow::Node* def = nullptr;  // null: an argument of the function
  std::vector<Endpoint> inputs;
  std::vector<size_t> controls;
};

// The first nodes of a function's body are its arguments. Keeps pointers into the graph it was made from.
struct Body {
  std::string function;  // empty: the main graph
  size_t arguments = 0;
  std::vector<BodyNode> nodes;
  std::vector<Endpoint> returns;
  std::vector<size_t> control_returns;
  std::unordered_map<std::string, size_t> index;
  // Whether a node, or one it depends on, changes a variable or table. Empty where none in the body does.
  std::vector<bool> effects;

  // "node" or "node:1"; throws Error(kInvalidArgument) where there is no such node.
  Endpoint find(const std::string& tensor) const;
};

// Throws Error(kDataLoss) for an input that no node gives.
Body resolve_graph(const tensorflow::Graph& graph);
Body resolve_function(const tensorflow::Function& function);

}  // namespace onward::importer::tf
