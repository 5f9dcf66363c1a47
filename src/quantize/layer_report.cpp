#include "quantize/layer_report.h"

#include <algorithm>

#include "ir/clone.h"

namespace onward::quantize {
namespace {

std::map<std::string, Difference> differences(const Workbench& bench, const ir::Model& quantized,
                                              const std::vector<std::string>& names) {
  const std::vector<ir::Tensor> inputs = bench.samples().inputs(0);
  std::map<std::string, ir::Tensor> expected;
  Probe(bench.model(), names, bench.host()).run(inputs, [&](const std::string& name, const ir::Tensor& tensor) {
    expected[name] = tensor;
  });
  std::map<std::string, Difference> result;
  Probe(quantized, names, bench.host()).run(inputs, [&](const std::string& name, const ir::Tensor& tensor) {
    const auto found = expected.find(name);
    if (found == expected.end() || found->second.count() != tensor.count()) return;
    result[name].add(found->second, tensor);
    expected.erase(found);
  });
  return result;
}

// Of a layer's node, or what ONNX Runtime made of it: a convolution that it lays out by blocks of channels is named
// after its result. 0 where the layer was fused into another node.
double time_of(const std::map<std::string, double>& times, const std::string& layer, const std::string& result) {
  for (const std::string& name : {layer, result + "_nchwc"}) {
    if (const auto found = times.find(name); found != times.end()) return found->second;
  }
  return 0;
}

// `results`: the name of each layer's result by the layer's own.
void time_layers(const Workbench& bench, const std::map<std::string, std::string>& results, const ir::Model& quantized,
                 Report& report) {
  if (!bench.host().node_times) return;
  const std::vector<ir::Tensor> inputs = bench.samples().inputs(0);
  ir::Model before = ir::clone(bench.model());
  ir::Model after = ir::clone(quantized);
  const std::map<std::string, double> times_before = bench.host().node_times(before, inputs);
  const std::map<std::string, double> times_after = bench.host().node_times(after, inputs);
  for (LayerReport& layer : report.layers) {
    layer.milliseconds_before = time_of(times_before, layer.name, results.at(layer.name));
    layer.milliseconds_after = time_of(times_after, layer.name, results.at(layer.name));
  }
}

}  // namespace

void describe_layers(const Workbench& bench, const Recipe& recipe, const ir::Model& quantized, Report& report) {
  std::map<std::string, std::string> results;
  std::vector<std::string> names;
  for (const Layer& layer : bench.layers()) {
    const auto plan = recipe.layers.find(layer.name());
    const bool known = results.contains(layer.name());
    if (plan == recipe.layers.end() || known) continue;
    results[layer.name()] = result_of(*layer.node)->name;
    names.push_back(results[layer.name()]);
    LayerReport one;
    one.name = layer.name();
    one.op = layer.node->op_type;
    one.form = form_name(plan->second.form, recipe.blocks.bits);
    one.reason = plan->second.reason;
    one.weights = layer.weight().count();
    report.layers.push_back(std::move(one));
  }
  if (names.empty() || bench.samples().count == 0) return;
  const auto measured = differences(bench, quantized, names);
  for (LayerReport& layer : report.layers) {
    const auto found = measured.find(results[layer.name]);
    if (found != measured.end()) layer.sqnr = found->second.sqnr();
  }
  time_layers(bench, results, quantized, report);
}

}  // namespace onward::quantize
