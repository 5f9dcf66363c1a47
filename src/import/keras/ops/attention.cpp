// Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention.
#include <cmath>
#include <numeric>

#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/projection.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

Value* both(Builder& b, Value* a, Value* c) {
  if (a == nullptr || c == nullptr) return a != nullptr ? a : c;
  return b.And(a, c);
}

Value* truth(Builder& b, Value* mask) { return mask != nullptr ? b.Cast(mask, DType::kBool) : nullptr; }

// 0, 1, … as [1, count, 1] or [1, 1, count].
Value* positions(Builder& b, Value* count, const std::vector<int64_t>& axes) {
  return b.Unsqueeze(b.Range(b.i64(0), b.Squeeze(count, {0}), b.i64(1)), axes);
}

// [1, rows, columns], true where the column is not behind the row.
Value* causal_mask(Builder& b, Value* rows, Value* columns) {
  return b.GreaterOrEqual(positions(b, rows, {0, 2}), positions(b, columns, {0, 1}));
}

// [1, rows, columns], true where they are less than `width` apart.
Value* band_mask(Builder& b, Value* rows, Value* columns, int64_t width) {
  Value* distance = b.Abs(b.Sub(positions(b, rows, {0, 2}), positions(b, columns, {0, 1})));
  return b.Less(distance, b.i64(width));
}

// --- Attention, AdditiveAttention: call([query, value, key], mask=[query_mask, value_mask]) ---

struct Masks {
  Value* query = nullptr;
  Value* value = nullptr;
};

Masks list_masks(const Context& ctx, const ir::Values& inputs) {
  const Json& given = ctx.argument(1, "mask");
  Masks masks;
  if (given.is_array()) {
    if (given.size() > 0 && is_tensor(given[size_t{0}])) masks.query = ctx.resolve(given[size_t{0}]);
    if (given.size() > 1 && is_tensor(given[size_t{1}])) masks.value = ctx.resolve(given[size_t{1}]);
  } else {
    masks = {ctx.mask_of(inputs[0]), ctx.mask_of(inputs[1])};
  }
  return {truth(ctx.b, masks.query), truth(ctx.b, masks.value)};
}

Value* dot_scores(const Context& ctx, Value* query, Value* key) {
  Builder& b = ctx.b;
  std::vector<int64_t> perm(key->rank());
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm.at(perm.size() - 1), perm.at(perm.size() - 2));
  Value* scores = b.MatMul(query, b.Transpose(key, perm));
  return ctx.config.get("use_scale", false) ? b.Mul(scores, ctx.weight("scale")) : scores;
}

// Every query with every key: [batch, queries, keys, size]
Value* pairs(Builder& b, Value* query, Value* key) { return b.Add(b.Unsqueeze(query, {-2}), b.Unsqueeze(key, {-3})); }

Value* concat_scores(const Context& ctx, Value* query, Value* key) {
  Builder& b = ctx.b;
  Value* sum = pairs(b, query, key);
  if (ctx.config.get("use_scale", false)) sum = b.Mul(sum, ctx.weight("scale"));
  return b.Mul(b.ReduceSum(b.Tanh(sum), {-1}, false), ctx.weight("concat_score_weight"));
}

Value* additive_scores(const Context& ctx, Value* query, Value* key) {
  Builder& b = ctx.b;
  Value* bent = b.Tanh(pairs(b, query, key));
  if (ctx.config.get("use_scale", true)) bent = b.Mul(bent, ctx.weight("scale"));
  return b.ReduceSum(bent, {-1}, false);
}

