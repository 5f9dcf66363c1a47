// Infers every value's type and shape anew, in order: rewrites may have made an input's shape better known than it was
// when its users were built. What was known and inference can't tell stays.
#include "base/error.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

bool infer_node(ir::Node& node, const ir::Inference& inference) {
  std::vector<ir::Value> before;
  for (const ir::Value* output : node.outputs()) {
    ir::Value& known = before.emplace_back();
    known.dtype = output->dtype;
    known.shape = output->shape;
    known.content = output->content;
  }
  try {
    inference.infer(node);
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    return false;
  }
  bool changed = false;
  for (size_t i = 0; i < before.size(); ++i) {
    refine(*node.output(i), before[i]);
    changed = changed || node.output(i)->shape != before[i].shape;
  }
  return changed;
}

}  // namespace

bool infer_shapes(ir::Graph& graph, const ir::Inference& inference) {
  bool changed = false;
  for (ir::Node& node : graph.nodes()) {
    ir::for_each_subgraph(node, [&](ir::Graph& subgraph) { changed |= infer_shapes(subgraph, inference); });
    if (node.domain.empty()) changed |= infer_node(node, inference);
  }
  return changed;
}

}  // namespace onward::passes
