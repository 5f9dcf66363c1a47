// What is known before run time is computed now:
//
//   c = Add(1, 2)                                   →  c = 3
//   s = Shape(x), x of static shape                 →  s = [2, 3]
//   y = If(true) <then_branch = t, else_branch = e> →  the nodes of t
//
// Conditions: ir::evaluate covers the operator and the result grows by 1 MiB at most beyond its inputs. Operators of
// other domains, DequantizeLinear and whatever is random stay.
#include "ir/eval.h"
#include "passes/inline_graph.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Tensor;
using ir::Value;

Outcome fold_constant_inputs(Node& node, Rewrite& rewrite) {
  if (node.inputs().empty()) return Outcome::no("it has no inputs");
  std::vector<const Tensor*> tensors;
  for (const Value* input : node.inputs()) {
    if (input != nullptr && !input->is_constant()) return Outcome::no("an input is not constant");
    tensors.push_back(constant_of(input));
  }
  auto results = ir::evaluate(node.op_type, tensors, node.attrs, node.outputs().size());
  if (!results) return Outcome::no("it cannot be evaluated");
  ir::Values values;
  for (Tensor& tensor : *results) values.push_back(rewrite.b.constant(std::move(tensor)));
  rewrite.replace(node, values);
  return Outcome::done();
}

// Shapes, and what is computed of them, where every element follows from static dims.
Outcome fold_known_content(Node& node, Rewrite& rewrite) {
  if (node.outputs().size() != 1) return Outcome::no("it has several outputs");
  rewrite.infer(node);
  std::optional<Tensor> known = ir::known_content(*node.output());
  if (!known) return Outcome::no("the content is not known");
  rewrite.replace(node.output(), rewrite.b.constant(std::move(*known)));
  return Outcome::done();
}

Outcome inline_decided_branch(Node& node, Rewrite& rewrite) {
  const Tensor* condition = constant_of(node.input(0));
  if (condition == nullptr || condition->count() != 1) return Outcome::no("the condition is not constant");
  const char* branch = condition->as_int() != 0 ? "then_branch" : "else_branch";
  rewrite.replace(node, inline_graph(*node.attrs.at(branch).as_graph(), *node.graph(), &node));
  return Outcome::done();
}

constexpr Rule kRules[] = {
    {"If", inline_decided_branch},  {"*", fold_constant_inputs},     {"Shape", fold_known_content},
    {"Size", fold_known_content},   {"Gather", fold_known_content},  {"Slice", fold_known_content},
    {"Concat", fold_known_content}, {"Squeeze", fold_known_content}, {"Unsqueeze", fold_known_content},
    {"Cast", fold_known_content},   {"Add", fold_known_content},     {"Sub", fold_known_content},
    {"Mul", fold_known_content},
};

}  // namespace

bool fold_constants(ir::Graph& graph, const ir::Inference& inference) { return apply_rules(graph, inference, kRules); }

}  // namespace onward::passes
