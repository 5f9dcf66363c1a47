// A Reshape whose target the graph computes, though all of it but a dim or so is known before:
//
//   Reshape(x, Concat(Shape(x)[0], [1, 1, c]))   →  Reshape(x, [-1, 1, 1, c])
//   Reshape(x, Concat(Shape(x)[:2], [h, w]))     →  Reshape(x, [0, 0, h, w])
//
// Conditions: no dim is known to be 0; of those that are not known, at most one is no dim of x at the same place.
#include <algorithm>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Value;

// The target as numbers; 0: as in x, -1: what is left.
std::optional<std::vector<int64_t>> plain(const ir::Shape& target, const Value* x) {
  std::vector<int64_t> numbers;
  for (const ir::Dim& dim : target) {
    numbers.push_back(dim.is_known() ? dim.value() : -1);
    if (numbers.back() == 0) return std::nullopt;
  }
  auto open = std::count(numbers.begin(), numbers.end(), -1);
  for (size_t i = 0; x->shape && open > 1 && i < std::min(numbers.size(), x->rank()); ++i) {
    if (target[i].is_known() || !x->dim(i).same(target[i])) continue;
    numbers[i] = 0;
    --open;
  }
  return open <= 1 ? std::optional(numbers) : std::nullopt;
}

Outcome plain_target(Node& node, Rewrite& rewrite) {
  const Value* target = node.input(1);
  if (target->is_constant() || !target->content || node.attrs.get("allowzero", int64_t{0}) != 0) {
    return Outcome::no("the target is constant, or not known");
  }
  const auto numbers = plain(*target->content, node.input(0));
  if (!numbers) return Outcome::no("too little of the target is known");
  rewrite.replace(node.output(), rewrite.b.Reshape(node.input(0), *numbers));
  return Outcome::done();
}

constexpr Rule kRules[] = {{"Reshape", plain_target}};

}  // namespace

bool plain_targets(ir::Graph& graph, const ir::Inference& inference) { return apply_rules(graph, inference, kRules); }

}  // namespace onward::passes
