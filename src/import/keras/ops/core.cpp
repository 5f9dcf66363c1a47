// Dense, EinsumDense, Embedding, ReversibleEmbedding, Identity, InputLayer.
#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/projection.h"

namespace onward::importer::keras {
namespace {

using ir::Value;

// Keras keeps int8 weights with a scale to divide by; what is left to inference is the plain product.
Value* kernel_of(const Context& ctx, const char* name) {
  Value* kernel = ctx.weight(name);
  if (ir::is_floating(kernel->dtype)) return kernel;
  ctx.require(kernel->dtype == ir::DType::kInt8, "its weights are of an unknown kind");
  Value* scale = ctx.weight(std::string(name) + "_scale");
  return ctx.b.Div(ctx.b.Cast(kernel, scale->dtype), scale);
}

bool quantized(const Layer& layer) {
  const Json& policy = layer.config["dtype"];
  return policy.is_object() && policy.get("class_name", "").rfind("Quantized", 0) == 0;
}

// Dense(units, activation=None, use_bias=True): over the last axis
ir::Values dense(Context& ctx) {
  ir::Builder& b = ctx.b;
  Value* x = b.Cast(ctx.x(), ctx.compute_dtype());
  Value* kernel = kernel_of(ctx, "kernel");
  const bool biased = ctx.config.get("use_bias", true);
  Value* y = nullptr;
  if (biased && x->has_rank() && x->rank() == 2) {
    y = b.op("Gemm", {x, kernel, ctx.weight("bias")});
  } else {
    y = b.MatMul(x, kernel);
    if (biased) y = b.Add(y, ctx.weight("bias"));
  }
  return {activate(ctx, ctx.config["activation"], y)};
}

std::vector<Variable> dense_variables(const Layer& layer) {
  std::vector<Variable> variables{{"kernel", !quantized(layer)}};
  if (layer.config.get("use_bias", true)) variables.push_back({"bias"});
  if (quantized(layer)) variables.push_back({"kernel_scale", false});
  return variables;
}

// EinsumDense(equation, output_shape, activation=None, bias_axes=None)
ir::Values einsum_dense(Context& ctx) {
  ir::Builder& b = ctx.b;
  Value* x = b.Cast(ctx.x(), ctx.compute_dtype());
  const std::string equation = ctx.config.at("equation").as_string();
  Value* y = project(b, equation, x, kernel_of(ctx, "kernel"));
  if (!ctx.config["bias_axes"].is_null()) y = b.Add(y, ctx.weight("bias"));
  return {activate(ctx, ctx.config["activation"], y)};
}

std::vector<Variable> einsum_variables(const Layer& layer) {
  std::vector<Variable> variables{{"kernel", !quantized(layer)}};
  if (!layer.config["bias_axes"].is_null()) variables.push_back({"bias"});
  if (quantized(layer)) variables.push_back({"kernel_scale", false});
  return variables;
}

// int8 rows have a scale each.
Value* embedded(const Context& ctx, Value* indices) {
  ir::Builder& b = ctx.b;
  Value* table = ctx.weight("embeddings");
  Value* rows = b.Gather(table, indices, 0);
  if (ir::is_floating(table->dtype)) return rows;
  ctx.require(table->dtype == ir::DType::kInt8, "its weights are of an unknown kind");
  Value* scales = b.Gather(ctx.weight("embeddings_scale"), indices, 0);
  if (scales->rank() < rows->rank()) scales = b.Unsqueeze(scales, {-1});
  return b.Div(b.Cast(rows, scales->dtype), scales);
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
  std::vector<Variable> variables{{"embeddings", !quantized(layer)}};
  if (quantized(layer)) variables.push_back({"embeddings_scale", false});
  return variables;
}

// ReversibleEmbedding(…, tie_weights=True, reverse_dtype=None, logit_soft_cap=None); call(inputs, reverse=False)
ir::Values reversible_embedding(Context& ctx) {
  if (!ctx.flag(1, "reverse", false)) return embedding(ctx);
  ir::Builder& b = ctx.b;
  const bool tied = ctx.config.get("tie_weights", true);
  Value* kernel = tied ? b.Transpose(kernel_of(ctx, "embeddings"), {1, 0}) : kernel_of(ctx, "reverse_embeddings");
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
  std::vector<Variable> variables{{"embeddings", !quantized(layer)}};
  if (!layer.config.get("tie_weights", true)) variables.push_back({"reverse_embeddings", !quantized(layer)});
  if (!quantized(layer)) return variables;
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
