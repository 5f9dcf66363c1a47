// A Transpose that moves no element, since only axes of length 1 change place, is a view, which costs nothing:
//
//   Transpose<0, 3, 1, 2>(x: [n, h, w, 1])       →  Reshape(x, [-1, 1, h, w])
//
// Conditions: one constant target says the new shape (at most one dim unknown that is no dim of x at the same place).
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "passes/views.h"

namespace onward::passes {
namespace {

Outcome reshape_instead(ir::Node& node, Rewrite& rewrite) {
  const ir::Value* given = node.input(0);
  if (!given->shape || !keeps_order(node)) return Outcome::no("elements change place");
  ir::Shape shape;
  for (const int64_t axis : permutation_of(node)) shape.push_back(given->dim(static_cast<size_t>(axis)));
  const auto target = reshape_target(shape, *given);
  if (!target) return Outcome::no("too little of the shape is known");
  rewrite.replace(node.output(), rewrite.b.Reshape(node.input(0), *target));
  return Outcome::done();
}

constexpr Rule kRules[] = {{"Transpose", reshape_instead}};

}  // namespace

bool still_transposes(ir::Graph& graph, const ir::Inference& inference) {
  return apply_rules(graph, inference, kRules);
}

}  // namespace onward::passes
