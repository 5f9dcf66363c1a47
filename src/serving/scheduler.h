// Runs requests of all models within one CPU budget.
//
// Each model has a queue. As many runs go on at once as there are CPUs; when one ends, the model that had the least
// time so far goes next, so a slow model can't starve a fast one. Whatever waits for a model by then is one batch, as
// far as its shapes allow. A request to a model that takes next to no time runs at once in the caller's thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.h"
#include "ir/tensor.h"
#include "serving/cancellation.h"
#include "serving/deadlines.h"
#include "serving/gate.h"
#include "serving/model.h"

namespace onward::serving {

struct Outcome {
  std::vector<ir::Tensor> outputs;
  std::optional<Error> error;
  Timing timing;
};

struct Job {
  std::shared_ptr<const Model> model;
  std::vector<ir::Tensor> inputs;              // in the model's order
  std::vector<size_t> outputs;                 // indices; empty for all
  int priority = 0;                            // 1 is the highest; 0 the model's own
  std::optional<Clock::time_point> deadline;   // waiting and running end then
  std::shared_ptr<Cancellation> cancellation;  // may be null
  // Called exactly once, from any thread, possibly before submit() returns. Must not throw.
  std::function<void(Outcome)> done;
};

struct SchedulerOptions {
  int executors = 0;  // 0: the CPU budget
  // A request whose model takes less runs in the caller's thread; 0: never.
  Clock::duration inline_limit = std::chrono::microseconds(100);
  // A batch is not made larger than what runs about this long.
  Clock::duration batch_time = std::chrono::milliseconds(10);
};

class Scheduler {
 public:
  explicit Scheduler(const SchedulerOptions& options = {});
  // Waits for the running jobs; queued ones end with Error(kUnavailable).
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Checks the inputs, then queues or runs the job. A refusal (wrong input, full queue: kResourceExhausted, deadline
  // passed) arrives through `done` as well.
  void submit(Job job);

  // The outcome of a job that is so small that waiting for a thread would take longer than running it here, while
  // there is a CPU for it; nothing where it has to be submitted. `done` is not called.
  std::optional<Outcome> run_now(const Job& job);

  // submit() and wait.
  Outcome run(Job job);

  // Jobs queued or running now.
  size_t in_flight() const;

 private:
  struct Waiting {
    Job job;
    Clock::time_point since;
  };
  struct Queue {
    std::shared_ptr<const Model> model;  // null while idle: a replaced model is not kept here
    std::map<int, std::deque<Waiting>> by_priority;
    size_t waiting = 0;
    size_t running = 0;
    Clock::duration used{};  // weighs who goes next
    Clock::time_point last_submit;
  };
  using Batch = std::vector<Waiting>;

  void work();
  bool fits_inline(const Job& job) const;
  void enqueue(Job job);
  // The queue whose turn it is, or null; `wake` becomes the time to look again.
  Queue* next_queue(Clock::time_point now, Clock::time_point& wake);
  Batch take_batch(Queue& queue, Clock::time_point now, Batch& dropped);
  void execute(Batch batch);
  void run_alone(const Waiting& waiting, Clock::time_point start);
  // False, and nothing answered, when the batch can't be run as one.
  bool run_together(const Batch& batch, Clock::time_point start);
  void remove_cancelled(const Model* model);
  void forget_idle(Clock::time_point now);

  SchedulerOptions options_;
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();  // for cancellations, which clients may hold longer
  Deadlines deadlines_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<const Model*, Queue> queues_;
  std::atomic<size_t> in_flight_{0};
  std::atomic<size_t> busy_{0};  // runs going on
  std::atomic<size_t> waiting_{0};
  Clock::duration least_used_{};
  bool stopping_ = false;
  std::vector<std::thread> executors_;
};

}  // namespace onward::serving
