// What the IR needs to know of ONNX's operator schemas, as an interface: src/schema implements it with the ONNX
// library.
#pragma once

#include "ir/graph.h"

namespace onward::ir {

class Inference {
 public:
  Inference() = default;
  Inference(const Inference&) = delete;
  Inference& operator=(const Inference&) = delete;
  virtual ~Inference() = default;

  // Sets dtype, shape and content of the node's outputs from its inputs as far as they follow; what is already known is
  // kept where inference can't tell. Throws Error(kInvalidArgument) when the inputs contradict the operator's schema.
  virtual void infer(Node& node) const = 0;
};

// The shape both surely have: unknown dims where they differ, nothing where the ranks do.
std::optional<Shape> merged_shape(const std::optional<Shape>& a, const std::optional<Shape>& b);

// Why the graphs of an If, Loop or Scan don't fit its inputs and outputs, or nothing; nothing for other nodes.
std::optional<std::string> control_flow_problem(const Node& node);

// Sets the outputs of an If, Loop or Scan node from its subgraphs; false for other operators.
bool infer_control_flow(Node& node);

}  // namespace onward::ir
