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

bool is_positive(const ir::Dim& dim) { return !dim.is_known() || dim.value() > 0; }

// Whether both have the same leading dims; as both have as many elements there, one of them may be unknown where the
// others are not 0.
bool same_rows(const Value* a, const Value* c) {
  size_t open = 0;
  bool positive = true;
  for (size_t i = 0; i + 1 < a->rank(); ++i) {
    if (a->dim(i).same(c->dim(i))) {
      positive = positive && is_positive(a->dim(i));
    } else if (a->dim(i).is_known() && c->dim(i).is_known()) {
      return false;
    } else {
      ++open;
    }
  }
  return open == 0 || (open == 1 && positive);
}

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
  if (!fits || !same_rows(x, result)) return Outcome::no("the rows are others");
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