ir::Values attend(const Context& ctx, Value* (*scorer)(const Context&, Value*, Value*)) {
  Builder& b = ctx.b;
  const ir::Values inputs = ctx.inputs();
  ctx.require(inputs.size() == 2 || inputs.size() == 3, "needs two or three inputs");
  Value* query = inputs[0];
  Value* value = inputs[1];
  Value* key = inputs.size() > 2 ? inputs[2] : value;
  const Masks masks = list_masks(ctx, inputs);
  Value* scores = scorer(ctx, query, key);
  Value* mask = masks.value != nullptr ? b.Unsqueeze(masks.value, {-2}) : nullptr;
  // Keras 2.0 to 2.10 have the flag in the config.
  if (ctx.flag(9, "use_causal_mask", ctx.config.get("causal", false))) {
    mask = both(b, mask, causal_mask(b, b.dim(scores, -2), b.dim(scores, -1)));
  }
  if (mask != nullptr) {
    const double far = scores->dtype == DType::kFloat16 ? 65504.0 : 1e9;
    scores = b.Where(mask, scores, b.Sub(scores, far));
  }
  Value* weights = b.Softmax(scores, -1);
  Value* result = b.MatMul(weights, value);
  if (masks.query != nullptr) {
    result = b.Where(b.Unsqueeze(masks.query, {-1}), result, b.number_like(0, result));
    ctx.set_mask(result, masks.query);
  }
  if (ctx.flag(9, "return_attention_scores", false)) return {result, weights};
  return {result};
}

// Attention(use_scale=False, score_mode="dot")
ir::Values attention(Context& ctx) {
  // Some Keras 3 files write the mode as a function's name.
  const Json& given = ctx.config["score_mode"];
  const std::string mode = given.is_string()   ? given.as_string()
                           : given.is_object() ? given.get("config", "dot")
                                               : "dot";
  ctx.require(mode == "dot" || mode == "concat", "score_mode \"" + mode + "\" is unknown");
  return attend(ctx, mode == "dot" ? dot_scores : concat_scores);
}

// AdditiveAttention(use_scale=True)
ir::Values additive_attention(Context& ctx) { return attend(ctx, additive_scores); }

std::vector<Variable> attention_variables(const Layer& layer) {
  std::vector<Variable> variables;
  if (layer.config.get("use_scale", false)) variables.push_back({"scale"});
  const Json& mode = layer.config["score_mode"];
  if (mode.is_string() && mode.as_string() == "concat") variables.push_back({"concat_score_weight"});
  return variables;
}

std::vector<Variable> additive_variables(const Layer& layer) {
  return layer.config.get("use_scale", true) ? std::vector<Variable>{{"scale"}} : std::vector<Variable>{};
}

// --- MultiHeadAttention, GroupQueryAttention: call(query, value, key=None, …) ---

struct Heads {
  const Context& ctx;
  std::string prefix;  // of the projections' attributes in the file

  // [batch, …, heads, size]
  Value* projected(const char* name, Value* x) const {
    const std::string child = prefix + name;
    Value* y = project_last(ctx.b, x, ctx.weight("kernel", child), 1);
    return biased(child, y);
  }
  // Back from the last two axes.
  Value* merged(const char* name, Value* x) const {
    const std::string child = prefix + name;
    return biased(child, project_last(ctx.b, x, ctx.weight("kernel", child), 2));
  }
  Value* biased(const std::string& child, Value* y) const {
    return ctx.config.get("use_bias", true) ? ctx.b.Add(y, ctx.weight("bias", child)) : y;
  }
};

Value* mask_argument(const Context& ctx, size_t index, const char* name, const Value* of) {
  if (Value* given = ctx.tensor(index, name)) return truth(ctx.b, given);
  return truth(ctx.b, ctx.mask_of(of));
}

struct Attended {
  Value* query;
  Value* value;
  Value* key;
  Value* mask;  // [batch or 1, queries, keys] or null
  Value* query_mask;
};

Attended read_call(const Context& ctx) {
  Builder& b = ctx.b;
  Attended a{ctx.tensor(0, "query"), ctx.tensor(1, "value"), ctx.tensor(2, "key"), nullptr, nullptr};
  ctx.require(a.query != nullptr && a.value != nullptr, "needs a query and a value");
  a.query_mask = mask_argument(ctx, 3, "query_mask", a.query);
  Value* value_mask = mask_argument(ctx, 4, "value_mask", a.value);
  Value* key_mask = a.key != nullptr ? mask_argument(ctx, 5, "key_mask", a.key) : nullptr;
  if (a.key == nullptr) a.key = a.value;
  if (a.query_mask != nullptr) a.mask = b.Unsqueeze(a.query_mask, {-1});
  if (value_mask != nullptr) a.mask = both(b, a.mask, b.Unsqueeze(value_mask, {-2}));
  if (key_mask != nullptr) a.mask = both(b, a.mask, b.Unsqueeze(key_mask, {-2}));
  Value* rows = b.dim(a.query, 1);
  Value* columns = b.dim(a.value, 1);
  if (ctx.flag(9, "use_causal_mask", false)) a.mask = both(b, a.mask, causal_mask(b, rows, columns));
  if (const int64_t width = ctx.config.get("sliding_window", int64_t{0}); width > 0) {
    a.mask = both(b, a.mask, band_mask(b, rows, columns, width));
  }
  a.mask = both(b, truth(b, ctx.tensor(ctx.session.legacy ? 3 : 6, "attention_mask")), a.mask);
  return a;
}

