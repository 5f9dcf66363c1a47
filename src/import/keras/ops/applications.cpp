// Layers that keras.applications defines for its own architectures: ConvNeXt, Inception-ResNet.
//
// An .h5 names no module, so a class of the same name may be somebody else's there: its config tells.
#include "import/keras/context.h"
#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

using ir::Value;

// LayerScale(init_values, projection_dim): over the last axis
ir::Values layer_scale(Context& ctx) {
  ctx.require(ctx.config.contains("projection_dim"), "LayerScale is a custom layer: Keras' own has a projection_dim");
  return {ctx.b.Mul(ctx.b.Cast(ctx.x(), ctx.compute_dtype()), ctx.weight("gamma"))};
}

std::vector<Variable> layer_scale_variables(const Layer& /*layer*/) { return {{"gamma"}}; }

// StochasticDepth(drop_path_rate): acts only in training
ir::Values stochastic_depth(Context& ctx) {
  ctx.require(ctx.config.contains("drop_path_rate"),
              "StochasticDepth is a custom layer: Keras' own has a drop_path_rate");
  return {ctx.x()};
}

// CustomScaleLayer(scale): inputs[0] + inputs[1] * scale
ir::Values scaled_sum(Context& ctx) {
  ctx.require(ctx.config.contains("scale") && ctx.inputs().size() == 2,
              "CustomScaleLayer is a custom layer: Keras' own has a scale and two inputs");
  const ir::Values inputs = ctx.inputs();
  return {ctx.b.Add(inputs[0], ctx.b.Mul(inputs[1], ctx.config.at("scale").as_double()))};
}

}  // namespace

void register_applications(OpTable& table) {
  table.add("LayerScale", {layer_scale, layer_scale_variables});
  table.add("StochasticDepth", {stochastic_depth});
  table.add("CustomScaleLayer", {scaled_sum});
}

}  // namespace onward::importer::keras
