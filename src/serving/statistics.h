// What a model version did so far. Counters may be added to and read at any time from any thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>

#include "base/error.h"

namespace onward::serving {

using Clock = std::chrono::steady_clock;

// Where a request's time went.
struct Timing {
  Clock::duration queue{};
  Clock::duration input{};   // putting the batch together
  Clock::duration infer{};   // Session::run
  Clock::duration output{};  // taking it apart
};

struct DurationSum {
  uint64_t count = 0;
  uint64_t ns = 0;
};

struct BatchCounts {
  uint64_t executions = 0;
  uint64_t input_ns = 0;
  uint64_t infer_ns = 0;
  uint64_t output_ns = 0;
};

// The upper ends, in seconds, of the buckets that whole requests' times are counted in; one more has no end.
inline constexpr std::array<double, 14> kLatencyBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                          0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};

struct Totals {
  DurationSum success;
  DurationSum fail;
  DurationSum queue;
  DurationSum compute_input;
  DurationSum compute_infer;
  DurationSum compute_output;
  uint64_t inferences = 0;  // rows
  uint64_t executions = 0;  // runs of the session
  uint64_t rejected = 0;    // queue full
  uint64_t cancelled = 0;
  int64_t last_inference_ms = 0;                              // since the Unix epoch; 0: never
  std::array<uint64_t, kLatencyBounds.size() + 1> latency{};  // successful requests by bucket
  std::map<size_t, BatchCounts> batches;                      // by rows
};

class Statistics {
 public:
  void add_success(Clock::duration whole, const Timing& timing, size_t rows);
  void add_failure(Clock::duration whole, Code code);
  // A run of the session.
  void add_batch(size_t rows, const Timing& timing);

  Totals totals() const;

  std::atomic<int64_t> pending{0};  // queued now

 private:
  // Threads count apart, so that they don't take each other's cache lines.
  struct alignas(64) Part {
    std::atomic<uint64_t> success{0};
    std::atomic<uint64_t> success_ns{0};
    std::atomic<uint64_t> infer_ns{0};
    std::atomic<uint64_t> inferences{0};
    std::atomic<uint64_t> alone{0};  // runs of a single row
    std::atomic<uint64_t> alone_ns{0};
    std::atomic<int64_t> last_inference_ms{0};
    std::atomic<uint64_t> queue_ns{0};
    std::array<std::atomic<uint64_t>, kLatencyBounds.size() + 1> latency{};
    std::atomic<uint64_t> input_ns{0};
    std::atomic<uint64_t> output_ns{0};
    std::atomic<uint64_t> fail{0};
    std::atomic<uint64_t> fail_ns{0};
    std::atomic<uint64_t> rejected{0};
    std::atomic<uint64_t> cancelled{0};
  };
  static constexpr size_t kParts = 8;

  Part& part();

  std::array<Part, kParts> parts_;
  mutable std::mutex mutex_;
  std::map<size_t, BatchCounts> batches_;  // of several rows
};

}  // namespace onward::serving
