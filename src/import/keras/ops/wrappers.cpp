// TimeDistributed, SpectralNormalization, Wrapper, Pipeline: layers that call other layers.
#include "import/keras/context.h"
#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

using ir::Value;

std::vector<Child> wrapped(const Layer& layer) { return {{"layer", read_layer(layer.config.at("layer"))}}; }

// TimeDistributed(layer): the layer on every step, the steps as part of the batch
ir::Values time_distributed(Context& ctx) {
  ir::Builder& b = ctx.b;
  const Layer inner = read_layer(ctx.config.at("layer"));
  ir::Values inputs = ctx.inputs();
  ctx.require(!inputs.empty(), "has no input");
  Value* lead = b.op("Shape", {inputs.front()}, {{"end", 2}});
  Value* mask = ctx.mask();
  for (Value*& x : inputs) {
    ctx.require(x->rank() >= 2, "needs an axis of steps");
    Value* rest = b.op("Shape", {x}, {{"start", 2}});
    // [batch, steps, …] → [batch · steps, …]; known sizes stay known.
    ir::Values shape{b.ints({-1}), rest};
    x = b.Reshape(x, b.Concat(shape, 0));
  }
  ir::Values outputs = ctx.apply(inner, "layer", inputs);
  for (Value*& y : outputs) {
    if (is_untranslated(y)) continue;
    y = b.Reshape(y, b.Concat({lead, b.op("Shape", {y}, {{"start", 1}})}, 0));
    ctx.set_mask(y, mask);
  }
  return outputs;
}

// SpectralNormalization(layer): the kernel in the file is the normalized one
ir::Values call_wrapped(Context& ctx) { return ctx.apply(read_layer(ctx.config.at("layer")), "layer", ctx.inputs()); }

std::vector<Variable> spectral_variables(const Layer&) { return {{"vector_u", false}}; }

// Pipeline(layers)
std::vector<Child> members(const Layer& layer) {
  std::vector<Child> children;
  NameCounter names;
  for (const Json& json : layer.config.at("layers").as_array()) {
    Layer inner = read_layer(json);
    const std::string name = names.next(inner.class_name);
    children.push_back({"layers/" + name, std::move(inner)});
  }
  return children;
}

ir::Values pipeline(Context& ctx) {
  ir::Values values = ctx.inputs();
  for (const Child& child : members(ctx.layer)) values = ctx.apply(child.layer, child.attribute, values);
  return values;
}

}  // namespace

void register_wrappers(OpTable& table) {
  table.add("TimeDistributed", {time_distributed, nullptr, Masking::kOwn, wrapped});
  table.add("SpectralNormalization", {call_wrapped, spectral_variables, Masking::kPassed, wrapped});
  table.add("Wrapper", {call_wrapped, nullptr, Masking::kDropped, wrapped});
  table.add("Pipeline", {pipeline, nullptr, Masking::kDropped, members});
}

}  // namespace onward::importer::keras
