// Activations, their gradients, softmax and cross entropy.
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;
using Builder = ir::Builder;

template <UnaryNode Node>
Value* unary(Call& c) {
  return (c.b.*Node)(c.input(0));
}

// Relu(features: T) -> activations; of integers, too
Value* relu(Call& c) { return c.b.Relu(c.input(0)); }
// Relu6(features: T) -> activations
Value* relu6(Call& c) { return c.b.Clip(c.input(0), c.b.number_like(0, c.input(0)), c.b.number_like(6, c.input(0))); }
// LeakyRelu(features: T, alpha: float = 0.2) -> activations
Value* leaky_relu(Call& c) { return c.b.op("LeakyRelu", {c.input(0)}, {{"alpha", c.number("alpha", 0.2)}}); }
// Elu(features: T) -> activations
Value* elu(Call& c) { return c.b.op("Elu", {c.input(0)}); }
Value* selu(Call& c) { return c.b.op("Selu", {c.input(0)}); }

// --- gradients: (gradients: T, features or outputs: T) -> backprops --------------------------------------------------

Value* positive(Builder& b, Value* x) { return b.Greater(x, b.number_like(0, x)); }
Value* if_else_zero(Builder& b, Value* condition, Value* x) { return b.Where(condition, x, b.number_like(0, x)); }

Value* relu_grad(Call& c) { return if_else_zero(c.b, positive(c.b, c.input(1)), c.input(0)); }
Value* relu6_grad(Call& c) {
  Value* x = c.input(1);
  return if_else_zero(c.b, c.b.And(positive(c.b, x), c.b.Less(x, c.b.number_like(6, x))), c.input(0));
}
// LeakyReluGrad(gradients: T, features: T, alpha: float = 0.2)
Value* leaky_relu_grad(Call& c) {
  return c.b.Where(positive(c.b, c.input(1)), c.input(0), c.b.Mul(c.input(0), c.number("alpha", 0.2)));
}
// EluGrad(gradients: T, outputs: T)
Value* elu_grad(Call& c) {
  Value* y = c.input(1);
  return c.b.Where(c.b.Less(y, c.b.number_like(0, y)), c.b.Mul(c.input(0), c.b.Add(y, 1)), c.input(0));
}
constexpr double kSeluScale = 1.0507009873554805;
constexpr double kSeluScaleAlpha = 1.7580993408473768;
Value* selu_grad(Call& c) {
  Value* y = c.input(1);
  return c.b.Where(c.b.Less(y, c.b.number_like(0, y)), c.b.Mul(c.input(0), c.b.Add(y, kSeluScaleAlpha)),
                   c.b.Mul(c.input(0), kSeluScale));
}
Value* softplus_grad(Call& c) { return c.b.Mul(c.input(0), c.b.Sigmoid(c.input(1))); }
Value* softsign_grad(Call& c) {
  Value* d = c.b.Add(c.b.Abs(c.input(1)), 1);
  return c.b.Div(c.input(0), c.b.Mul(d, d));
}
// (y: T, dy: T) -> z
Value* one_minus(Builder& b, Value* x) { return b.Sub(b.number_like(1, x), x); }
Value* sigmoid_grad(Call& c) {
  Value* y = c.input(0);
  return c.b.Mul(c.input(1), c.b.Mul(y, one_minus(c.b, y)));
}
Value* tanh_grad(Call& c) {
  Value* y = c.input(0);
  return c.b.Mul(c.input(1), one_minus(c.b, c.b.Mul(y, y)));
}
Value* sqrt_grad(Call& c) { return c.b.Div(c.b.Mul(c.input(1), 0.5), c.input(0)); }
Value* rsqrt_grad(Call& c) {
  Value* y = c.input(0);
  return c.b.Mul(c.b.Mul(c.input(1), -0.5), c.b.Mul(y, c.b.Mul(y, y)));
}
Value* reciprocal_grad(Call& c) {
  Value* y = c.input(0);
  return c.b.Neg(c.b.Mul(c.input(1), c.b.Mul(y, y)));
}
// BiasAddGrad(out_backprop: T, data_format: string = "NHWC") -> output
Value* bias_add_grad(Call& c) {
  std::vector<int64_t> axes = all_axes(c.input(0)->rank());
  axes.erase(channels_first(c) ? axes.begin() + 1 : axes.end() - 1);
  return c.b.ReduceSum(c.input(0), axes, false);
}

// --- softmax, cross entropy ------------------------------------------------------------------------------------------

Value* softmax(Call& c) { return c.b.Softmax(c.input(0), -1); }
Value* log_softmax(Call& c) { return c.b.LogSoftmax(c.input(0), -1); }

// SoftmaxCrossEntropyWithLogits(features: T, labels: T) -> loss, backprop
ir::Values cross_entropy(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* labels = c.input(1);
  Value* loss = b.Neg(b.ReduceSum(b.Mul(labels, b.LogSoftmax(x, -1)), {-1}, false));
  return {loss, b.Sub(b.Softmax(x, -1), labels)};
}

// SparseSoftmaxCrossEntropyWithLogits(features: T, labels: Tlabels) -> loss, backprop
ir::Values sparse_cross_entropy(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* labels = b.Unsqueeze(b.Cast(c.input(1), DType::kInt64), {-1});
  Value* chosen = b.op("GatherElements", {b.LogSoftmax(x, -1), labels}, {{"axis", -1}});
  Value* one = b.Cast(b.Equal(labels, counting(b, b.dim(x, -1))), x->dtype);
  return {b.Neg(b.Squeeze(chosen, {-1})), b.Sub(b.Softmax(x, -1), one)};
}

void register_gradients(OpTable& t) {
  t.add("ReluGrad", relu_grad);
  t.add("Relu6Grad", relu6_grad);
  t.add("LeakyReluGrad", leaky_relu_grad);
  t.add("EluGrad", elu_grad);
  t.add("SeluGrad", selu_grad);
  t.add("SoftplusGrad", softplus_grad);
  t.add("SoftsignGrad", softsign_grad);
  t.add("SigmoidGrad", sigmoid_grad);
  t.add("TanhGrad", tanh_grad);
  t.add("SqrtGrad", sqrt_grad);
  t.add("RsqrtGrad", rsqrt_grad);
  t.add("ReciprocalGrad", reciprocal_grad);
  t.add("InvGrad", reciprocal_grad);
  t.add("BiasAddGrad", bias_add_grad);
}

// Sigmoid(x: T) -> y. ONNX Runtime makes an operator that it has no kernel for out of x · sigmoid(x) on doubles.
Value* sigmoid(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  if (x->dtype == DType::kDouble) return b.Reciprocal(b.Add(b.Exp(b.Neg(x)), 1.0));
  return b.Sigmoid(x);
}

}  // namespace

void register_activation(OpTable& t) {
  t.add("Relu", relu);
  t.add("Relu6", relu6);
  t.add("LeakyRelu", leaky_relu);
  t.add("Elu", elu);
  t.add("Selu", selu);
  t.add("Sigmoid", sigmoid);
  t.add("Softplus", unary<&Builder::Softplus>);
  t.add("Softsign", unary<&Builder::Softsign>);
  t.add("Softmax", softmax);
  t.add("LogSoftmax", log_softmax);
  t.add("SoftmaxCrossEntropyWithLogits -> loss, backprop", cross_entropy);
  t.add("SparseSoftmaxCrossEntropyWithLogits -> loss, backprop", sparse_cross_entropy);
  register_gradients(t);
}

}  // namespace onward::importer::tf
