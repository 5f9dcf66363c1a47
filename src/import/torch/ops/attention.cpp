// Scaled dot-product attention.
#include <cmath>
#include <limits>

#include "import/torch/ops/families.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// Keys and values shared by several query heads are repeated.
Value* repeated_heads(Call& c, Value* x, Value* query) {
  ir::Builder& b = c.b;
  const auto rank = static_cast<int64_t>(x->rank());
  Value* heads = b.dim(x, rank - 3);
  Value* wanted = b.dim(query, -3);
  Value* times = b.Div(wanted, heads);
  if (times->is_constant() && times->constant()->as_int() == 1) return x;
  Value* shape = b.Shape(x);
  Value* front = b.Slice(shape, 0, rank - 2, 0);
  Value* back = b.Slice(shape, rank - 2, rank, 0);
  Value* wide = b.Expand(b.Unsqueeze(x, {rank - 2}), b.Concat({front, times, back}, 0));
  ir::Values dims;
  if (rank > 3) dims.push_back(b.Slice(shape, 0, rank - 3, 0));
  dims.insert(dims.end(), {wanted, back});
  return b.Reshape(wide, b.Concat(dims, 0));
}

Value* mask_of(Call& c) { return c.maybe_tensor(c.has("attn_bias") ? "attn_bias" : "attn_mask"); }

// What each query has with each key, before the softmax.
Value* scores_of(Call& c, Value* query, Value* key) {
  ir::Builder& b = c.b;
  const size_t rank = key->rank();
  std::vector<int64_t> perm;
  for (size_t i = 0; i < rank; ++i) perm.push_back(static_cast<int64_t>(i));
  std::swap(perm[rank - 1], perm[rank - 2]);
  Value* scores = b.MatMul(query, b.Transpose(key, perm));
  if (c.given("scale")) {
    scores = b.Mul(scores, c.scalar("scale", scores->dtype));
  } else {
    const ir::Dim width = query->dim(query->rank() - 1);
    scores = width.is_known() ? b.Mul(scores, 1 / std::sqrt(static_cast<double>(width.value())))
                              : b.Div(scores, b.Sqrt(b.Cast(b.dim_scalar(query, -1), scores->dtype)));
  }
  Value* low = b.number(-std::numeric_limits<double>::infinity(), scores->dtype);
  if (c.flag("is_causal")) {
    Value* shape = b.Concat({b.dim(query, -2), b.dim(key, -2)}, 0);
    Value* seen = b.op("Trilu", {b.Fill(shape, 1, DType::kInt64), nullptr}, {{"upper", 0}});
    scores = b.Where(b.Cast(seen, DType::kBool), scores, low);
  }
  Value* mask = mask_of(c);
  if (mask == nullptr) return scores;
  return mask->dtype == DType::kBool ? b.Where(mask, scores, low) : b.Add(scores, b.Cast(mask, scores->dtype));
}

Value* attended(Call& c, Value* scores, Value* value) {
  ir::Builder& b = c.b;
  c.require(c.number("dropout_p") == 0, "dropout in training mode is random; call model.eval() before saving");
  Value* weights = b.Softmax(scores, -1);
  // A query that may see nothing gives zeros, not NaN.
  const Value* mask = mask_of(c);
  const bool hides = mask != nullptr && mask->dtype == DType::kBool;
  return b.MatMul(hides ? b.Where(b.IsNaN(weights), b.number_like(0, weights), weights) : weights, value);
}

// aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, …)
Value* attention(Call& c) {
  Value* query = c.tensor("query");
  Value* key = c.tensor("key");
  Value* value = c.tensor("value");
  if (c.flag("enable_gqa")) {
    key = repeated_heads(c, key, query);
    value = repeated_heads(c, value, query);
  }
  return attended(c, scores_of(c, query, key), value);
}

// What torch.export may decompose it to, for one kind of processor: the logarithms of the softmax's sums come second,
// what only training needs after them.
ir::Values attention_with_sums(Call& c) {
  Value* scores = scores_of(c, c.tensor("query"), c.tensor("key"));
  return {attended(c, scores, c.tensor("value")), c.b.reduce("ReduceLogSumExp", scores, {-1}, false)};
}

}  // namespace

void register_attention(OpTable& t) {
  t.add(
      "aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
      "float dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor",
      attention);
  const std::string three = "(Tensor query, Tensor key, Tensor value, ";
  t.add("aten::_scaled_dot_product_flash_attention_for_cpu" + three +
            "float dropout_p=0.0, bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> (Tensor, "
            "Tensor)",
        attention_with_sums);
  t.add("aten::_scaled_dot_product_efficient_attention" + three +
            "Tensor? attn_bias, bool compute_log_sumexp, float dropout_p=0.0, bool is_causal=False, *, float? "
            "scale=None) -> (Tensor, Tensor, Tensor, Tensor)",
        attention_with_sums);
}

}  // namespace onward::importer::torch
