// What multiplies or shifts channels goes into the weights and bias of the operator before it:
//
//   BatchNormalization(Conv(x, W, B), s, b, m, v)   →  Conv(x, W·k, (B - m)·k + b)      k = s / √(v + ε)
//   Mul(Conv(x, W, B), k), Div likewise             →  Conv(x, W·k, B·k)
//   Add(Conv(x, W, B), c), Sub likewise             →  Conv(x, W, B + c)
//   Conv(Mul(x, k), W, B)                           →  Conv(x, W·k, B)
//
// Likewise for ConvTranspose and Gemm. Conditions: constants that vary along the channels only; nothing else uses the
// value between; the normalization is not in training.
#include <cmath>

#include "passes/fold/linear.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Tensor;
using ir::Value;

std::optional<std::vector<double>> numbers(const Value* value, size_t count) {
  const Tensor* tensor = constant_of(value);
  if (tensor == nullptr || tensor->count() != count) return std::nullopt;
  return tensor->doubles();
}

Outcome batch_normalization(Node& node, Rewrite& rewrite) {
  if (node.attrs.get("training_mode", int64_t{0}) != 0) return Outcome::no("it is in training");
  const auto linear = linear_behind(node.input(0));
  if (!linear) return Outcome::no("no operator with constant weights before it, or its result is used elsewhere");
  const auto scale = numbers(node.input(1), linear->channels);
  const auto shift = numbers(node.input(2), linear->channels);
  const auto mean = numbers(node.input(3), linear->channels);
  const auto variance = numbers(node.input(4), linear->channels);
  if (!scale || !shift || !mean || !variance) return Outcome::no("its statistics are computed");
  const double epsilon = node.attrs.get("epsilon", 1e-5F);
  std::vector<double> factors;
  std::vector<double> offsets;
  for (size_t i = 0; i < linear->channels; ++i) {
    factors.push_back((*scale)[i] / std::sqrt((*variance)[i] + epsilon));
    offsets.push_back((*shift)[i] - (*mean)[i] * factors[i]);
  }
  rewrite.replace(node.output(), with_affine(*linear, rewrite, factors, offsets));
  return Outcome::done();
}

// The operator before one input, and what the other input gives to its channels.
struct Operands {
  Linear linear;
  std::vector<double> numbers;
};

std::optional<Operands> operands(const Node& node, bool either_side) {
  for (size_t side = 0; side < (either_side ? 2U : 1U); ++side) {
    const Value* x = node.input(side);
    auto linear = linear_behind(x);
    if (!linear || !x->shape || x->dtype != node.output()->dtype) continue;
    auto values = per_channel(node.input(1 - side), x->rank(), linear->channels);
    if (values) return Operands{std::move(*linear), std::move(*values)};
  }
  return std::nullopt;
}

constexpr const char* kNoOperands = "no operator with constant weights and no constant for each channel";

Outcome shift(Node& node, Rewrite& rewrite, double sign) {
  auto found = operands(node, sign > 0);
  if (!found) return Outcome::no(kNoOperands);
  for (double& number : found->numbers) number *= sign;
  rewrite.replace(node.output(), with_affine(found->linear, rewrite, {}, found->numbers));
  return Outcome::done();
}

Outcome add(Node& node, Rewrite& rewrite) { return shift(node, rewrite, 1); }
Outcome sub(Node& node, Rewrite& rewrite) { return shift(node, rewrite, -1); }

Outcome scale(Node& node, Rewrite& rewrite, bool divides) {
  auto found = operands(node, !divides);
  if (!found) return Outcome::no(kNoOperands);
  for (double& number : found->numbers) {
    if (divides && number == 0) return Outcome::no("it divides by zero");
    if (divides) number = 1 / number;
    if (!std::isfinite(number)) return Outcome::no("a factor is not finite");
  }
  const std::vector<double> none(found->linear.channels, 0);
  rewrite.replace(node.output(), with_affine(found->linear, rewrite, found->numbers, none));
  return Outcome::done();
}

Outcome mul(Node& node, Rewrite& rewrite) { return scale(node, rewrite, false); }
Outcome div(Node& node, Rewrite& rewrite) { return scale(node, rewrite, true); }

// Conv of an input whose channels are multiplied: padding with zeros stays padding with zeros.
Outcome scaled_input(Node& node, Rewrite& rewrite) {
  const Node* before = produced_by(node.input(0), "Mul");
  const Tensor* weight = constant_of(node.input(1));
  if (before == nullptr || weight == nullptr || !has_single_use(node.input(0)) || !node.input(0)->shape) {
    return Outcome::no("no Mul before it, or computed weights");
  }
  if (node.input(1)->uses().size() > 1) return Outcome::no("another operator uses the weights");
  const auto group = static_cast<size_t>(node.attrs.get("group", int64_t{1}));
  const auto outputs = static_cast<size_t>(weight->dims()[0]);
  const auto inputs = static_cast<size_t>(weight->dims()[1]);
  for (size_t side : {0U, 1U}) {
    Value* x = before->input(side);
    if (!x->shape || x->rank() != node.input(0)->rank() || x->is_constant()) continue;
    const auto factors = per_channel(before->input(1 - side), x->rank(), inputs * group);
    if (!factors) continue;
    const size_t block = outputs / group;
    Tensor adapted =
        scaled(*weight, outputs, inputs, *factors, [&](size_t o, size_t m) { return o / block * inputs + m; });
    Value* result = rewrite.b.op(
        "Conv", {x, rewrite.b.constant(std::move(adapted), node.input(1)->name), node.input(2)}, node.attrs);
    result->producer()->name = node.name;
    rewrite.replace(node.output(), result);
    return Outcome::done();
  }
  return Outcome::no("the factor does not vary along channels only");
}

constexpr Rule kRules[] = {
    {"BatchNormalization", batch_normalization},
    {"Add", add},
    {"Sub", sub},
    {"Mul", mul},
    {"Div", div},
    {"Conv", scaled_input},
};

}  // namespace

bool fold_affine(ir::Graph& graph, const ir::Inference& inference) { return apply_rules(graph, inference, kRules); }

}  // namespace onward::passes
