// Dense, EinsumDense, Embedding, ReversibleEmbedding, Identity, InputLayer.
#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/projection.h"
#include "import/keras/ops/quantized.h"

namespace onward::importer::keras {
namespace {

using ir::Value;

// `product` of the input, with the scales of int8 layers taken off. `contracted`: how many last axes it sums over.
template <class Product>
Value* scaled_product(const Context& ctx, Value* x, size_t contracted, const Product& product) {
  ir::Builder& b = ctx.b;
  if (!is_quantized(ctx.layer)) return product(x);
  Value* scale = weight_scale(ctx, "kernel");
  if (!rounds_input(ctx.layer) || contracted == 0) return b.Div(product(x), scale);
  const Rounded input = rounded_input(b, x, contracted);
  Value* y = product(input.x);
  std::vector<int64_t> axes;
  for (size_t i = input.scale->rank(); i < y->rank(); ++i) axes.push_back(static_cast<int64_t>(i));
  return b.Div(y, b.Mul(scale, b.Unsqueeze(input.scale, axes)));
}

// Dense(units, activation=None, use_bias=True): over the last axis
ir::Values dense(Context& ctx) {
  ir::Builder& b = ctx.b;
  Value* x = b.Cast(ctx.x(), ctx.compute_dtype());
  Value* kernel = quantized_weight(ctx, "kernel");
  const bool biased = ctx.config.get("use_bias", true);
  Value* y = nullptr;
  if (biased && x->has_rank() && x->rank() == 2 && !is_quantized(ctx.layer)) {
    y = b.op("Gemm", {x, kernel, ctx.weight("bias")});
  } else {
    y = scaled_product(ctx, x, 1, [&](Value* v) { return b.MatMul(v, kernel); });
    if (biased) y = b.Add(y, ctx.weight("bias"));
  }
  return {activate(ctx, ctx.config["activation"], y)};
}

std::vector<Variable> dense_variables(const Layer& layer) {
  std::vector<Variable> variables{{"kernel", !is_quantized(layer)}};
  if (layer.config.get("use_bias", true)) variables.push_back({"bias"});
  if (is_quantized(layer)) variables.push_back({"kernel_scale", false});
  return variables;
}

// EinsumDense(equation, output_shape, activation=None, bias_axes=None)
ir::Values einsum_dense(Context& ctx) {
  ir::Builder& b = ctx.b;
  Value* x = b.Cast(ctx.x(), ctx.compute_dtype());
  const std::string equation = ctx.config.at("equation").as_string();
  Value* kernel = quantized_weight(ctx, "kernel");
  Value* y = scaled_product(ctx, x, contracted_axes(equation, x, kernel),
                            [&](Value* v) { return project(b, equation, v, kernel); });
  if (!ctx.config["bias_axes"].is_null()) y = b.Add(y, ctx.weight("bias"));
  return {activate(ctx, ctx.config["activation"], y)};
}

std::vector<Variable> einsum_variables(const Layer& layer) {
  std::vector<Variable> variables{{"kernel", !is_quantized(layer)}};
  if (!layer.config["bias_axes"].is_null()) variables.push_back({"bias"});
  if (is_quantized(layer)) variables.push_back({"kernel_scale", false});
  return variables;
}

// int8 rows have a scale each.
Value* embedded(const Context& ctx, Value* indices) {
  ir::Builder& b = ctx.b;
  Value* rows = b.Gather(quantized_weight(ctx, "embeddings"), indices, 0);
  Value* scale = weight_scale(ctx, "embeddings");
  if (scale == nullptr) return rows;
  Value* scales = b.Gather(scale, indices, 0);
  return b.Div(rows, scales->rank() < rows->rank() ? b.Unsqueeze(scales, {-1}) : scales);
}

// Embedding(input_dim, output_dim, mask_zero=False)
ir::Values embedding(Context& ctx) {
  ir::Builder& b = ctx.b;
  Value* x = ctx.x();
  Value* y = embedded(ctx, x->dtype == ir::DType::kInt64 ? x : b.Cast(x, ir::DType::kInt32));
  if (ctx.config.get("mask_zero", false)) ctx.set_mask(y, b.Not(b.Equal(x, b.number_like(0, x))));
  return {y};
}

std::vector<Variable> embedding_variables(const Layer& layer) {
  std::vector<Variable> variables{{"embeddings", !is_quantized(layer)}};
  if (is_quantized(layer)) variables.push_back({"embeddings_scale", false});
  return variables;
}

// ReversibleEmbedding(…, tie_weights=True, reverse_dtype=None, logit_soft_cap=None); call(inputs, reverse=False)
ir::Values reversible_embedding(Context& ctx) {
  if (!ctx.flag(1, "reverse", false)) return embedding(ctx);
  ir::Builder& b = ctx.b;
  const bool tied = ctx.config.get("tie_weights", true);
  ctx.require(!is_quantized(ctx.layer), "reversed and quantized is not supported");
  Value* kernel = tied ? b.Transpose(ctx.weight("embeddings"), {1, 0}) : ctx.weight("reverse_embeddings");
  Value* x = ctx.x();
  if (const Json& given = ctx.config["reverse_dtype"]; given.is_string()) {
    const auto dtype = ir::dtype_from_name(given.as_string());
    ctx.require(dtype.has_value(), "reverse_dtype is unknown");
    x = b.Cast(x, *dtype);
    kernel = b.Cast(kernel, *dtype);
  }
  Value* logits = b.MatMul(x, kernel);
  const Json& cap = ctx.config["logit_soft_cap"];
  if (cap.is_null()) return {logits};
  return {b.Mul(b.Tanh(b.Div(logits, cap.as_double())), cap.as_double())};
}

std::vector<Variable> reversible_variables(const Layer& layer) {
  std::vector<Variable> variables{{"embeddings", !is_quantized(layer)}};
  if (!layer.config.get("tie_weights", true)) variables.push_back({"reverse_embeddings", !is_quantized(layer)});
  if (!is_quantized(layer)) return variables;
  variables.insert(variables.begin() + 1, {"embeddings_scale", false});
  if (!layer.config.get("tie_weights", true)) variables.push_back({"reverse_embeddings_scale", false});
  return variables;
}

ir::Values identity(Context& ctx) { return {ctx.x()}; }

}  // namespace

void register_core(OpTable& table) {
  table.add("Dense", {dense, dense_variables, Masking::kPassed});
  table.add("EinsumDense", {einsum_dense, einsum_variables});
  table.add("Embedding", {embedding, embedding_variables, Masking::kOwn});
  table.add("ReversibleEmbedding", {reversible_embedding, reversible_variables, Masking::kOwn});
  table.add("Identity", {identity, nullptr, Masking::kPassed});
  table.add("InputLayer", {identity, nullptr, Masking::kPassed});
}

}  // namespace onward::importer::keras
