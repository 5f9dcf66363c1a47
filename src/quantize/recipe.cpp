#include "quantize/recipe.h"

#include <fmt/format.h>

#include "ir/clone.h"
#include "passes/passes.h"
#include "quantize/dynamic.h"
#include "quantize/qdq_plan.h"

namespace onward::quantize {
namespace {

std::vector<double> importance_of(const Layer& layer, const std::map<std::string, Statistics>& statistics) {
  const ir::Value* input = layer.node->input(0);
  const auto found = input != nullptr ? statistics.find(input->name) : statistics.end();
  return found != statistics.end() ? found->second.channels.squares() : std::vector<double>{};
}

std::string refusal(Form form, const Layer& layer) {
  switch (form) {
    case Form::kInteger:
      if (!layer.node->is("Conv") && !layer.node->is("Gemm") && !layer.node->is("MatMul")) {
        return layer.node->is("ConvTranspose") ? refuse_integers(layer)
                                               : "ONNX Runtime has no integer " + layer.node->op_type;
      }
      return refuse_integers(layer);
    case Form::kDynamic:
      return refuse_dynamic(layer);
    case Form::kBlocks:
      return refuse_blocks(layer);
    default:
      return {};
  }
}

}  // namespace

std::string form_name(Form form, int bits) {
  switch (form) {
    case Form::kInteger:
      return "int8";
    case Form::kDynamic:
      return "dynamic int8";
    case Form::kStored:
      return "int8 weights";
    case Form::kBlocks:
      return fmt::format("{}-bit weights", bits);
    default:
      return "float";
  }
}

ir::Model apply(const Recipe& recipe, const Source& source) {
  ir::Model model = ir::clone(source.model);
  ir::Graph& graph = *model.graph;
  std::map<Form, std::vector<Layer>> layers;
  for (const Layer& layer : find_layers(graph, true)) {
    const auto plan = recipe.layers.find(layer.name());
    if (plan != recipe.layers.end()) layers[plan->second.form].push_back(layer);
  }
  if (!layers[Form::kInteger].empty()) {
    quantize_static(graph, layers[Form::kInteger], source.statistics, recipe.integers);
  }
  // The importance of inputs is looked up by the names that the float model has.
  for (const Layer& layer : layers[Form::kBlocks]) {
    use_blocks(layer, recipe.blocks, importance_of(layer, source.statistics));
  }
  for (const Layer& layer : layers[Form::kStored]) store_int8(layer);
  quantize_dynamic(graph, layers[Form::kDynamic], recipe.integers.weights);
  // Layers that share weights in the float model share what became of them.
  passes::merge_duplicates(graph, source.inference);
  return model;
}

std::map<std::string, LayerPlan> plan_layers(const std::vector<Layer>& layers, Form wanted, const Selection& selection,
                                             bool store, const std::map<std::string, std::string>& keep) {
  std::map<std::string, LayerPlan> plans;
  for (const Layer& layer : layers) {
    LayerPlan& plan = plans[layer.name()];
    if (plan.reason = selection.refusal(*layer.node); !plan.reason.empty()) continue;
    if (layer.weight().count() < kLeastWeights && wanted != Form::kInteger) {
      plan.reason = fmt::format("only {} weights", layer.weight().count());
      continue;
    }
    const auto kept = keep.find(layer.name());
    plan.reason = kept != keep.end() ? kept->second : refusal(wanted, layer);
    if (plan.reason.empty()) {
      plan.form = wanted;
    } else if (store && layer.weight().count() >= kLeastWeights) {
      plan.form = Form::kStored;
      // Weights that no matrix product takes are simply stored.
      if (wanted == Form::kBlocks) plan.reason.clear();
    }
  }
  return plans;
}

}  // namespace onward::quantize
