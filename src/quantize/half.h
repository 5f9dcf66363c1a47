// float32 → float16, but for what would not survive it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quantize/layers.h"

namespace onward::quantize {

struct HalfOptions {
  Selection selection;
  // Inputs and outputs become float16, too.
  bool interface = false;
};

struct KeptFloat {
  std::string name;
  std::string op;
  std::string reason;
};

// `largest`: the greatest magnitude that was seen of each value. Returns the nodes that stay float32, with the reason;
// those that hold no float32 are not among them.
std::vector<KeptFloat> to_half(ir::Graph& graph, const std::map<std::string, float>& largest,
                               const HalfOptions& options);

}  // namespace onward::quantize
