// A product of rows that a file flattens before and unflattens after is one product:
//
//   Reshape(MatMul(Reshape(x, [rows, k]), W), [..., n])   →  MatMul(x, W)
//
// Conditions: W is a matrix, x has k as its last dim, the result has x's other dims, and nothing else uses the product.
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Value;

ir::Shape rows_of(const Value* value) { return {value->shape->begin(), value->shape->end() - 1}; }

Outcome unflatten(Node& node, Rewrite& rewrite) {
  const Value* result = node.output();
  const Node* product = produced_by(node.input(0), "MatMul");
  const Node* flat = product != nullptr ? produced_by(product->input(0), "Reshape") : nullptr;
  if (flat == nullptr || !has_single_use(product->output())) return Outcome::no("no product of a reshaped value");
  Value* x = flat->input(0);
  Value* weights = product->input(1);
  if (!x->shape || !weights->shape || !result->shape || !flat->output()->shape) return Outcome::no("a rank is unknown");
  if (weights->rank() != 2 || flat->output()->rank() != 2 || x->rank() < 3 || result->rank() != x->rank()) {
    return Outcome::no("no product of rows");
  }
  const bool fits = x->shape->back().same(weights->dim(0)) && result->shape->back().same(weights->dim(1));
  if (!fits || !same_shape_by_count(rows_of(x), rows_of(result))) return Outcome::no("the rows are others");
  Value* whole = rewrite.b.MatMul(x, weights);
  if (whole->producer() != nullptr) whole->producer()->name = product->name;
  rewrite.replace(node.output(), whole);
  return Outcome::done();
}

constexpr Rule kRules[] = {{"Reshape", unflatten}};

}  // namespace

bool multiply_unflattened(ir::Graph& graph, const ir::Inference& inference) {
  return apply_rules(graph, inference, kRules);
}

}  // namespace onward::passes
