// Batch, layer, instance, group and RMS normalization.
#include <limits>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// Ones or zeros, one for each channel.
Value* per_channel(Call& c, Value* given, Value* channels, double fallback, DType dtype) {
  return given != nullptr ? given : c.b.Fill(channels, fallback, dtype);
}
Value* channel_count(Call& c, Value* x, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (Value* given = c.maybe_tensor(name)) return c.b.Shape(given);
  }
  return c.b.dim(x, 1);
}

// A per-channel vector that broadcasts over dimension 1.
Value* beside_channels(Call& c, Value* vector, size_t rank) {
  std::vector<int64_t> shape(rank - 1, 1);
  shape[0] = -1;
  return rank <= 2 ? vector : c.b.Reshape(vector, shape);
}

Value* scaled_and_shifted(Call& c, Value* x, Value* weight, Value* bias, size_t rank) {
  if (weight != nullptr) x = c.b.Mul(x, beside_channels(c, weight, rank));
  return bias != nullptr ? c.b.Add(x, beside_channels(c, bias, rank)) : x;
}

// With the statistics of the batch itself.
Value* batch_statistics(Call& c, Value* x, double eps) {
  ir::Builder& b = c.b;
  const size_t rank = x->rank();
  std::vector<int64_t> axes{0};
  for (size_t i = 2; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
  Value* centered = b.Sub(x, b.ReduceMean(x, axes));
  Value* variance = b.ReduceMean(b.Mul(centered, centered), axes);
  Value* normal = b.Div(centered, b.Sqrt(b.Add(variance, eps)));
  return scaled_and_shifted(c, normal, c.maybe_tensor("weight"), c.maybe_tensor("bias"), rank);
}

Value* batch_norm_of(Call& c, Value* x, double eps) {
  ir::Builder& b = c.b;
  Value* channels = channel_count(c, x, {"running_mean", "weight"});
  const DType dtype = x->dtype;
  return b.op(
      "BatchNormalization",
      {x, per_channel(c, c.maybe_tensor("weight"), channels, 1, dtype),
       per_channel(c, c.maybe_tensor("bias"), channels, 0, dtype), c.tensor("running_mean"), c.tensor("running_var")},
      {{"epsilon", eps}});
}

// aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool
// training, …)
Value* batch_norm(Call& c) {
  Value* x = c.tensor("input");
  const bool own =
      (c.signature().find("training") != nullptr && c.flag("training")) || c.maybe_tensor("running_mean") == nullptr;
  return own ? batch_statistics(c, x, c.number("eps")) : batch_norm_of(c, x, c.number("eps"));
}
// The result, then what training keeps: the batch's mean and the reciprocal of its deviation; else empty tensors.
struct Statistics {
  Value* mean;
  Value* variance;
};
Statistics statistics_of(ir::Builder& b, Value* x) {
  std::vector<int64_t> axes = all_axes(x->rank());
  axes.erase(axes.begin() + 1);
  Value* mean = b.ReduceMean(x, axes);
  Value* centered = b.Sub(x, mean);
  return {b.Reshape(mean, {-1}), b.ReduceMean(b.Mul(centered, centered), axes, false)};
}
bool is_training(Call& c) {
  if (c.has("training")) return c.flag("training");
  return c.signature().name.find("with_update") != std::string::npos;
}
ir::Values native_batch_norm(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const double eps = c.number("eps");
  if (!is_training(c)) {
    Value* none = b.constant(ir::Tensor::filled(x->dtype, {0}, 0));
    return {batch_norm_of(c, x, eps), none, none};
  }
  const Statistics s = statistics_of(b, x);
  return {batch_statistics(c, x, eps), s.mean, b.Reciprocal(b.Sqrt(b.Add(s.variance, eps)))};
}
// With the running statistics moved on, as a fourth and fifth result.
ir::Values batch_norm_functional(Call& c) {
  ir::Builder& b = c.b;
  ir::Values results = native_batch_norm(c);
  Value* x = c.tensor("input");
  const double momentum = c.number("momentum");
  Value* mean = c.tensor("running_mean");
  Value* variance = c.tensor("running_var");
  if (is_training(c)) {
    const Statistics s = statistics_of(b, x);
    Value* count = b.Cast(b.Div(b.Size(x), b.dim_scalar(x, 1)), x->dtype);
    Value* unbiased = b.Mul(s.variance, b.Div(count, b.Sub(count, 1)));
    const auto moved = [&](Value* old, Value* now) { return b.Add(b.Mul(old, 1 - momentum), b.Mul(now, momentum)); };
    mean = moved(mean, s.mean);
    variance = moved(variance, unbiased);
  }
  if (c.signature().results == 6 || c.signature().name.find("with_update") != std::string::npos) {
    results.push_back(b.constant(ir::Tensor::filled(DType::kUInt8, {0}, 0)));  // what a backend would keep for itself
  }
  if (c.signature().results > results.size()) results.insert(results.end(), {mean, variance});
  return results;
}

// aten::layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps, …)
Value* layer_norm(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const auto dims =
      static_cast<int64_t>(c.arg("normalized_shape").list() == nullptr ? 1 : c.arg("normalized_shape").list()->size());
  Value* weight = c.maybe_tensor("weight");
  if (weight == nullptr) weight = b.Fill(c.int_vector("normalized_shape"), 1, x->dtype);
  return b.op("LayerNormalization", {x, weight, c.maybe_tensor("bias")},
              {{"axis", -dims}, {"epsilon", c.number("eps")}});
}
ir::Values native_layer_norm(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const auto dims = static_cast<int64_t>(c.arg("normalized_shape").list()->size());
  Value* weight = c.maybe_tensor("weight");
  if (weight == nullptr) weight = b.Fill(c.int_vector("normalized_shape"), 1, x->dtype);
  return b.ops("LayerNormalization", {x, weight, c.maybe_tensor("bias")}, 3,
               {{"axis", -dims}, {"epsilon", c.number("eps")}});
}

Value* instance_norm(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  if (!c.flag("use_input_stats")) return batch_norm_of(c, x, c.number("eps"));
  Value* channels = channel_count(c, x, {"weight", "running_mean"});
  return b.op("InstanceNormalization",
              {x, per_channel(c, c.maybe_tensor("weight"), channels, 1, x->dtype),
               per_channel(c, c.maybe_tensor("bias"), channels, 0, x->dtype)},
              {{"epsilon", c.number("eps")}});
}

// Groups become the channels of an instance normalization.
Value* group_norm_of(Call& c, Value* x, int64_t groups) {
  ir::Builder& b = c.b;
  const size_t rank = x->rank();
  Value* grouped = b.Reshape(x, {0, groups, -1});
  Value* scale = b.Fill(b.ints({groups}), 1, x->dtype);
  Value* shift = b.Fill(b.ints({groups}), 0, x->dtype);
  Value* normal = b.op("InstanceNormalization", {grouped, scale, shift}, {{"epsilon", c.number("eps")}});
  return scaled_and_shifted(c, b.Reshape(normal, b.Shape(x)), c.maybe_tensor("weight"), c.maybe_tensor("bias"), rank);
}
Value* group_norm(Call& c) { return group_norm_of(c, c.tensor("input"), c.integer("num_groups")); }
ir::Values native_group_norm(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const int64_t groups = c.integer("group");
  Value* grouped = b.Reshape(x, {0, groups, -1});
  Value* mean = b.ReduceMean(grouped, {2});
  Value* centered = b.Sub(grouped, mean);
  Value* variance = b.ReduceMean(b.Mul(centered, centered), {2}, false);
  Value* deviation = b.Reciprocal(b.Sqrt(b.Add(variance, c.number("eps"))));
  return {group_norm_of(c, x, groups), b.Squeeze(mean, {2}), deviation};
}

Value* rms_norm(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const DType dtype = x->dtype;
  std::vector<int64_t> axes;
  const auto dims =
      static_cast<int64_t>(c.arg("normalized_shape").list() == nullptr ? 1 : c.arg("normalized_shape").list()->size());
  for (int64_t i = -dims; i < 0; ++i) axes.push_back(i);
  const double epsilon = dtype == DType::kDouble    ? std::numeric_limits<double>::epsilon()
                         : dtype == DType::kFloat16 ? 0.0009765625
                                                    : static_cast<double>(std::numeric_limits<float>::epsilon());
  Value* wide = dtype == DType::kFloat16 || dtype == DType::kBFloat16 ? b.Cast(x, DType::kFloat) : x;
  Value* mean = b.ReduceMean(b.Mul(wide, wide), axes);
  Value* normal = b.Mul(wide, b.Reciprocal(b.Sqrt(b.Add(mean, c.maybe_number("eps").value_or(epsilon)))));
  normal = b.Cast(normal, dtype);
  Value* weight = c.maybe_tensor("weight");
  return weight == nullptr ? normal : b.Mul(normal, weight);
}

// aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor
Value* weight_norm(Call& c) {
  ir::Builder& b = c.b;
  Value* v = c.tensor("v");
  const int64_t axis = c.integer("dim");
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < c.rank("v"); ++i) {
    if (i != axis) axes.push_back(i);
  }
  return b.Mul(v, b.Div(c.tensor("g"), b.ReduceL2(v, axes)));
}

}  // namespace

