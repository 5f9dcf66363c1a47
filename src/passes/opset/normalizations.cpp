// LayerNormalization, RMSNormalization, GroupNormalization and the training mode of BatchNormalization.
#include "passes/opset/rules.h"

namespace onward::passes::opset {
namespace {

using ir::DType;
using ir::Node;
using ir::Value;

// The axes from `axis` on, counted from the end; empty where the rank is needed and not known.
std::vector<int64_t> trailing_axes(const Node& node) {
  int64_t axis = node.attrs.get("axis", int64_t{-1});
  if (axis >= 0) {
    if (!node.input(0)->shape) return {};
    axis -= static_cast<int64_t>(node.input(0)->rank());
  }
  std::vector<int64_t> axes;
  for (; axis < 0; ++axis) axes.push_back(axis);
  return axes;
}

bool is_half(const Value* x) { return x->dtype == DType::kFloat16 || x->dtype == DType::kBFloat16; }

// LayerNormalization(X, Scale, B; axis=-1, epsilon=1e-5) → Y, Mean, InvStdDev: in the form that ONNX Runtime fuses.
// Half floats are computed in float, as stash_type says.
Outcome layer_normalization(Node& node, Rewrite& rewrite) {
  const std::vector<int64_t> axes = trailing_axes(node);
  if (axes.empty()) return Outcome::no("the rank of its input is not known");
  ir::Builder& b = rewrite.b;
  Value* x = node.input(0);
  Value* wide = is_half(x) ? b.Cast(x, DType::kFloat) : x;
  Value* mean = b.ReduceMean(wide, axes);
  Value* centred = b.Sub(wide, mean);
  Value* variance = b.ReduceMean(b.Pow(centred, 2.0), axes);
  Value* deviation = b.Sqrt(b.Add(variance, node.attrs.get("epsilon", 1e-5F)));
  Value* y = b.Mul(b.Cast(b.Div(centred, deviation), x->dtype), node.input(1));
  if (node.input(2) != nullptr) y = b.Add(y, node.input(2));
  if (node.outputs().size() > 1 && !node.output(1)->uses().empty()) rewrite.replace(node.output(1), mean);
  if (node.outputs().size() > 2 && !node.output(2)->uses().empty()) {
    rewrite.replace(node.output(2), b.Reciprocal(deviation));
  }
  return becomes(node, rewrite, y);
}

// RMSNormalization(X, scale; axis=-1, epsilon=1e-5)
Outcome rms_normalization(Node& node, Rewrite& rewrite) {
  const std::vector<int64_t> axes = trailing_axes(node);
  if (axes.empty()) return Outcome::no("the rank of its input is not known");
  ir::Builder& b = rewrite.b;
  Value* x = node.input(0);
  Value* wide = is_half(x) ? b.Cast(x, DType::kFloat) : x;
  Value* mean = b.ReduceMean(b.Mul(wide, wide), axes);
  Value* scaled = b.Div(wide, b.Sqrt(b.Add(mean, node.attrs.get("epsilon", 1e-5F))));
  return becomes(node, rewrite, b.Mul(b.Cast(scaled, x->dtype), node.input(1)));
}

// GroupNormalization(X, scale[C], bias[C]; num_groups, epsilon=1e-5), as of opset 21.
Outcome group_normalization(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* x = node.input(0);
  if (!x->shape || x->rank() < 3) return Outcome::no("the rank of its input is not known");
  const int64_t groups = node.attrs.at("num_groups").as_int();
  Value* one = b.constant(ir::Tensor::filled(x->dtype, {groups}, 1));
  Value* zero = b.constant(ir::Tensor::filled(x->dtype, {groups}, 0));
  Value* grouped = b.Reshape(x, {0, groups, -1});
  Value* normal = b.op("InstanceNormalization", {grouped, one, zero}, {{"epsilon", node.attrs.get("epsilon", 1e-5F)}});
  std::vector<int64_t> spatial;
  for (size_t i = 2; i < x->rank(); ++i) spatial.push_back(static_cast<int64_t>(i) - 1);
  Value* y = b.Mul(b.Reshape(normal, b.Shape(x)), b.Unsqueeze(node.input(1), spatial));
  return becomes(node, rewrite, b.Add(y, b.Unsqueeze(node.input(2), spatial)));
}

Outcome drop_training_mode(Node& node, Rewrite&) {
  if (node.attrs.get("training_mode", int64_t{0}) != 0) return Outcome::no("it is in training mode");
  node.attrs.erase("training_mode");
  return Outcome::done();
}

bool has_training_mode(const Node& node) { return node.attrs.contains("training_mode"); }

}  // namespace

void add_normalizations(Table& table) {
  below(table, 17, "LayerNormalization", layer_normalization);
  below(table, 23, "RMSNormalization", rms_normalization);
  below(table, 21, "GroupNormalization", group_normalization);
  below(table, 14, "BatchNormalization", drop_training_mode, has_training_mode);
}

}  // namespace onward::passes::opset
