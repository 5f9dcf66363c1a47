// Activation functions, softmax, dropout.
#include <cmath>
#include <numbers>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// Written as ONNX Runtime's fusions look for it.
Value* gelu(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const std::string approximate = c.text("approximate");
  if (approximate == "none") {
    Value* e = b.Erf(b.Div(x, std::numbers::sqrt2));
    return b.Mul(b.Mul(x, b.Add(e, 1)), 0.5);
  }
  c.require(approximate == "tanh", "approximation \"" + approximate + "\" is unknown");
  Value* cube = b.Pow(x, 3);
  Value* inner = b.Mul(b.Add(x, b.Mul(cube, 0.044715)), std::sqrt(2 / std::numbers::pi));
  return b.Mul(b.Mul(x, 0.5), b.Add(b.Tanh(inner), 1));
}

Value* silu(Call& c) {
  Value* x = c.tensor("self");
  return c.b.Mul(x, c.b.Sigmoid(x));
}
Value* mish(Call& c) { return c.b.Mish(c.tensor("self")); }
Value* leaky_relu(Call& c) { return c.b.op("LeakyRelu", {c.tensor("self")}, {{"alpha", c.number("negative_slope")}}); }
Value* rrelu(Call& c) {
  c.require(!c.flag("training"), "training mode draws random slopes");
  return c.b.op("LeakyRelu", {c.tensor("self")}, {{"alpha", (c.number("lower") + c.number("upper")) / 2}});
}
Value* hardtanh(Call& c) {
  Value* x = c.tensor("self");
  return c.b.Clip(x, c.scalar("min_val", x->dtype), c.scalar("max_val", x->dtype));
}
Value* relu6(Call& c) {
  Value* x = c.tensor("self");
  return c.b.Clip(x, c.b.number_like(0, x), c.b.number_like(6, x));
}
Value* hardsigmoid(Call& c) { return c.b.op("HardSigmoid", {c.tensor("self")}, {{"alpha", 1.0 / 6}, {"beta", 0.5}}); }
Value* hardswish(Call& c) { return c.b.HardSwish(c.tensor("self")); }
Value* elu(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const double alpha = c.number("alpha");
  const double scale = c.number("scale");
  const double input_scale = c.number("input_scale");
  if (input_scale != 1) {
    Value* negative = b.Mul(b.Sub(b.Exp(b.Mul(x, input_scale)), 1), alpha);
    x = b.Where(b.Greater(x, b.number_like(0, x)), x, negative);
  } else {
    x = b.op("Elu", {x}, {{"alpha", alpha}});
  }
  return scale == 1 ? x : b.Mul(x, scale);
}
Value* selu(Call& c) { return c.b.op("Selu", {c.tensor("self")}); }
Value* celu(Call& c) { return c.b.op("Celu", {c.tensor("self")}, {{"alpha", c.number("alpha")}}); }
Value* softplus(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const double beta = c.number("beta");
  Value* scaled = beta == 1 ? x : b.Mul(x, beta);
  Value* soft = b.Softplus(scaled);
  if (beta != 1) soft = b.Div(soft, beta);
  return b.Where(b.Greater(scaled, b.number_like(c.number("threshold"), x)), x, soft);
}
Value* softsign(Call& c) { return c.b.Softsign(c.tensor("self")); }
Value* log_sigmoid(Call& c) { return c.b.Neg(c.b.Softplus(c.b.Neg(c.tensor("self")))); }
Value* threshold(Call& c) {
  Value* x = c.tensor("self");
  return c.b.Where(c.b.Greater(x, c.scalar("threshold", x->dtype)), x, c.scalar("value", x->dtype));
}
Value* softshrink(Call& c) {
  return c.b.op("Shrink", {c.tensor("self")}, {{"lambd", c.number("lambd")}, {"bias", c.number("lambd")}});
}
Value* hardshrink(Call& c) { return c.b.op("Shrink", {c.tensor("self")}, {{"lambd", c.number("lambd")}}); }
Value* glu(Call& c) {
  Value* x = c.tensor("self");
  const int64_t axis = c.axis("dim", x->rank());
  const ir::Values halves = c.b.ops("Split", {x}, 2, {{"axis", axis}, {"num_outputs", 2}});
  return c.b.Mul(halves[0], c.b.Sigmoid(halves[1]));
}
// One slope for all, or one for each channel (dimension 1).
Value* prelu(Call& c) {
  Value* x = c.tensor("self");
  Value* weight = c.tensor("weight");
  const bool one = weight->rank() == 0 || (weight->dim(0).is_known() && weight->dim(0).value() == 1);
  if (!one && !x->has_rank()) {  // as many ones behind the channels as there are dimensions
    ir::Builder& b = c.b;
    Value* behind = b.Sub(b.Shape(b.Shape(x)), b.ints({2}));
    weight = b.Reshape(weight, b.Concat({b.ints({-1}), b.Fill(b.Max(behind, b.ints({0})), 1, DType::kInt64)}, 0));
  } else if (!one && x->rank() > 2) {
    std::vector<int64_t> shape(x->rank() - 1, 1);
    shape[0] = -1;
    weight = c.b.Reshape(weight, shape);
  }
  return c.b.PRelu(x, weight);
}

