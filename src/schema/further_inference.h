// What follows of a node's results beyond what ONNX's own inference functions tell.
#pragma once

#include "ir/graph.h"

namespace onward::schema {

// Fills in dimensions of the outputs that are still unknown: of Reshape's -1, of Tile and Split whose repeats and
// sizes are known in part, of DFT whose length is not. What is known stays.
void infer_further(ir::Node& node);

}  // namespace onward::schema
