// Operators that work element by element, with broadcasting, on moved values.
#include <algorithm>

#include "passes/layout/roles.h"

namespace onward::passes::layout {
namespace {

using ir::Node;
using ir::Value;

Role unary_role(const Node& node) { return can_move(node.input(0)) ? Role::kFollows : Role::kFixed; }

// The first input moves, further ones (bounds, ratios) are scalars and stay.
ir::Values move_unary(const Node& node, ir::Builder& b, const ir::Values& moved) {
  ir::Values inputs = node.inputs();
  inputs[0] = moved[0];
  return rebuild(node, b, inputs);
}

bool is_single(const Value* value) {
  return value->shape && std::all_of(value->shape->begin(), value->shape->end(),
                                     [](const ir::Dim& dim) { return dim.is_known() && dim.value() == 1; });
}

Role broadcast_role(const Node& node) {
  const Value* result = node.output();
  if (!can_move(result)) return Role::kFixed;
  bool any = false;
  for (const Value* input : node.inputs()) {
    if (input == nullptr || !input->shape) return Role::kFixed;
    any = any || (!input->is_constant() && input->rank() == result->rank());
  }
  return any ? Role::kFollows : Role::kFixed;
}

// Inputs of lower rank stand for trailing axes: they get the leading ones and move likewise.
ir::Values move_broadcast(const Node& node, ir::Builder& b, const ir::Values& moved) {
  const size_t rank = node.output()->rank();
  ir::Values inputs;
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    Value* input = node.inputs()[i];
    const size_t own = input->rank();
    if (own == rank) {
      inputs.push_back(moved[i]);
    } else if (is_single(input)) {
      inputs.push_back(input);
    } else if (own == 1) {
      std::vector<int64_t> axes;
      for (size_t axis = 1; axis + 1 < rank; ++axis) axes.push_back(static_cast<int64_t>(axis));
      inputs.push_back(b.Unsqueeze(input, axes));
    } else {
      std::vector<int64_t> axes;
      for (size_t axis = 0; axis < rank - own; ++axis) axes.push_back(static_cast<int64_t>(axis));
      inputs.push_back(b.Transpose(b.Unsqueeze(input, axes), channels_first(rank)));
    }
  }
  return rebuild(node, b, inputs);
}

// Scales along an axis where they are vectors.
ir::Values move_quantization(const Node& node, ir::Builder& b, const ir::Values& moved) {
  ir::Values inputs = node.inputs();
  inputs[0] = moved[0];
  if (is_single(node.input(1))) return rebuild(node, b, inputs);
  return rebuild(node, b, inputs, {{"axis", moved_axis(node.attrs.get("axis", int64_t{1}), node.input(0)->rank())}});
}

Role quantization_role(const Node& node) {
  if (!can_move(node.input(0)) || node.input(1) == nullptr || !node.input(1)->shape) return Role::kFixed;
  return node.input(1)->rank() <= 1 ? Role::kFollows : Role::kFixed;
}

constexpr std::string_view kUnary[] = {
    "Abs",   "Acos", "Acosh",       "Asin",       "Asinh",    "Atan",    "Atanh", "BitwiseNot", "Cast",
    "Ceil",  "Celu", "Clip",        "Cos",        "Cosh",     "Dropout", "Elu",   "Erf",        "Exp",
    "Floor", "Gelu", "HardSigmoid", "HardSwish",  "Identity", "IsInf",   "IsNaN", "LeakyRelu",  "Log",
    "Mish",  "Neg",  "Not",         "Reciprocal", "Relu",     "Round",   "Selu",  "Shrink",     "Sigmoid",
    "Sign",  "Sin",  "Sinh",        "Softplus",   "Softsign", "Sqrt",    "Tan",   "Tanh",       "ThresholdedRelu",
};

constexpr std::string_view kBroadcast[] = {
    "Add",        "And",         "BitShift", "BitwiseAnd", "BitwiseOr",
    "BitwiseXor", "Div",         "Equal",    "Greater",    "GreaterOrEqual",
    "Less",       "LessOrEqual", "Max",      "Mean",       "Min",
    "Mod",        "Mul",         "Or",       "PRelu",      "Pow",
    "Sub",        "Sum",         "Where",    "Xor",
};

}  // namespace

bool is_unary_elementwise(std::string_view op_type) {
  return std::find(std::begin(kUnary), std::end(kUnary), op_type) != std::end(kUnary);
}

void add_elementwise_rules(RuleTable& table) {
  for (const std::string_view op : kUnary) table.push_back({op, {unary_role, move_unary}});
  for (const std::string_view op : kBroadcast) table.push_back({op, {broadcast_role, move_broadcast}});
  table.push_back({"QuantizeLinear", {quantization_role, move_quantization}});
  table.push_back({"DequantizeLinear", {quantization_role, move_quantization}});
}

}  // namespace onward::passes::layout
