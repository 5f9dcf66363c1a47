#include "import/keras/ops/quantized.h"

#include <set>

namespace onward::importer::keras {
namespace {

std::string mode_of(const Layer& layer) {
  const Json& config = layer.config["dtype"]["config"];
  const std::string mode = config.get("mode", "");
  return mode.empty() ? config.get("name", "") : mode;
}

}  // namespace

using ir::Value;

bool is_quantized(const Layer& layer) {
  if (!layer.config.is_object()) return false;
  const Json& policy = layer.config["dtype"];
  if (!policy.is_object()) return false;
  static const std::set<std::string> kPolicies{"QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "Int4DTypePolicy",
                                               "GPTQDTypePolicy", "AWQDTypePolicy"};
  return kPolicies.contains(policy.get("class_name", ""));
}

Value* quantized_weight(const Context& ctx, const std::string& name) {
  Value* weight = ctx.weight(name);
  if (!is_quantized(ctx.layer)) return weight;
  ctx.require(mode_of(ctx.layer).rfind("int8", 0) == 0 && weight->dtype == ir::DType::kInt8,
              "the quantization \"" + mode_of(ctx.layer) + "\" is not supported", kQuantizedHint);
  return ctx.b.Cast(weight, ctx.compute_dtype());
}

Value* weight_scale(const Context& ctx, const std::string& name) {
  return is_quantized(ctx.layer) ? ctx.weight(name + "_scale") : nullptr;
}

Rounded rounded_input(ir::Builder& b, Value* x, size_t axes) {
  std::vector<int64_t> last;
  for (size_t i = 0; i < axes; ++i) last.push_back(-1 - static_cast<int64_t>(i));
  Value* most = b.ReduceMax(b.Abs(x), last);
  Value* scale = b.Div(b.number_like(127, x), b.Add(most, 1e-7));
  Value* rounded = b.Clip(b.Round(b.Mul(x, scale)), b.number_like(-127, x), b.number_like(127, x));
  return {rounded, b.Squeeze(scale, last)};
}

bool rounds_input(const Layer& layer) {
  if (!is_quantized(layer)) return false;
  const Json& config = layer.config["quantization_config"];
  // Files before Keras 3.12 have no such config; their layers always round.
  return !config.is_object() || !config["config"].contains("activation_quantizer") ||
         !config["config"]["activation_quantizer"].is_null();
}

}  // namespace onward::importer::keras
