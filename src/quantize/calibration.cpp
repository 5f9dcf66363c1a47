#include "quantize/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.h"
#include "quantize/probe.h"

namespace onward::quantize {
namespace {

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
