// A dense layer on rows is one operator:
//
//   Add(MatMul(x, W), b)   →  Gemm(x, W, b)      x and W of rank 2, b of rank 1 or [1, n]
//   Add(Gemm(x, W), b)     →  Gemm(x, W, b)
//
// Conditions: float or double (the types of ONNX Runtime's Gemm), and nothing else uses the product. Higher ranks stay
// MatMul and Add.
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Value;

bool is_matrix(const Value* value) {
  return value != nullptr && value->shape && value->rank() == 2 &&
         (value->dtype == ir::DType::kFloat || value->dtype == ir::DType::kDouble);
}

bool is_row(const Value* value, const ir::Dim& columns) {
  if (value == nullptr || !value->shape || value->rank() == 0 || value->rank() > 2) return false;
  if (value->rank() == 2 && !value->dim(0).same(ir::Dim(1))) return false;
  return value->shape->back().same(columns);
}

Outcome add_to_product(Node& node, Rewrite& rewrite) {
  for (const size_t side : {0U, 1U}) {
    Value* product = node.input(side);
    Value* row = node.input(1 - side);
    Node* before = product->producer();
    if (before == nullptr || !has_single_use(product) || !is_matrix(product)) continue;
    const bool gemm = before->is("Gemm") && before->input(2) == nullptr;
    if (!gemm && !(before->is("MatMul") && is_matrix(before->input(0)) && is_matrix(before->input(1)))) continue;
    if (!is_row(row, product->dim(1))) continue;
    Value* result = rewrite.b.op("Gemm", {before->input(0), before->input(1), row}, before->attrs);
    result->producer()->name = before->name;
    rewrite.replace(node.output(), result);
    return Outcome::done();
  }
  return Outcome::no("no product of matrices with a row to add");
}

constexpr Rule kRules[] = {{"Add", add_to_product}};

}  // namespace

bool fuse_gemm(ir::Graph& graph, const ir::Inference& inference) { return apply_rules(graph, inference, kRules); }

}  // namespace onward::passes