// The attended axes of [batch, …, heads, size] behind the heads, as one: [batch, others…, heads, steps, size].
struct Arrangement {
  std::vector<int64_t> axes;    // attended
  std::vector<int64_t> others;  // not attended, but for the batch
  size_t rank;                  // with heads and size

  std::vector<int64_t> perm() const {
    std::vector<int64_t> perm{0};
    perm.insert(perm.end(), others.begin(), others.end());
    perm.push_back(static_cast<int64_t>(rank) - 2);
    perm.insert(perm.end(), axes.begin(), axes.end());
    perm.push_back(static_cast<int64_t>(rank) - 1);
    return perm;
  }
  size_t leading() const { return others.size() + 2; }  // batch, others, heads
};

Arrangement arrangement(const Context& ctx, size_t rank) {
  Arrangement a{{}, {}, rank};
  const auto input_axes = static_cast<int64_t>(rank) - 2;  // batch included
  const Json& given = ctx.config["attention_axes"];
  if (given.is_null()) {
    for (int64_t i = 1; i < input_axes; ++i) a.axes.push_back(i);
  } else {
    a.axes = given.is_number() ? std::vector<int64_t>{given.as_int()} : given.as_ints();
  }
  for (int64_t& axis : a.axes) {
    if (axis < 0) axis += input_axes + 1;
    ctx.require(axis > 0 && axis < input_axes, "an attention axis is out of range");
  }
  for (int64_t i = 1; i < input_axes; ++i) {
    if (std::find(a.axes.begin(), a.axes.end(), i) == a.axes.end()) a.others.push_back(i);
  }
  return a;
}

Value* arranged(Builder& b, const Arrangement& a, Value* x) {
  x = b.Transpose(x, a.perm());
  if (a.axes.size() == 1) return x;
  std::vector<int64_t> shape(a.leading(), 0);
  shape.push_back(-1);
  shape.push_back(x->dim(x->rank() - 1).value());
  return b.Reshape(x, shape);
}

// The sizes of the attended axes of an arranged-to-be tensor.
Value* attended_sizes(Builder& b, const Arrangement& a, Value* x) {
  ir::Values sizes;
  for (const int64_t axis : a.axes) sizes.push_back(b.dim(x, axis));
  return b.Concat(sizes, 0);
}

