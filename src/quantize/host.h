// What quantization needs of the layers it does not know.
#pragma once

#include <functional>
#include <map>

#include "ir/graph.h"
#include "ir/inference.h"
#include "runtime/session.h"

namespace onward::quantize {

struct Host {
  const ir::Inference& inference;
  // A session of the graph as it would be written, whose Watch nodes call `watch`; gives its values and nodes names.
  std::function<runtime::Session(ir::Model&, const runtime::Watch& watch)> open_watched;
  // Bytes it would take as a file.
  std::function<size_t(ir::Model&)> size;
  // Median milliseconds of each node over some runs, by its name. May be empty.
  std::function<std::map<std::string, double>(ir::Model&, const std::vector<ir::Tensor>& inputs)> node_times;

  runtime::Session open(ir::Model& model, const runtime::Watch& watch = {}) const { return open_watched(model, watch); }
};

// Feeds, made one at a time so that memory does not grow with their number.
struct Samples {
  size_t count = 0;
  // The inputs of sample `index` in the model's order.
  std::function<std::vector<ir::Tensor>(size_t index)> inputs;
  // What stands for a sample in messages.
  std::function<std::string(size_t index)> name;
  // Recorded answers of sample `index`, named as outputs; none where it has no labels. May be empty.
  std::function<std::vector<runtime::NamedTensor>(size_t index)> labels;
};

}  // namespace onward::quantize
