#include "serving/model.h"

#include <algorithm>

#include "serving/batching.h"

namespace onward::serving {
namespace {

// Moves the average towards `value`, by a quarter of itself at most: a run that the system interrupted tells nothing.
void average_in(std::atomic<int64_t>& average, int64_t value) {
  const int64_t before = average.load(std::memory_order_relaxed);
  const int64_t step = std::clamp((value - before) / 8, -before / 4, before / 4 + 1);
  average.store(before == 0 ? value : before + step, std::memory_order_relaxed);
}

}  // namespace

Model::Model(std::string name, int64_t version, runtime::Session session, ModelConfig config)
    : name_(std::move(name)),
      version_(version),
      version_text_(std::to_string(version)),
      session_(std::move(session)),
      config_(std::move(config)) {
  const Probe probe = probe_batching(session_);
  batches_ = config_.max_batch > 1 && (probe.batches || (config_.batch_any_shape && may_batch(session_)));
  if (probe.cost.count() > 0) note_cost(probe.cost, 1);
}

void Model::note_cost(Clock::duration run, size_t rows) const {
  average_in(cost_, run.count());
  average_in(row_cost_, run.count() / static_cast<int64_t>(rows == 0 ? 1 : rows));
}

}  // namespace onward::serving
