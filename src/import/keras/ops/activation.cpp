// Activation functions and the layers that are nothing else.
#include <cmath>
#include <map>

#include "base/error.h"
#include "import/keras/context.h"
#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

using Activation = Value* (*)(Builder&, Value*, const Json&);

Value* leaky_relu(Builder& b, Value* x, double alpha) { return b.op("LeakyRelu", {x}, {{"alpha", alpha}}); }

// relu(x, negative_slope=0.0, max_value=None, threshold=0.0)
Value* relu(Builder& b, Value* x, double slope, const Json& max_value, double threshold) {
  Value* y = nullptr;
  if (threshold != 0) {
    Value* below = slope == 0 ? b.number_like(0, x) : b.Mul(b.Sub(x, threshold), slope);
    y = b.Where(b.GreaterOrEqual(x, b.number_like(threshold, x)), x, below);
  } else {
    y = slope == 0 ? b.Relu(x) : leaky_relu(b, x, slope);
  }
  return max_value.is_null() ? y : b.Min(y, max_value.as_double());
}

// Exact: x/2 (1 + erf(x/√2)); otherwise the tanh form.
Value* gelu(Builder& b, Value* x, bool approximate) {
  return b.op("Gelu", {x}, {{"approximate", approximate ? "tanh" : "none"}});
}

Value* hard_sigmoid(Builder& b, Value* x) { return b.op("HardSigmoid", {x}, {{"alpha", 1.0 / 6}, {"beta", 0.5}}); }

// ONNX Runtime makes an operator that it has no kernel for out of x · sigmoid(x) on doubles.
Value* silu(Builder& b, Value* x) {
  if (x->dtype != ir::DType::kDouble) return b.Mul(x, b.Sigmoid(x));
  return b.Div(x, b.Add(b.Exp(b.Neg(x)), 1.0));
}

Value* celu(Builder& b, Value* x, double alpha) { return b.op("Celu", {x}, {{"alpha", alpha}}); }

Value* squareplus(Builder& b, Value* x, double boundary) {
  return b.Mul(b.Add(x, b.Sqrt(b.Add(b.Mul(x, x), boundary))), 0.5);
}

Value* soft_shrink(Builder& b, Value* x, double threshold, double bias) {
  return b.op("Shrink", {x}, {{"lambd", threshold}, {"bias", bias}});
}

// max(x - τ, 0) with τ from the largest entries. Keras adds up the running sums of those entries where the paper takes
// the last one; so does this.
Value* sparsemax(Builder& b, Value* x, int64_t axis) {
  if (axis < 0) axis += static_cast<int64_t>(x->rank());
  Value* size = b.dim(x, axis);
  Value* sorted = b.ops("TopK", {x, size}, 2, {{"axis", axis}})[0];
  Value* sums = b.op("CumSum", {sorted, b.i64(axis)});
  std::vector<int64_t> shape(x->rank(), 1);
  shape[static_cast<size_t>(axis)] = -1;
  Value* ranks = b.Range(b.i64(1), b.Add(b.Squeeze(size, {0}), b.i64(1)), b.i64(1));
  ranks = b.Reshape(b.Cast(ranks, x->dtype), shape);
  Value* support = b.Cast(b.Greater(b.Add(b.Mul(ranks, sorted), 1.0), sums), x->dtype);
  Value* count = b.ReduceSum(support, {axis});
  Value* total = b.ReduceSum(b.Mul(sums, support), {axis});
  return b.Max(b.Sub(x, b.Div(b.Sub(total, 1.0), count)), 0.0);
}

