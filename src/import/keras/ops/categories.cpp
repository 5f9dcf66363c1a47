// CategoryEncoding, Discretization, Normalization.
#include "import/keras/ops/categories.h"

#include <numeric>

#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

constexpr int64_t kMostCategories = 1 << 22;

Value* hits(Builder& b, Value* x, int64_t depth) {
  std::vector<int64_t> classes(static_cast<size_t>(depth));
  std::iota(classes.begin(), classes.end(), 0);
  return b.Equal(b.Unsqueeze(x, {-1}), b.ints(classes));
}

// CategoryEncoding(num_tokens, output_mode="multi_hot"); call(inputs, count_weights=None)
ir::Values category_encoding(Context& ctx) {
  Value* x = ctx.b.Cast(ctx.x(), DType::kInt64);
  Value* weights = ctx.tensor(1, "count_weights");
  if (weights != nullptr) weights = ctx.b.Cast(weights, ctx.compute_dtype());
  return {encode_categories(ctx, x, ctx.config.get("output_mode", "multi_hot"), ctx.config.at("num_tokens").as_int(),
                            encoded_dtype(ctx, ctx.compute_dtype()), weights)};
}

// Discretization(bin_boundaries, output_mode="int"): how many boundaries lie at or below a number
ir::Values discretization(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = ctx.x();
  if (!ir::is_floating(x->dtype)) x = b.Cast(x, DType::kFloat);
  const Json& given = ctx.config["bin_boundaries"];
  ctx.require(given.is_array(), "has no boundaries in the file", "give bin_boundaries, or adapt before saving");
  std::vector<double> numbers;
  for (const Json& item : given.as_array()) numbers.push_back(item.as_double());
  const auto count = static_cast<int64_t>(numbers.size());
  Value* boundaries = b.constant(ir::Tensor::from_doubles(x->dtype, {count}, numbers));
  Value* above = b.Cast(b.GreaterOrEqual(b.Unsqueeze(x, {-1}), boundaries), DType::kInt64);
  Value* bins = b.ReduceSum(above, {-1}, false);
  const std::string mode = ctx.config.get("output_mode", "int");
  const DType plain = mode != "int" ? ctx.compute_dtype() : ctx.session.legacy ? DType::kInt64 : DType::kInt32;
  return {encode_categories(ctx, bins, mode, count + 1, encoded_dtype(ctx, plain))};
}

// Normalization(axis=-1, mean=None, variance=None, invert=False)
ir::Values normalization(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = b.Cast(ctx.x(), ctx.compute_dtype());
  const auto rank = static_cast<int64_t>(x->rank());
  const Json& given = ctx.config["axis"];
  std::vector<int64_t> axes;
  if (given.is_number()) axes = {given.as_int()};
  if (given.is_array()) axes = given.as_ints();
  std::vector<int64_t> shape(static_cast<size_t>(rank), 1);
  for (int64_t& axis : axes) {
    if (axis < 0) axis += rank;
    ctx.require(axis >= 0 && axis < rank, "the axis is out of range");
    shape[static_cast<size_t>(axis)] =
        x->dim(static_cast<size_t>(axis)).is_known() ? x->dim(static_cast<size_t>(axis)).value() : -1;
  }
  const auto statistic = [&](const char* name) -> Value* {
    const Json& json = ctx.config[name];
    if (json.is_null()) return b.Reshape(ctx.weight(name), shape);
    std::vector<double> numbers;
    const std::function<void(const Json&)> flatten = [&](const Json& item) {
      if (item.is_array()) {
        for (const Json& inner : item.as_array()) flatten(inner);
      } else {
        numbers.push_back(item.as_double());
      }
    };
    flatten(json.is_object() && json.contains("config") ? json["config"]["value"] : json);
    const auto count = static_cast<int64_t>(numbers.size());
    Value* constant = b.constant(ir::Tensor::from_doubles(x->dtype, {count}, numbers));
    if (count == 1) return b.Reshape(constant, std::vector<int64_t>(static_cast<size_t>(rank), 1));
    return b.Reshape(constant, shape);
  };
  Value* mean = statistic("mean");
  Value* deviation = b.Max(b.Sqrt(statistic("variance")), 1e-7);
  if (ctx.config.get("invert", false)) return {b.Add(mean, b.Mul(x, deviation))};
  return {b.Div(b.Sub(x, mean), deviation)};
}

std::vector<Variable> normalization_variables(const Layer& layer) {
  if (!layer.config["mean"].is_null()) return {};
  return {{"mean", false}, {"variance", false}, {"count", false}};
}

}  // namespace

Value* encode_categories(const Context& ctx, Value* x, const std::string& mode, int64_t depth, DType dtype,
                         Value* weights) {
  Builder& b = ctx.b;
  if (mode == "int") return b.Cast(x, dtype);
  ctx.require(depth > 0 && depth <= kMostCategories, "the number of categories is out of range");
  if (x->rank() == 0) x = b.Unsqueeze(x, {0});
  if (mode == "one_hot") {
    const ir::Dim last = x->dim(x->rank() - 1);
    if (x->rank() > 1 && last.is_known() && last.value() == 1) x = b.Squeeze(x, {-1});
    return b.Cast(hits(b, x, depth), dtype);
  }
  if (mode == "multi_hot") {
    return b.Cast(b.ReduceMax(b.Cast(hits(b, x, depth), DType::kInt32), {-2}, false), dtype);
  }
  ctx.require(mode == "count", "output_mode \"" + mode + "\" is unknown");
  const int64_t axis = x->rank() > 1 ? 1 : 0;
  Value* each = b.Cast(hits(b, x, depth), weights != nullptr ? weights->dtype : DType::kFloat);
  if (weights != nullptr) each = b.Mul(each, b.Unsqueeze(weights, {-1}));
  Value* sum = b.ReduceSum(each, {axis}, false);
  return weights != nullptr ? sum : b.Cast(sum, dtype);
}

DType encoded_dtype(const Context& ctx, DType fallback) {
  const Json& given = ctx.config["dtype"];
  const Json& name = given.is_object() ? given["config"]["name"] : given;
  if (!name.is_string()) return fallback;
  const auto dtype = ir::dtype_from_name(name.as_string());
  return dtype && ir::is_integer(*dtype) ? *dtype : fallback;
}

void register_categories(OpTable& table) {
  table.add("CategoryEncoding", {category_encoding});
  table.add("Discretization", {discretization});
  table.add("Normalization", {normalization, normalization_variables});
}

}  // namespace onward::importer::keras
