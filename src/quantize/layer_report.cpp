#include "quantize/layer_report.h"

#include <algorithm>
#include <set>

#include "ir/clone.h"
#include "quantize/probe.h"

namespace onward::quantize {
namespace {

std::map<std::string, Difference> differences(const Workbench& bench, const ir::Model& quantized,
                                              const std::vector<std::string>& names) {
  const std::vector<ir::Tensor> inputs = bench.samples().inputs(0);
  std::map<std::string, Difference> result;
  visit_pairs(Probe(bench.model(), names, bench.host()), inputs, Probe(quantized, names, bench.host()), inputs,
              [&](const std::string& name, const ir::Tensor& expected, const ir::Tensor& got) {
                if (expected.count() == got.count()) result[name].add(expected, got);
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

std::map<std::string, std::string> result_names(const Workbench& bench) {
  std::map<std::string, std::string> names;
  for (const Layer& layer : bench.layers()) names.emplace(layer.name(), result_of(*layer.node)->name);
  return names;
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
    const auto result = results.find(layer.name);
    if (result == results.end()) continue;
    layer.milliseconds_before = time_of(times_before, layer.name, result->second);
    layer.milliseconds_after = time_of(times_after, layer.name, result->second);
  }
}

}  // namespace

void list_layers(const Workbench& bench, const Recipe& recipe, Report& report) {
  std::set<std::string> listed;
  for (const Layer& layer : bench.layers()) {
    const auto plan = recipe.layers.find(layer.name());
    if (plan == recipe.layers.end() || !listed.insert(layer.name()).second) continue;
    LayerReport one;
    one.name = layer.name();
    one.op = layer.node->op_type;
    one.form = form_name(plan->second.form, recipe.blocks.bits);
    one.reason = plan->second.reason;
    one.weights = layer.weight().count();
    report.layers.push_back(std::move(one));
  }
}

void measure_layers(const Workbench& bench, const ir::Model& quantized, Report& report) {
  const std::map<std::string, std::string> results = result_names(bench);
  std::vector<std::string> names;
  for (const LayerReport& layer : report.layers) {
    if (const auto result = results.find(layer.name); result != results.end() && layer.weights > 0)
      names.push_back(result->second);
  }
  if (names.empty() || bench.samples().count == 0) return;
  const auto measured = differences(bench, quantized, names);
  for (LayerReport& layer : report.layers) {
    const auto result = results.find(layer.name);
    const auto found = result == results.end() ? measured.end() : measured.find(result->second);
    if (found != measured.end()) layer.sqnr = found->second.sqnr();
  }
  time_layers(bench, results, quantized, report);
}

}  // namespace onward::quantize