Value* disarranged(Builder& b, const Arrangement& a, Value* y, Value* sizes) {
  if (a.axes.size() > 1) {
    Value* front = b.op("Shape", {y}, {{"end", static_cast<int64_t>(a.leading())}});
    y = b.Reshape(y, b.Concat({front, sizes, b.dim(y, -1)}, 0));
  }
  const std::vector<int64_t> perm = a.perm();
  std::vector<int64_t> back(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return b.Transpose(y, back);
}

Value* masked(Builder& b, Value* scores, Value* mask) {
  if (mask == nullptr) return scores;
  // A row that is all masked is uniform, as Keras' own large negative number makes it.
  const double low = scores->dtype == DType::kFloat16 ? -3e4 : -1e9;
  while (mask->rank() < scores->rank()) mask = b.Unsqueeze(mask, {1});
  return b.Where(mask, scores, b.number_like(low, scores));
}

ir::Values attend_heads(const Context& ctx, const Heads& heads, const Attended& call, int64_t repeats) {
  Builder& b = ctx.b;
  Value* query = heads.projected("query_dense", call.query);
  Value* key = heads.projected("key_dense", call.key);
  Value* value = heads.projected("value_dense", call.value);
  const Arrangement a = arrangement(ctx, query->rank());
  ctx.require(a.axes.size() == 1 || call.mask == nullptr, "a mask over several attention axes is not supported");
  const double scale = 1 / std::sqrt(static_cast<double>(query->dim(query->rank() - 1).value()));
  Value* query_sizes = attended_sizes(b, a, query);
  Value* key_sizes = attended_sizes(b, a, key);
  Value* q = b.Mul(arranged(b, a, query), scale);
  Value* k = arranged(b, a, key);
  Value* v = arranged(b, a, value);
  if (repeats > 1) {
    // Each key and value head serves `repeats` query heads that lie together.
    const auto repeated = [&](Value* x) {
      Value* wide = b.Tile(b.Unsqueeze(x, {2}), b.ints({1, 1, repeats, 1, 1}));
      return b.Reshape(wide, {0, x->dim(1).value() * repeats, -1, x->dim(3).value()});
    };
    k = repeated(k);
    v = repeated(v);
  }
  std::vector<int64_t> swap(k->rank());
  std::iota(swap.begin(), swap.end(), 0);
  std::swap(swap[swap.size() - 1], swap[swap.size() - 2]);
  Value* weights = b.Softmax(masked(b, b.MatMul(q, b.Transpose(k, swap)), call.mask), -1);
  Value* result = disarranged(b, a, b.MatMul(weights, v), query_sizes);
  if (ctx.config.get("use_gate", false)) {
    result = b.Mul(result, b.Sigmoid(heads.projected("gate_dense", call.query)));
  }
  result = heads.merged("output_dense", result);
  ctx.set_mask(result, call.query_mask);
  if (!ctx.flag(7, "return_attention_scores", false)) return {result};
  if (a.axes.size() > 1) {
    Value* front = b.op("Shape", {weights}, {{"end", -2}});
    weights = b.Reshape(weights, b.Concat({front, query_sizes, key_sizes}, 0));
  }
  return {result, weights};
}

// MultiHeadAttention(num_heads, key_dim, value_dim=None, use_bias=True, output_shape=None, attention_axes=None)
ir::Values multi_head_attention(Context& ctx) { return attend_heads(ctx, {ctx, ""}, read_call(ctx), 1); }

// GroupQueryAttention(head_dim, num_query_heads, num_key_value_heads, use_bias=True)
ir::Values group_query_attention(Context& ctx) {
  const int64_t queries = ctx.config.at("num_query_heads").as_int();
  const int64_t keys = ctx.config.at("num_key_value_heads").as_int();
  ctx.require(keys > 0 && queries % keys == 0, "num_query_heads must be a multiple of num_key_value_heads");
  return attend_heads(ctx, {ctx, "_"}, read_call(ctx), queries / keys);
}

std::vector<Child> projections(const Layer& layer, const std::string& prefix) {
  std::vector<Child> children;
  Layer dense;
  dense.class_name = "EinsumDense";
  dense.module = "keras.layers";
  dense.config = Json::object({{"bias_axes", layer.config.get("use_bias", true) ? Json("d") : Json()}});
  for (const char* name : {"query_dense", "key_dense", "gate_dense", "value_dense", "output_dense"}) {
    if (std::string_view(name) == "gate_dense" && !layer.config.get("use_gate", false)) continue;
    children.push_back({prefix + name, dense});
  }
  return children;
}

std::vector<Child> multi_head_children(const Layer& layer) { return projections(layer, ""); }
std::vector<Child> group_query_children(const Layer& layer) { return projections(layer, "_"); }

}  // namespace

void register_attention(OpTable& table) {
  table.add("Attention", {attention, attention_variables, Masking::kOwn});
  table.add("AdditiveAttention", {additive_attention, additive_variables, Masking::kOwn});
  table.add("MultiHeadAttention", {multi_head_attention, nullptr, Masking::kOwn, multi_head_children});
  for (const char* name : {"GroupQueryAttention", "GroupedQueryAttention"}) {
    table.add(name, {group_query_attention, nullptr, Masking::kOwn, group_query_children});
  }
}

}  // namespace onward::importer::keras
