#include "serving/statistics.h"

namespace onward::serving {

void Histogram::add(Clock::duration duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  ns_.fetch_add(static_cast<uint64_t>(std::chrono::nanoseconds(duration).count()), std::memory_order_relaxed);
}

uint64_t Histogram::cumulative(size_t bucket) const {
  uint64_t total = 0;
  for (size_t i = 0; i <= bucket && i < counts_.size(); ++i) total += counts_[i].load(std::memory_order_relaxed);
  return total;
}

void Statistics::add_batch(size_t rows, Clock::duration input, Clock::duration infer, Clock::duration output) {
  const auto ns = [](Clock::duration duration) {
    return static_cast<uint64_t>(std::chrono::nanoseconds(duration).count());
  };
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  last_inference_ms.store(std::chrono::duration_cast<std::chrono::milliseconds>(now).count(),
                          std::memory_order_relaxed);
  executions.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  BatchCounts& counts = batches_[rows];
  ++counts.executions;
  counts.input_ns += ns(input);
  counts.infer_ns += ns(infer);
  counts.output_ns += ns(output);
}

std::map<size_t, BatchCounts> Statistics::batches() const {
  const std::lock_guard lock(mutex_);
  return batches_;
}

}  // namespace onward::serving
