#include "quantize/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>

#include "base/error.h"
#include "ir/clone.h"

namespace onward::quantize {
namespace {

using ir::Value;

// What the values of one group may take together.
constexpr size_t kGroupBytes = size_t{128} << 20;
// Of a value whose size is not known before it runs.
constexpr size_t kUnknownBytes = size_t{16} << 20;

size_t expected_bytes(const Value& value) {
  if (!value.shape) return kUnknownBytes;
  size_t count = 4;
  for (const ir::Dim& dim : *value.shape) count *= dim.is_known() ? static_cast<size_t>(dim.value()) : 1;
  return count;
}

// The DequantizeLinear behind a quantized value, or the value.
Value* read_back(Value* value) {
  if (value->uses().size() != 1 || value->uses().front().node == nullptr) return value;
  const ir::Node& quantize = *value->uses().front().node;
  if (!quantize.is("QuantizeLinear") || quantize.output()->uses().empty()) return value;
  const ir::Node* back = quantize.output()->uses().front().node;
  return back != nullptr && back->is("DequantizeLinear") ? back->output() : value;
}

// The values as outputs; a value that is one already through an Identity, since an output has one name.
std::vector<size_t> add_outputs(ir::Graph& graph, const std::vector<std::string>& names, const Host& host,
                                std::vector<std::string>& found) {
  std::unordered_map<std::string, Value*> by_name;
  for (Value& value : graph.values()) {
    if (!value.is_constant()) by_name.emplace(value.name, &value);
  }
  std::vector<size_t> sizes;
  for (const std::string& name : names) {
    const auto entry = by_name.find(name);
    if (entry == by_name.end() || entry->second->kind != ir::Kind::kTensor) continue;
    Value* value = read_back(entry->second);
    sizes.push_back(expected_bytes(*value));
    found.push_back(name);
    ir::Node* copy = graph.add_node("", "Identity", {value}, 1);
    host.inference.infer(*copy);
    graph.add_output(copy->output(), fmt::format("onward watched {}", found.size()));
  }
  return sizes;
}

void watch(Statistics& statistics, const ir::Tensor& tensor, std::optional<int64_t> axis, const std::string& where) {
  // Floats are looked at where they lie.
  const bool in_place = tensor.dtype() == ir::DType::kFloat;
  const std::vector<float> converted = in_place ? std::vector<float>{} : tensor.floats();
  const std::span<const float> values =
      in_place ? std::span(reinterpret_cast<const float*>(tensor.bytes().data()), tensor.count())
               : std::span(converted);
  if (!statistics.values.add(values)) {
    fail_invalid("the float model itself computes NaN or infinity in " + where,
                 "check the samples' value range, or leave the layer out with --exclude");
  }
  if (!axis) return;
  const auto rank = static_cast<int64_t>(tensor.rank());
  const int64_t at = *axis < 0 ? *axis + rank : *axis;
  if (at < 0 || at >= rank) return;
  size_t inner = 1;
  for (int64_t i = at + 1; i < rank; ++i) inner *= static_cast<size_t>(tensor.dims()[static_cast<size_t>(i)]);
  statistics.channels.add(values, static_cast<size_t>(tensor.dims()[static_cast<size_t>(at)]), inner);
}

}  // namespace

Probe::Probe(const ir::Model& model, const std::vector<std::string>& names, const Host& host)
    : model_(ir::clone(model)), first_output_(model.graph->outputs().size()) {
  const std::vector<size_t> sizes = add_outputs(*model_.graph, names, host, names_);
  size_t total = kGroupBytes;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (total + sizes[i] > kGroupBytes) {
      groups_.emplace_back();
      total = 0;
    }
    groups_.back().push_back(i);
    total += sizes[i];
  }
  session_ = host.open(model_);
}

void Probe::run(const std::vector<ir::Tensor>& inputs, const Visit& visit) const {
  for (const std::vector<size_t>& group : groups_) {
    std::vector<size_t> outputs;
    for (const size_t index : group) outputs.push_back(first_output_ + index);
    const std::vector<ir::Tensor> results = session_->run(inputs, outputs);
    for (size_t i = 0; i < group.size(); ++i) visit(names_[group[i]], results[i]);
  }
}

void check_finite(const std::vector<ir::Tensor>& inputs, const std::vector<runtime::ValueInfo>& infos,
                  const std::string& sample) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!ir::is_floating(inputs[i].dtype())) continue;
    const std::vector<float> values = inputs[i].floats();
    const auto bad = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
    if (bad == values.end()) continue;
    fail_invalid(
        fmt::format("{}: input \"{}\" holds {} at element {}", sample, infos[i].name, *bad, bad - values.begin()),
        "calibrate with samples as the model gets them in use; remove or mend this one");
  }
}

std::map<std::string, Statistics> calibrate(const ir::Model& model, const Watched& watched, const Samples& samples,
                                            const Host& host, bool shapes) {
  if (samples.count == 0) fail_invalid("there are no samples to calibrate with", "give --calibration DIR");
  std::vector<std::string> names;
  for (const auto& [name, axis] : watched) names.push_back(name);
  const Probe probe(model, names, host);
  std::map<std::string, Statistics> statistics;
  for (const std::string& name : names) statistics.emplace(name, Statistics{Histogram(shapes), {}});
  for (size_t i = 0; i < samples.count; ++i) {
    probe.run(samples.inputs(i), [&](const std::string& name, const ir::Tensor& tensor) {
      watch(statistics.at(name), tensor, watched.at(name), fmt::format("\"{}\" for {}", name, samples.name(i)));
    });
  }
  return statistics;
}

}  // namespace onward::quantize