const std::map<std::string, Activation, std::less<>>& activations() {
  static const std::map<std::string, Activation, std::less<>> kTable = {
      {"linear", [](Builder&, Value* x, const Json&) { return x; }},
      {"relu",
       [](Builder& b, Value* x, const Json& c) {
         return relu(b, x, c.get("negative_slope", 0.0), c["max_value"], c.get("threshold", 0.0));
       }},
      {"relu6", [](Builder& b, Value* x, const Json&) { return b.Clip(x, b.number_like(0, x), b.number_like(6, x)); }},
      {"leaky_relu",
       [](Builder& b, Value* x, const Json& c) { return leaky_relu(b, x, c.get("negative_slope", 0.2)); }},
      {"sigmoid", [](Builder& b, Value* x, const Json&) { return b.Sigmoid(x); }},
      {"hard_sigmoid", [](Builder& b, Value* x, const Json&) { return hard_sigmoid(b, x); }},
      {"tanh", [](Builder& b, Value* x, const Json&) { return b.Tanh(x); }},
      {"softmax", [](Builder& b, Value* x, const Json& c) { return b.Softmax(x, c.get("axis", -1)); }},
      {"log_softmax", [](Builder& b, Value* x, const Json& c) { return b.LogSoftmax(x, c.get("axis", -1)); }},
      {"softplus", [](Builder& b, Value* x, const Json&) { return b.Softplus(x); }},
      {"softsign", [](Builder& b, Value* x, const Json&) { return b.Softsign(x); }},
      {"exponential", [](Builder& b, Value* x, const Json&) { return b.Exp(x); }},
      {"elu",
       [](Builder& b, Value* x, const Json& c) {
         return b.op("Elu", {x}, {{"alpha", c.get("alpha", 1.0)}});
       }},
      {"selu", [](Builder& b, Value* x, const Json&) { return b.op("Selu", {x}); }},
      {"celu", [](Builder& b, Value* x, const Json& c) { return celu(b, x, c.get("alpha", 1.0)); }},
      {"gelu", [](Builder& b, Value* x, const Json& c) { return gelu(b, x, c.get("approximate", false)); }},
      {"silu", [](Builder& b, Value* x, const Json&) { return silu(b, x); }},
      {"swish", [](Builder& b, Value* x, const Json&) { return silu(b, x); }},
      {"hard_silu", [](Builder& b, Value* x, const Json&) { return b.HardSwish(x); }},
      {"hard_swish", [](Builder& b, Value* x, const Json&) { return b.HardSwish(x); }},
      {"mish", [](Builder& b, Value* x, const Json&) { return b.Mish(x); }},
      {"log_sigmoid", [](Builder& b, Value* x, const Json&) { return b.Neg(b.Softplus(b.Neg(x))); }},
      {"hard_tanh",
       [](Builder& b, Value* x, const Json&) { return b.Clip(x, b.number_like(-1, x), b.number_like(1, x)); }},
      {"tanh_shrink", [](Builder& b, Value* x, const Json&) { return b.Sub(x, b.Tanh(x)); }},
      {"hard_shrink",
       [](Builder& b, Value* x, const Json& c) { return soft_shrink(b, x, c.get("threshold", 0.5), 0); }},
      {"soft_shrink",
       [](Builder& b, Value* x, const Json& c) {
         return soft_shrink(b, x, c.get("threshold", 0.5), c.get("threshold", 0.5));
       }},
      {"threshold",
       [](Builder& b, Value* x, const Json& c) {
         return b.Where(b.Greater(x, b.number_like(c.get("threshold", 0.0), x)), x,
                        b.number_like(c.get("default_value", 0.0), x));
       }},
      {"squareplus", [](Builder& b, Value* x, const Json& c) { return squareplus(b, x, c.get("b", 4.0)); }},
      {"sparse_plus",
       [](Builder& b, Value* x, const Json&) {
         Value* middle = b.Mul(b.Pow(b.Add(x, 1.0), 2.0), 0.25);
         Value* low = b.LessOrEqual(x, b.number_like(-1, x));
         return b.Where(low, b.number_like(0, x), b.Where(b.Less(x, b.number_like(1, x)), middle, x));
       }},
      {"sparse_sigmoid",
       [](Builder& b, Value* x, const Json&) {
         return b.Clip(b.Mul(b.Add(x, 1.0), 0.5), b.number_like(0, x), b.number_like(1, x));
       }},
      {"sparsemax", [](Builder& b, Value* x, const Json& c) { return sparsemax(b, x, c.get("axis", -1)); }},
      {"glu",
       [](Builder& b, Value* x, const Json& c) {
         const int64_t axis = c.get("axis", -1);
         const ir::Values halves = b.ops("Split", {x}, 2, {{"axis", axis}, {"num_outputs", 2}});
         return b.Mul(halves[0], b.Sigmoid(halves[1]));
       }},
  };
  return kTable;
}

// Keras 2's hard_sigmoid is clip(0.2 x + 0.5, 0, 1).
ir::Values activation_layer(Context& ctx) { return {activate(ctx, ctx.config["activation"], ctx.x())}; }

