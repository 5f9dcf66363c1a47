// GroupNormalization.
#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/layout.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

// GroupNormalization(groups=32, axis=-1, epsilon=1e-3, center=True, scale=True): groups of -1 means one a channel
ir::Values group_normalization(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = ctx.x();
  const auto rank = static_cast<int64_t>(x->rank());
  int64_t axis = ctx.config.get("axis", -1);
  if (axis < 0) axis += rank;
  ctx.require(axis > 0 && axis < rank, "the axis is out of range");
  const ir::Dim channels = x->dim(static_cast<size_t>(axis));
  ctx.require(channels.is_known(), "needs a known number of channels");
  int64_t groups = ctx.config.get("groups", 32);
  if (groups == -1) groups = channels.value();
  ctx.require(groups <= (1 << 20), "has too many groups");
  ctx.require(groups > 0 && channels.value() % groups == 0, "the channels are no multiple of the groups");
  std::vector<int64_t> perm{0, axis};
  for (int64_t i = 1; i < rank; ++i) {
    if (i != axis) perm.push_back(i);
  }
  std::vector<int64_t> back(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  const ir::DType dtype = x->dtype;
  // Keras normalizes in float32 at least.
  Value* front = b.Cast(b.Transpose(x, perm), dtype == ir::DType::kDouble ? dtype : ir::DType::kFloat);
  const auto filled = [&](double value) { return b.constant(ir::Tensor::filled(front->dtype, {groups}, value)); };
  Value* grouped = b.Reshape(front, {0, groups, -1});
  Value* y =
      b.op("InstanceNormalization", {grouped, filled(1), filled(0)}, {{"epsilon", ctx.config.get("epsilon", 1e-3)}});
  y = b.Reshape(y, b.Shape(front));
  std::vector<int64_t> shape(static_cast<size_t>(rank) - 1, 1);
  shape[0] = channels.value();
  const auto weight = [&](const char* name) { return b.Reshape(b.Cast(ctx.weight(name), y->dtype), shape); };
  if (ctx.config.get("scale", true)) y = b.Mul(y, weight("gamma"));
  if (ctx.config.get("center", true)) y = b.Add(y, weight("beta"));
  return {b.Transpose(b.Cast(y, dtype), back)};
}

std::vector<Variable> variables(const Layer& layer) {
  std::vector<Variable> result;
  if (layer.config.get("scale", true)) result.push_back({"gamma"});
  if (layer.config.get("center", true)) result.push_back({"beta"});
  return result;
}

}  // namespace

void register_group_normalization(OpTable& table) {
  table.add("GroupNormalization", {group_normalization, variables, Masking::kPassed});
}

}  // namespace onward::importer::keras
