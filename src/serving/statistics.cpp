#include "serving/statistics.h"

#include <algorithm>
#include <ctime>

namespace onward::serving {
namespace {

uint64_t ns(Clock::duration duration) { return static_cast<uint64_t>(std::chrono::nanoseconds(duration).count()); }

void add(std::atomic<uint64_t>& counter, uint64_t value) {
  if (value != 0) counter.fetch_add(value, std::memory_order_relaxed);
}

// Since the Unix epoch, a few ms late: the exact time costs more than the counting.
int64_t wall_clock_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

size_t bucket_of(Clock::duration duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  size_t bucket = 0;
  while (bucket < kLatencyBounds.size() && seconds > kLatencyBounds[bucket]) ++bucket;
  return bucket;
}

}  // namespace

Statistics::Part& Statistics::part() {
  static std::atomic<size_t> threads{0};
  thread_local const size_t index = threads.fetch_add(1, std::memory_order_relaxed) % kParts;
  return parts_[index];
}

void Statistics::add_success(Clock::duration whole, const Timing& timing, size_t rows) {
  Part& mine = part();
  add(mine.success, 1);
  add(mine.success_ns, ns(whole));
  add(mine.queue_ns, ns(timing.queue));
  add(mine.input_ns, ns(timing.input));
  add(mine.infer_ns, ns(timing.infer));
  add(mine.output_ns, ns(timing.output));
  add(mine.inferences, rows);
  add(mine.latency[bucket_of(whole)], 1);
}

void Statistics::add_failure(Clock::duration whole, Code code) {
  Part& mine = part();
  add(mine.fail, 1);
  add(mine.fail_ns, ns(whole));
  if (code == Code::kCancelled) add(mine.cancelled, 1);
  if (code == Code::kResourceExhausted) add(mine.rejected, 1);
}

void Statistics::add_batch(size_t rows, const Timing& timing) {
  Part& mine = part();
  mine.last_inference_ms.store(wall_clock_ms(), std::memory_order_relaxed);
  if (rows == 1 && timing.input.count() == 0 && timing.output.count() == 0) {
    add(mine.alone, 1);
    add(mine.alone_ns, ns(timing.infer));
    return;
  }
  const std::lock_guard lock(mutex_);
  BatchCounts& counts = batches_[rows];
  ++counts.executions;
  counts.input_ns += ns(timing.input);
  counts.infer_ns += ns(timing.infer);
  counts.output_ns += ns(timing.output);
}

Totals Statistics::totals() const {
  Totals totals;
  {
    const std::lock_guard lock(mutex_);
    totals.batches = batches_;
  }
  BatchCounts alone = totals.batches[1];
  for (const Part& part : parts_) {
    totals.success.count += part.success;
    totals.success.ns += part.success_ns;
    totals.fail.count += part.fail;
    totals.fail.ns += part.fail_ns;
    totals.queue.ns += part.queue_ns;
    totals.compute_input.ns += part.input_ns;
    totals.compute_infer.ns += part.infer_ns;
    totals.compute_output.ns += part.output_ns;
    totals.inferences += part.inferences;
    totals.rejected += part.rejected;
    totals.cancelled += part.cancelled;
    totals.last_inference_ms = std::max(totals.last_inference_ms, part.last_inference_ms.load());
    for (size_t i = 0; i < totals.latency.size(); ++i) totals.latency[i] += part.latency[i];
    alone.executions += part.alone;
    alone.infer_ns += part.alone_ns;
  }
  // Every request that succeeded went through all stages.
  for (DurationSum* stage : {&totals.queue, &totals.compute_input, &totals.compute_infer, &totals.compute_output}) {
    stage->count = totals.success.count;
  }
  totals.batches.erase(1);
  if (alone.executions > 0) totals.batches[1] = alone;
  for (const auto& [rows, counts] : totals.batches) totals.executions += counts.executions;
  return totals;
}

}  // namespace onward::serving