Value* softmax(Call& c) {
  Value* x = c.tensor("self");
  if (c.signature().find("dtype") != nullptr && c.dtype()) x = c.b.Cast(x, *c.dtype());
  if (x->shape && x->shape->empty()) return c.b.Reshape(c.b.Softmax(c.b.Reshape(x, {1}), 0), c.b.ints({}));
  return c.b.Softmax(x, c.integer("dim"));
}
Value* log_softmax(Call& c) {
  Value* x = c.tensor("self");
  if (c.signature().find("dtype") != nullptr && c.dtype()) x = c.b.Cast(x, *c.dtype());
  if (x->shape && x->shape->empty()) return c.b.Reshape(c.b.LogSoftmax(c.b.Reshape(x, {1}), 0), c.b.ints({}));
  return c.b.LogSoftmax(x, c.integer("dim"));
}

// Rows that are -inf throughout give zeros.
Value* safe_softmax(Call& c) {
  Value* x = softmax(c);
  return without_nan(c.b, x, 0);
}

// aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)
ir::Values native_dropout(Call& c) {
  c.require(!c.flag("train") || c.number("p") == 0,
            "dropout in training mode is random; call model.eval() before saving");
  Value* x = c.tensor("input");
  return {x, c.b.Expand(c.b.boolean(true), c.b.Shape(x))};
}

Value* dropout(Call& c) {
  c.require(!c.flag("train") || c.number("p") == 0,
            "dropout in training mode is random; call model.eval() before saving");
  return c.tensor("input");
}

}  // namespace

void register_activation(OpTable& t) {
  t.add("aten::gelu(Tensor self, *, str approximate=\"none\") -> Tensor", gelu);
  t.add("aten::silu(Tensor self) -> Tensor", silu);
  t.add("aten::mish(Tensor self) -> Tensor", mish);
  t.add("aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor", leaky_relu);
  t.add(
      "aten::rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.3333333333333333, bool training=False, "
      "Generator? generator=None) -> Tensor",
      rrelu);
  t.add("aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor", hardtanh);
  t.add("aten::relu6(Tensor self) -> Tensor", relu6);
  t.add("aten::hardsigmoid(Tensor self) -> Tensor", hardsigmoid);
  t.add("aten::hardswish(Tensor self) -> Tensor", hardswish);
  t.add("aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor", elu);
  t.add("aten::selu(Tensor self) -> Tensor", selu);
  t.add("aten::celu(Tensor self, Scalar alpha=1.0) -> Tensor", celu);
  t.add("aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor", softplus);
  t.add("aten::softsign(Tensor self) -> Tensor", softsign);
  t.add("aten::log_sigmoid(Tensor self) -> Tensor", log_sigmoid);
  t.add("aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor", threshold);
  t.add("aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor", softshrink);
  t.add("aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", hardshrink);
  t.add("aten::glu(Tensor self, int dim=-1) -> Tensor", glu);
  t.add("aten::prelu(Tensor self, Tensor weight) -> Tensor", prelu);
  t.add("aten::_prelu_kernel(Tensor self, Tensor weight) -> Tensor",
        [](Call& c) { return c.b.PRelu(c.tensor("self"), c.tensor("weight")); });
  t.add("aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", softmax);
  t.add("aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", softmax);
  t.add("aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", log_softmax);
  t.add("aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", log_softmax);
  t.add("aten::_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", safe_softmax);
  t.add("aten::softmin.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", [](Call& c) -> Value* {
    Value* x = c.tensor("self");
    return c.b.Softmax(c.b.Neg(c.dtype() ? c.b.Cast(x, *c.dtype()) : x), c.integer("dim"));
  });
  t.add("aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)", native_dropout);
  t.add("aten::log_sigmoid_forward(Tensor self) -> (Tensor output, Tensor buffer)", [](Call& c) -> ir::Values {
    return {log_sigmoid(c), c.tensor("self")};
  });
  for (const char* name : {"dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"}) {
    t.add("aten::" + std::string(name) + "(Tensor input, float p, bool train) -> Tensor", dropout);
  }
}

}  // namespace onward::importer::torch
