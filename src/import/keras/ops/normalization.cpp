// BatchNormalization, LayerNormalization, RMSNormalization, UnitNormalization.
#include <algorithm>

#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/layout.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

int64_t single_axis(const Context& ctx, size_t rank) {
  const Json& given = ctx.config["axis"];
  int64_t axis = given.is_null() ? -1 : given.is_array() ? given.at(size_t{0}).as_int() : given.as_int();
  if (axis < 0) axis += static_cast<int64_t>(rank);
  ctx.require(axis > 0 && axis < static_cast<int64_t>(rank), "the axis is out of range");
  return axis;
}

constexpr int64_t kMostWeights = 1 << 24;

Value* filled_like(Builder& b, const ir::Tensor& like, double value) {
  return b.constant(ir::Tensor::filled(like.dtype(), like.dims(), value));
}

// BatchNormalization(axis=-1, epsilon=1e-3, center=True, scale=True), at inference
ir::Values batch_normalization(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = ctx.x();
  const size_t rank = x->rank();
  const int64_t axis = single_axis(ctx, rank);
  const ir::Tensor& mean = ctx.weight_tensor("moving_mean");
  Value* scale = ctx.config.get("scale", true) ? ctx.weight("gamma") : filled_like(b, mean, 1);
  Value* offset = ctx.config.get("center", true) ? ctx.weight("beta") : filled_like(b, mean, 0);
  const auto normalize = [&](Value* value) {
    return b.op("BatchNormalization", {value, scale, offset, ctx.weight("moving_mean"), ctx.weight("moving_variance")},
                {{"epsilon", ctx.config.get("epsilon", 1e-3)}});
  };
  if (axis == 1) return {normalize(x)};
  if (axis == static_cast<int64_t>(rank) - 1) return {in_nchw(b, x, false, normalize)};
  std::vector<int64_t> swap;
  for (size_t i = 0; i < rank; ++i) swap.push_back(static_cast<int64_t>(i));
  std::swap(swap[1], swap[static_cast<size_t>(axis)]);
  return {b.Transpose(normalize(b.Transpose(x, swap)), swap)};
}

std::vector<Variable> batch_variables(const Layer& layer) {
  std::vector<Variable> variables;
  if (layer.config.get("scale", true)) variables.push_back({"gamma"});
  if (layer.config.get("center", true)) variables.push_back({"beta"});
  variables.push_back({"moving_mean", false});
  variables.push_back({"moving_variance", false});
  return variables;
}

std::vector<int64_t> sorted_axes(const Context& ctx, size_t rank) {
  const Json& given = ctx.config["axis"];
  std::vector<int64_t> axes = given.is_null()    ? std::vector<int64_t>{-1}
                              : given.is_array() ? given.as_ints()
                                                 : std::vector<int64_t>{given.as_int()};
  for (int64_t& axis : axes) {
    if (axis < 0) axis += static_cast<int64_t>(rank);
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

// A weight over `axes` of a rank `rank` tensor, shaped to broadcast.
Value* broadcast_weight(Builder& b, Value* weight, const std::vector<int64_t>& axes, size_t rank) {
  std::vector<int64_t> shape(rank, 1);
  for (size_t i = 0; i < axes.size() && i < weight->rank(); ++i) {
    shape[static_cast<size_t>(axes[i])] = weight->dim(i).value();
  }
  return b.Reshape(weight, shape);
}

// LayerNormalization(axis=-1, epsilon=1e-3, center=True, scale=True, rms_scaling=False)
ir::Values layer_normalization(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = ctx.x();
  const size_t rank = x->rank();
  const std::vector<int64_t> axes = sorted_axes(ctx, rank);
  const double epsilon = ctx.config.get("epsilon", 1e-3);
  const bool scaled = ctx.config.get("scale", true) || ctx.config.get("rms_scaling", false);
  Value* scale = scaled ? ctx.weight("gamma") : nullptr;
  Value* offset =
      ctx.config.get("center", true) && !ctx.config.get("rms_scaling", false) ? ctx.weight("beta") : nullptr;
  bool trailing = !ctx.config.get("rms_scaling", false);
  for (size_t i = 0; i < axes.size(); ++i) {
    trailing = trailing && axes[i] == static_cast<int64_t>(rank - axes.size() + i);
  }
  if (trailing && (scale != nullptr || offset == nullptr)) {
    if (scale == nullptr) {
      ir::Dims dims;
      int64_t count = 1;
      for (const int64_t axis : axes) {
        dims.push_back(x->dim(static_cast<size_t>(axis)).value());
        ctx.require(dims.back() > 0 && dims.back() <= kMostWeights / count, "the normalized axes are too large");
        count *= dims.back();
      }
      scale = b.constant(ir::Tensor::filled(x->dtype, dims, 1));
    }
    return {b.op("LayerNormalization", {x, scale, offset}, {{"axis", axes.front()}, {"epsilon", epsilon}})};
  }
  Value* y = nullptr;
  if (ctx.config.get("rms_scaling", false)) {
    // Keras scales by the variance here, not by the mean square.
    Value* centred = b.Sub(x, b.ReduceMean(x, axes));
    Value* variance = b.ReduceMean(b.Mul(centred, centred), axes);
    y = b.Div(x, b.Sqrt(b.Add(variance, epsilon)));
  } else {
    Value* centred = b.Sub(x, b.ReduceMean(x, axes));
    Value* variance = b.ReduceMean(b.Mul(centred, centred), axes);
    y = b.Div(centred, b.Sqrt(b.Add(variance, epsilon)));
  }
  if (scale != nullptr) y = b.Mul(y, broadcast_weight(b, scale, axes, rank));
  return {offset != nullptr ? b.Add(y, broadcast_weight(b, offset, axes, rank)) : y};
}

std::vector<Variable> layer_variables(const Layer& layer) {
  const bool rms = layer.config.get("rms_scaling", false);
  std::vector<Variable> variables;
  if (layer.config.get("scale", true) || rms) variables.push_back({"gamma"});
  if (layer.config.get("center", true) && !rms) variables.push_back({"beta"});
  return variables;
}

// RMSNormalization(axis=-1, epsilon=1e-6)
ir::Values rms_normalization(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = ctx.x();
  const std::vector<int64_t> axes = sorted_axes(ctx, x->rank());
  Value* mean_square = b.ReduceMean(b.Mul(x, x), axes);
  Value* y = b.Div(x, b.Sqrt(b.Add(mean_square, ctx.config.get("epsilon", 1e-6))));
  return {b.Mul(y, broadcast_weight(b, ctx.weight("scale"), axes, x->rank()))};
}

std::vector<Variable> rms_variables(const Layer&) { return {{"scale"}}; }

// UnitNormalization(axis=-1): x / max(‖x‖₂, √1e-12)
ir::Values unit_normalization(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = ctx.x();
  Value* square = b.ReduceSumSquare(x, sorted_axes(ctx, x->rank()));
  return {b.Div(x, b.Sqrt(b.Max(square, 1e-12)))};
}

}  // namespace

void register_normalization(OpTable& table) {
  for (const char* name : {"BatchNormalization", "BatchNormalizationV1", "SyncBatchNormalization"}) {
    table.add(name, {batch_normalization, batch_variables, Masking::kPassed});
  }
  table.add("LayerNormalization", {layer_normalization, layer_variables, Masking::kPassed});
  table.add("RMSNormalization", {rms_normalization, rms_variables, Masking::kPassed});
  table.add("UnitNormalization", {unit_normalization, nullptr, Masking::kPassed});
}

}  // namespace onward::importer::keras
