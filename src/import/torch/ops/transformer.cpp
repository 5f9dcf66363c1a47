// The fused forms that nn.MultiheadAttention and nn.TransformerEncoderLayer call in eval mode, as traces record them.
#include <cmath>
#include <limits>

#include "import/torch/ops/families.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

constexpr int64_t kAttentionMask = 0;
constexpr int64_t kPaddingMask = 1;

Value* affine(ir::Builder& b, Value* x, Value* weight, Value* bias) {
  return b.Add(b.MatMul(x, b.Transpose(weight, {1, 0})), bias);
}

// Query, key and value, each [batch, heads, length, width].
ir::Values projections(Call& c, Value* query, Value* key, Value* value, int64_t embedding, int64_t heads) {
  ir::Builder& b = c.b;
  Value* weight = c.tensor("qkv_weight");
  Value* bias = c.tensor("qkv_bias");
  const std::vector<int64_t> thirds(3, embedding);
  ir::Values parts;
  if (query == key && key == value) {
    parts = b.Split(affine(b, query, weight, bias), thirds, 2);
  } else {
    const ir::Values weights = b.Split(weight, thirds, 0);
    const ir::Values biases = b.Split(bias, thirds, 0);
    const ir::Values sources{query, key, value};
    for (size_t i = 0; i < 3; ++i) parts.push_back(affine(b, sources[i], weights[i], biases[i]));
  }
  for (Value*& part : parts) {
    part = b.Transpose(b.Reshape(part, {0, 0, heads, embedding / heads}), {0, 2, 1, 3});
  }
  return parts;
}

// True where a key must not be seen, to be broadcast to [batch, heads, queries, keys].
Value* hidden_keys(Call& c) {
  Value* mask = c.maybe_tensor("mask");
  if (mask == nullptr) return nullptr;
  Value* hidden = c.b.Cast(mask, DType::kBool);  // a float mask holds 0 or -inf
  const std::optional<int64_t> type = c.maybe_integer("mask_type");
  if (type == kPaddingMask) return c.b.Unsqueeze(hidden, {1, 2});
  c.require(!type || type == kAttentionMask || mask->rank() == 4, "its mask has an unknown form");
  return hidden;
}

struct Attended {
  Value* result;
  Value* weights;
};

Attended attend(Call& c, Value* query, Value* key, Value* value, int64_t heads) {
  ir::Builder& b = c.b;
  const int64_t embedding = c.integer("embed_dim");
  c.require(heads > 0 && embedding % heads == 0, "the heads do not divide the embedding");
  const ir::Values parts = projections(c, query, key, value, embedding, heads);
  const double scale = 1 / std::sqrt(static_cast<double>(embedding) / static_cast<double>(heads));
  Value* scores = b.MatMul(b.Mul(parts[0], scale), b.Transpose(parts[1], {0, 1, 3, 2}));
  if (Value* hidden = hidden_keys(c)) {
    scores = b.Where(hidden, b.number_like(-std::numeric_limits<double>::infinity(), scores), scores);
  }
  Value* weights = b.Softmax(scores, -1);
  Value* context = b.Transpose(b.MatMul(weights, parts[2]), {0, 2, 1, 3});
  context = b.Reshape(context, {0, 0, embedding});
  return {affine(b, context, c.tensor("proj_weight"), c.tensor("proj_bias")), weights};
}

ir::Values multi_head_attention(Call& c) {
  const Attended attended = attend(c, c.tensor("query"), c.tensor("key"), c.tensor("value"), c.integer("num_head"));
  if (!c.flag("need_weights")) return {attended.result, nullptr};
  Value* weights = attended.weights;
  return {attended.result, c.flag("average_attn_weights") ? c.b.ReduceMean(weights, {1}, false) : weights};
}

Value* layer_norm(Call& c, Value* x, const std::string& which) {
  return c.b.op("LayerNormalization", {x, c.tensor("norm_weight_" + which), c.tensor("norm_bias_" + which)},
                {{"axis", -1}, {"epsilon", c.number("eps")}});
}

Value* encoder_layer(Call& c) {
  ir::Builder& b = c.b;
  const bool first = c.flag("norm_first");
  Value* x = c.tensor("src");
  Value* in = first ? layer_norm(c, x, "1") : x;
  x = b.Add(x, attend(c, in, in, in, c.integer("num_heads")).result);
  if (!first) x = layer_norm(c, x, "1");
  in = first ? layer_norm(c, x, "2") : x;
  Value* hidden = affine(b, in, c.tensor("ffn_weight_1"), c.tensor("ffn_bias_1"));
  hidden = c.flag("use_gelu") ? b.op("Gelu", {hidden}) : b.Relu(hidden);
  x = b.Add(x, affine(b, hidden, c.tensor("ffn_weight_2"), c.tensor("ffn_bias_2")));
  return first ? x : layer_norm(c, x, "2");
}

}  // namespace

void register_transformer(OpTable& t) {
  t.add(
      "aten::_native_multi_head_attention(Tensor query, Tensor key, Tensor value, int embed_dim, int num_head, "
      "Tensor qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, Tensor? mask=None, "
      "bool need_weights=True, bool average_attn_weights=True, int? mask_type=None) -> (Tensor, Tensor)",
      multi_head_attention);
  t.add(
      "aten::_transformer_encoder_layer_fwd(Tensor src, int embed_dim, int num_heads, Tensor qkv_weight, "
      "Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, bool use_gelu, bool norm_first, float eps, "
      "Tensor norm_weight_1, Tensor norm_bias_1, Tensor norm_weight_2, Tensor norm_bias_2, Tensor ffn_weight_1, "
      "Tensor ffn_bias_1, Tensor ffn_weight_2, Tensor ffn_bias_2, Tensor? mask=None, int? mask_type=None) -> Tensor",
      encoder_layer);
}

}  // namespace onward::importer::torch
