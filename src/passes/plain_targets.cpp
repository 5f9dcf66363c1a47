// A Reshape whose target the graph computes, though all of it but a dim or so is known before:
//
//   Reshape(x, Concat(Shape(x)[0], [1, 1, c]))   →  Reshape(x, [-1, 1, 1, c])
//   Reshape(x, Concat(Shape(x)[:2], [h, w]))     →  Reshape(x, [0, 0, h, w])
//
// Conditions: no dim is known to be 0; of those that are not known, at most one is no dim of x at the same place.
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "passes/views.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Value;

Outcome plain_target(Node& node, Rewrite& rewrite) {
  const Value* target = node.input(1);
  if (target->is_constant() || !target->content || node.attrs.get("allowzero", int64_t{0}) != 0) {
    return Outcome::no("the target is constant, or not known");
  }
  const auto numbers = reshape_target(*target->content, *node.input(0));
  if (!numbers) return Outcome::no("too little of the target is known");
  rewrite.replace(node.output(), rewrite.b.Reshape(node.input(0), *numbers));
  return Outcome::done();
}

constexpr Rule kRules[] = {{"Reshape", plain_target}};

}  // namespace

bool plain_targets(ir::Graph& graph, const ir::Inference& inference) { return apply_rules(graph, inference, kRules); }

}  // namespace onward::passes
