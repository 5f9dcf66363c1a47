// The ordered list of passes.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/inference.h"

namespace onward::passes {

struct Pass {
  const char* name;
  bool (*run)(ir::Graph& graph, const ir::Inference& inference);
};

// All of them, in the order in which `optimize` runs them.
std::span<const Pass> pipeline();
// Null when there is none of that name.
const Pass* find_pass(std::string_view name);

// What one pass of the pipeline did.
struct PassRun {
  const char* name;
  bool changed;
  size_t nodes;  // of the graph afterwards, without subgraphs
};

// Runs the whole pipeline on a graph of the canonical opset.
std::vector<PassRun> optimize(ir::Graph& graph, const ir::Inference& inference);

}  // namespace onward::passes
