// What a model version did so far. Counters may be read at any time from any thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>

namespace onward::serving {

using Clock = std::chrono::steady_clock;

struct DurationSum {
  std::atomic<uint64_t> count{0};
  std::atomic<uint64_t> ns{0};

  void add(Clock::duration duration, uint64_t times = 1) {
    count.fetch_add(times, std::memory_order_relaxed);
    ns.fetch_add(static_cast<uint64_t>(std::chrono::nanoseconds(duration).count()) * times, std::memory_order_relaxed);
  }
};

// Whole-request times in buckets for Prometheus.
class Histogram {
 public:
  static constexpr std::array<double, 14> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                     0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};
  void add(Clock::duration duration);
  // Observations of at most kBounds[bucket] seconds; the last one counts all.
  uint64_t cumulative(size_t bucket) const;
  double sum_seconds() const { return static_cast<double>(ns_.load(std::memory_order_relaxed)) * 1e-9; }

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<uint64_t> ns_{0};
};

struct BatchCounts {
  uint64_t executions = 0;
  uint64_t input_ns = 0;
  uint64_t infer_ns = 0;
  uint64_t output_ns = 0;
};

class Statistics {
 public:
  DurationSum success;
  DurationSum fail;
  DurationSum queue;
  DurationSum compute_input;
  DurationSum compute_infer;
  DurationSum compute_output;
  std::atomic<uint64_t> inferences{0};  // rows
  std::atomic<uint64_t> executions{0};  // runs of the session
  std::atomic<uint64_t> rejected{0};    // queue full
  std::atomic<uint64_t> cancelled{0};
  std::atomic<int64_t> pending{0};            // queued now
  std::atomic<int64_t> last_inference_ms{0};  // since the Unix epoch; 0: never
  Histogram latency;

  void add_batch(size_t rows, Clock::duration input, Clock::duration infer, Clock::duration output);
  std::map<size_t, BatchCounts> batches() const;

 private:
  mutable std::mutex mutex_;
  std::map<size_t, BatchCounts> batches_;
};

}  // namespace onward::serving
