// Activations and casts that came after opset 13, out of older operators. Gelu has the form that ONNX Runtime fuses.
#include <cmath>

#include "passes/opset/rules.h"

namespace onward::passes::opset {
namespace {

using ir::Node;
using ir::Value;

// Gelu(X, approximate="none")
Outcome gelu(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* x = node.input(0);
  if (node.attrs.get("approximate", "none") == "none") {
    Value* half = b.Add(b.Erf(b.Div(x, std::sqrt(2.0))), 1.0);
    return becomes(node, rewrite, b.Mul(b.Mul(x, half), 0.5));
  }
  Value* inner = b.Mul(b.Add(x, b.Mul(b.Pow(x, 3.0), 0.044715)), std::sqrt(2.0 / M_PI));
  return becomes(node, rewrite, b.Mul(b.Mul(x, 0.5), b.Add(b.Tanh(inner), 1.0)));
}

// HardSwish(X) = X * max(0, min(1, X / 6 + 0.5))
Outcome hard_swish(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* x = node.input(0);
  return becomes(node, rewrite, b.Mul(x, b.op("HardSigmoid", {x}, {{"alpha", 1.0F / 6.0F}, {"beta", 0.5F}})));
}

// Mish(X) = X * tanh(softplus(X))
Outcome mish(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  return becomes(node, rewrite, b.Mul(node.input(0), b.Tanh(b.Softplus(node.input(0)))));
}

// Swish(X, alpha=1) = X * sigmoid(alpha * X)
Outcome swish(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* x = node.input(0);
  const float alpha = node.attrs.get("alpha", 1.0F);
  return becomes(node, rewrite, b.Mul(x, b.Sigmoid(alpha == 1.0F ? x : b.Mul(x, alpha))));
}

// CastLike(input, target_type)
Outcome cast_like(Node& node, Rewrite& rewrite) {
  const ir::DType dtype = node.input(1)->dtype;
  if (dtype == ir::DType::kUndefined) return Outcome::no("the type to cast to is not known");
  return becomes(node, rewrite, rewrite.b.Cast(node.input(0), dtype));
}

// Small integers have no arithmetic before opset 14; int32's wraps in the same way.
Outcome widened_arithmetic(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  const ir::DType dtype = node.output()->dtype;
  ir::Values wide;
  for (Value* input : node.inputs()) wide.push_back(b.Cast(input, ir::DType::kInt32));
  return becomes(node, rewrite, b.Cast(b.op(node.op_type, wide, node.attrs), dtype));
}

bool is_small_integer(const Node& node) {
  return ir::is_integer(node.output()->dtype) && ir::dtype_bits(node.output()->dtype) < 32;
}

// ReduceMax and ReduceMin of booleans.
Outcome reduced_bool(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* result = b.op(node.op_type, {b.Cast(node.input(0), ir::DType::kInt32), node.input(1)}, node.attrs);
  return becomes(node, rewrite, b.Cast(result, ir::DType::kBool));
}

bool is_bool(const Node& node) { return node.input(0)->dtype == ir::DType::kBool; }

}  // namespace

void add_activations(Table& table) {
  below(table, 20, "Gelu", gelu);
  below(table, 14, "HardSwish", hard_swish);
  below(table, 18, "Mish", mish);
  below(table, 24, "Swish", swish);
  below(table, 15, "CastLike", cast_like);
  for (const std::string_view op : {"Add", "Sub", "Mul", "Div", "Relu"}) {
    below(table, 14, op, widened_arithmetic, is_small_integer);
  }
  for (const std::string_view op : {"ReduceMax", "ReduceMin"}) below(table, 20, op, reduced_bool, is_bool);
}

}  // namespace onward::passes::opset
