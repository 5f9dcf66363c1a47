#include "serving/model.h"

#include <algorithm>

#include "base/error.h"
#include "serving/batching.h"

namespace onward::serving {
namespace {

// Moves the average towards `value`, by a quarter of itself at most: a run that the system interrupted tells nothing.
void average_in(std::atomic<int64_t>& average, int64_t value) {
  const int64_t before = average.load(std::memory_order_relaxed);
  const int64_t step = std::clamp((value - before) / 8, -before / 4, before / 4 + 1);
  average.store(before == 0 ? value : before + step, std::memory_order_relaxed);
}

void check_outputs(const runtime::Session& session, const ModelConfig& config) {
  for (const auto& [name, classes] : config.classes) {
    const auto& outputs = session.outputs();
    const auto known = [&name = name](const runtime::ValueInfo& output) { return output.name == name; };
    if (std::any_of(outputs.begin(), outputs.end(), known)) continue;
    std::string names;
    for (const runtime::ValueInfo& output : outputs) names += (names.empty() ? "\"" : ", \"") + output.name + "\"";
    fail_invalid("model.yaml names classes of \"" + name + "\", which is no output of the model",
                 "its outputs are " + names);
  }
}

}  // namespace

Model::Model(std::string name, int64_t version, runtime::Session session, ModelConfig config)
    : name_(std::move(name)),
      version_(version),
      version_text_(std::to_string(version)),
      session_(std::move(session)),
      config_(std::move(config)) {
  check_outputs(session_, config_);
  const Probe probe = probe_batching(session_);
  batches_ = config_.max_batch > 1 && (probe.batches || (config_.batch_any_shape && may_batch(session_)));
  if (probe.cost.count() > 0) note_cost(probe.cost, 1);
}

void Model::note_cost(Clock::duration run, size_t rows) const {
  average_in(cost_, run.count());
  average_in(row_cost_, run.count() / static_cast<int64_t>(rows == 0 ? 1 : rows));
}

}  // namespace onward::serving
