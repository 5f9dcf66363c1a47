// Graphs as text, in the syntax of the ONNX project's parser: what tests and people read and write.
//
//   net (float[N,3] x) => (float[N,2] y) <float[3,2] w = {1,2,3,4,5,6}> { y = MatMul (x, w) }
//
// A bare element type ("float") is a scalar, "float[]" a tensor of unknown rank. Names that are no identifiers stand in
// double quotes. A header "<ir_version: 8, opset_import: ["" : 18]>" is allowed before the graph.
#pragma once

#include <string>
#include <string_view>

#include "ir/graph.h"
#include "ir/inference.h"

namespace onward::ir {

// Reads one graph; types of values in it follow by `inference`. Throws Error(kInvalidArgument) naming the line.
Model parse_text(std::string_view text, const Inference& inference);

struct TextOptions {
  // Constants with more elements are shown with their first ones and "…" (such text can't be read back).
  size_t max_elements = 64;
  // Values inside are named v0, v1 … and constants c0, c1 … by place, nodes not at all: equal graphs give equal text.
  bool canonical_names = false;
};

std::string to_text(const Graph& graph, const TextOptions& options = {});

}  // namespace onward::ir
