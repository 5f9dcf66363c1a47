// Padding with zeros before a convolution or an average pool is done by it:
//
//   Conv(Pad(x, p), …) <pads = q>         →  Conv(x, …) <pads = p + q>
//   AveragePool(Pad(x, p)) <pads = 0>     →  AveragePool(x) <pads = p, count_include_pad = 1>
//
// Conditions: spatial axes only, nothing cut off, and no automatic padding of the operator's own. A pool that rounds up
// stays: what its last window counts would change.
#include <algorithm>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;

// The pads of the spatial axes, begins then ends; empty when the node cannot be folded.
std::vector<int64_t> spatial_pads(const Node* pad) {
  if (pad == nullptr || pad->attrs.get("mode", "constant") != "constant" || pad->input(3) != nullptr) return {};
  if (pad->input(2) != nullptr && !is_constant_of(pad->input(2), 0)) return {};
  const auto pads = constant_ints(pad->input(1));
  if (!pads || pads->size() < 6) return {};
  if (std::any_of(pads->begin(), pads->end(), [](int64_t size) { return size < 0; })) return {};
  const size_t rank = pads->size() / 2;
  std::vector<int64_t> spatial;
  for (size_t i = 0; i < pads->size(); ++i) {
    if (i % rank >= 2) {
      spatial.push_back((*pads)[i]);
    } else if ((*pads)[i] != 0) {
      return {};
    }
  }
  return spatial;
}

Outcome into_operator(Node& node, Rewrite& rewrite, bool pool) {
  const Node* pad = produced_by(node.input(0), "Pad");
  std::vector<int64_t> pads = spatial_pads(pad);
  if (pads.empty() || !has_single_use(node.input(0))) return Outcome::no("no padding with zeros before it");
  const std::string automatic = node.attrs.get("auto_pad", "NOTSET");
  if (automatic != "NOTSET" && automatic != "VALID") return Outcome::no("it pads by itself");
  const std::vector<int64_t> own = node.attrs.get("pads", std::vector<int64_t>(pads.size(), 0));
  const bool has_own = std::any_of(own.begin(), own.end(), [](int64_t size) { return size != 0; });
  ir::Attrs attrs = node.attrs;
  if (pool) {
    if (has_own || node.attrs.get("ceil_mode", int64_t{0}) != 0) return Outcome::no("it pads or rounds up");
    const std::vector<int64_t>& kernel = node.attrs.at("kernel_shape").as_ints();
    for (size_t i = 0; i < pads.size(); ++i) {
      if (pads[i] >= kernel[i % kernel.size()]) return Outcome::no("a window would hold padding only");
    }
    attrs.set("count_include_pad", 1);
  }
  for (size_t i = 0; i < pads.size(); ++i) pads[i] += own[i];
  attrs.erase("auto_pad");
  attrs.set("pads", pads);
  ir::Values inputs = node.inputs();
  inputs[0] = pad->input(0);
  ir::Value* result = rewrite.b.op(node.op_type, inputs, std::move(attrs));
  result->producer()->name = node.name;
  rewrite.replace(node.output(), result);
  return Outcome::done();
}

Outcome into_convolution(Node& node, Rewrite& rewrite) { return into_operator(node, rewrite, false); }
Outcome into_pool(Node& node, Rewrite& rewrite) { return into_operator(node, rewrite, true); }

constexpr Rule kRules[] = {{"Conv", into_convolution}, {"AveragePool", into_pool}};

}  // namespace

bool fold_pad(ir::Graph& graph, const ir::Inference& inference) { return apply_rules(graph, inference, kRules); }

}  // namespace onward::passes
