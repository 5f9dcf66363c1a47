// The layers that can be quantized: operators with constant float32 weights.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace onward::quantize {

struct Layer {
  ir::Node* node;
  size_t weight_input;
  size_t channel_axis;  // of the weight: each index along it gets a scale of its own

  const ir::Tensor& weight() const { return *node->input(weight_input)->constant(); }
  const std::string& name() const { return node->name; }
};

// Conv, ConvTranspose, Gemm and MatMul of the graph itself, in order; with `storage` also recurrent layers and
// embeddings, whose weights can be stored in fewer bits though nothing computes with them.
std::vector<Layer> find_layers(ir::Graph& graph, bool storage = false);

// The value that carries the layer's result: behind a Relu or Clip when that is all that uses it.
ir::Value* result_of(const ir::Node& node);

// Patterns of --only and --exclude: a node's name, module path or operator, with `*` for anything.
struct Selection {
  std::vector<std::string> only;
  std::vector<std::string> exclude;

  // Why the layer is not to be touched, or empty.
  std::string refusal(const ir::Node& node) const;
};

bool matches_pattern(const std::string& pattern, const std::string& text);

// Throws Error(kInvalidArgument) naming a pattern that fits no layer.
void check_patterns(const Selection& selection, const std::vector<Layer>& layers);

// Throws Error(kFailedPrecondition) when the model holds quantized operators already.
void check_not_quantized(const ir::Model& model);

}  // namespace onward::quantize
