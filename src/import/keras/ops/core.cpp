// Dense, EinsumDense, Embedding, Identity, InputLayer.
#include "import/keras/context.h"
#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

using ir::Value;

// Dense(units, activation=None, use_bias=True): over the last axis
ir::Values dense(Context& ctx) {
  ir::Builder& b = ctx.b;
  Value* x = ctx.x();
  Value* kernel = ctx.weight("kernel");
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
  std::vector<Variable> variables{{"kernel"}};
  if (layer.config.get("use_bias", true)) variables.push_back({"bias"});
  return variables;
}

// EinsumDense(equation, output_shape, activation=None, bias_axes=None)
ir::Values einsum_dense(Context& ctx) {
  ir::Builder& b = ctx.b;
  Value* y = b.op("Einsum", {ctx.x(), ctx.weight("kernel")}, {{"equation", ctx.config.at("equation").as_string()}});
  if (!ctx.config["bias_axes"].is_null()) y = b.Add(y, ctx.weight("bias"));
  return {activate(ctx, ctx.config["activation"], y)};
}

std::vector<Variable> einsum_variables(const Layer& layer) {
  std::vector<Variable> variables{{"kernel"}};
  if (!layer.config["bias_axes"].is_null()) variables.push_back({"bias"});
  return variables;
}

// Embedding(input_dim, output_dim, mask_zero=False)
ir::Values embedding(Context& ctx) {
  Value* indices = ctx.b.Cast(ctx.x(), ir::DType::kInt32);
  return {ctx.b.Gather(ctx.weight("embeddings"), indices, 0)};
}

std::vector<Variable> embedding_variables(const Layer&) { return {{"embeddings"}}; }

ir::Values identity(Context& ctx) { return {ctx.x()}; }

}  // namespace

void register_core(OpTable& table) {
  table.add("Dense", {dense, dense_variables, Masking::kPassed});
  table.add("EinsumDense", {einsum_dense, einsum_variables});
  table.add("Embedding", {embedding, embedding_variables});
  table.add("Identity", {identity, nullptr, Masking::kPassed});
  table.add("InputLayer", {identity, nullptr, Masking::kPassed});
}

}  // namespace onward::importer::keras