// LeakyReLU(negative_slope=0.3), `alpha` in Keras 2
ir::Values leaky_relu_layer(Context& ctx) {
  const double slope = ctx.config.get("negative_slope", ctx.config.get("alpha", 0.3));
  return {leaky_relu(ctx.b, ctx.x(), slope)};
}

// ReLU(max_value=None, negative_slope=0.0, threshold=0.0)
ir::Values relu_layer(Context& ctx) {
  return {relu(ctx.b, ctx.x(), ctx.config.get("negative_slope", 0.0), ctx.config["max_value"],
               ctx.config.get("threshold", 0.0))};
}

// ThresholdedReLU(theta=1.0)
ir::Values thresholded_relu(Context& ctx) {
  return {ctx.b.op("ThresholdedRelu", {ctx.x()}, {{"alpha", ctx.config.get("theta", 1.0)}})};
}

ir::Values elu_layer(Context& ctx) { return {ctx.b.op("Elu", {ctx.x()}, {{"alpha", ctx.config.get("alpha", 1.0)}})}; }

// PReLU(shared_axes=None): alpha has the input's shape without the batch, 1 along shared axes.
ir::Values prelu(Context& ctx) {
  Value* x = ctx.x();
  return {ctx.b.PRelu(x, ctx.weight("alpha"))};
}

// Softmax(axis=-1), call(inputs, mask=None)
ir::Values softmax_layer(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = ctx.x();
  if (Value* mask = ctx.tensor(1, "mask")) {
    const double low = x->dtype == ir::DType::kFloat16 ? -65504.0 : -3.4028234663852886e38;
    x = b.Add(x, b.Where(b.Cast(mask, ir::DType::kBool), b.number_like(0, x), b.number_like(low, x)));
  }
  const Json& axis = ctx.config["axis"];
  if (!axis.is_array()) return {b.Softmax(x, axis.is_null() ? -1 : axis.as_int())};
  std::vector<int64_t> axes = axis.as_ints();
  if (axes.size() == 1) return {b.Softmax(x, axes.front())};
  return {b.Exp(b.Sub(x, b.ReduceLogSumExp(x, axes)))};
}

std::vector<Variable> prelu_variables(const Layer&) { return {{"alpha"}}; }

}  // namespace

Value* activate(Builder& b, const Json& activation, Value* x, bool legacy) {
  std::string name = "linear";
  Json config = Json::object();
  if (activation.is_string()) {
    name = activation.as_string();
  } else if (activation.is_object()) {
    // {"class_name": "function", "config": "relu"}, or an activation layer such as {"class_name": "ReLU", "config":
    // {…}}
    const Json& inner = activation["config"];
    name = inner.is_string() ? inner.as_string() : activation.get("class_name", "");
    if (inner.is_object()) config = inner;
  }
  if (name == "hard_sigmoid" && legacy) return b.op("HardSigmoid", {x}, {{"alpha", 0.2}, {"beta", 0.5}});
  const auto found = activations().find(name);
  if (found != activations().end()) return found->second(b, x, config);
  if (name == "LeakyReLU") return leaky_relu(b, x, config.get("negative_slope", config.get("alpha", 0.3)));
  static const std::map<std::string, const char*, std::less<>> kLayers = {
      {"ReLU", "relu"}, {"ELU", "elu"}, {"Softmax", "softmax"}};
  if (const auto layer = kLayers.find(name); layer != kLayers.end()) {
    return activations().at(layer->second)(b, x, config);
  }
  fail_unsupported("the activation \"" + name + "\" is not a built-in one",
                   "use a built-in activation, or export the model as a SavedModel and convert that");
}

Value* activate(const Context& ctx, const Json& activation, Value* x) {
  return activate(ctx.b, activation, x, ctx.session.legacy);
}

void register_activation(OpTable& table) {
  table.add("Activation", {activation_layer, nullptr, Masking::kPassed});
  table.add("ReLU", {relu_layer, nullptr, Masking::kPassed});
  table.add("LeakyReLU", {leaky_relu_layer, nullptr, Masking::kPassed});
  table.add("ThresholdedReLU", {thresholded_relu, nullptr, Masking::kPassed});
  table.add("ELU", {elu_layer, nullptr, Masking::kPassed});
  table.add("PReLU", {prelu, prelu_variables, Masking::kPassed});
  table.add("Softmax", {softmax_layer, nullptr, Masking::kPassed});
}

}  // namespace onward::importer::keras