void register_normalization(OpTable& t) {
  const std::string running =
      "(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, ";
  t.add("aten::batch_norm" + running + "bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor",
        batch_norm);
  t.add("aten::native_batch_norm" + running + "bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
        native_batch_norm);
  t.add("aten::_native_batch_norm_legit" + running +
            "bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
        native_batch_norm);
  t.add(
      "aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, float "
      "momentum, "
      "float eps) -> (Tensor, Tensor, Tensor)",
      native_batch_norm);
  t.add("aten::_native_batch_norm_legit_functional" + running +
            "bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
        batch_norm_functional);
  t.add("aten::_batch_norm_with_update" + running + "float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor)",
        batch_norm_functional);
  t.add("aten::_batch_norm_with_update_functional" + running +
            "float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)",
        batch_norm_functional);
  t.add("aten::_batch_norm_no_update" + running + "float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor)",
        [](Call& c) {
          ir::Values results = native_batch_norm(c);
          results.push_back(c.b.constant(ir::Tensor::filled(DType::kUInt8, {0}, 0)));
          return results;
        });
  t.add(
      "aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, "
      "Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
      native_batch_norm);
  t.add("aten::instance_norm" + running +
            "bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor",
        instance_norm);
  const std::string layered = "(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, ";
  t.add("aten::layer_norm" + layered + "float eps=1e-05, bool cudnn_enable=True) -> Tensor", layer_norm);
  t.add(
      "aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> "
      "(Tensor, Tensor, Tensor)",
      native_layer_norm);
  t.add(
      "aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, "
      "bool cudnn_enabled=True) -> Tensor",
      group_norm);
  t.add(
      "aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, int group, "
      "float eps) -> (Tensor, Tensor, Tensor)",
      native_group_norm);
  t.add("aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor",
        rms_norm);
  t.add("aten::_weight_norm_interface(Tensor v, Tensor g, int dim=0) -> (Tensor, Tensor)", [](Call& c) -> ir::Values {
    return {weight_norm(c), c.tensor("g")};
  });
  t.add("aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor", weight_norm);
}

}  // namespace onward::importer::torch
