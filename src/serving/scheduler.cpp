#include "serving/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "runtime/cpu_budget.h"
#include "serving/batching.h"

namespace onward::serving {
namespace {

constexpr int kMiddlePriority = 100;
constexpr size_t kInlineBytes = 64 * 1024;
// A model that takes longer than this may not hold every executor while others are in use.
constexpr Clock::duration kLongRun = std::chrono::milliseconds(5);
constexpr Clock::duration kRecently = std::chrono::seconds(1);

int effective_priority(const Job& job) {
  const int given = job.priority != 0 ? job.priority : job.model->config().priority;
  return given != 0 ? given : kMiddlePriority;
}

size_t rows(const Job& job) {
  if (!job.model->batches() || job.inputs.empty() || job.inputs.front().rank() == 0) return 1;
  return static_cast<size_t>(job.inputs.front().dims().front());
}

void record(const Job& job, const Outcome& outcome, Clock::duration whole) {
  if (outcome.error) {
    job.model->statistics().add_failure(whole, outcome.error->code());
  } else {
    job.model->statistics().add_success(whole, outcome.timing, rows(job));
  }
}

void finish(const Job& job, Outcome outcome, Clock::time_point since) {
  record(job, outcome, Clock::now() - since);
  job.done(std::move(outcome));
}

void finish_with(const Job& job, Error error, Clock::time_point since) {
  Outcome outcome;
  outcome.error = std::move(error);
  finish(job, std::move(outcome), since);
}

Error refused(const Job& job, size_t waiting) {
  return Error(Code::kResourceExhausted,
               fmt::format("model \"{}\" has {} requests waiting, as many as it may", job.model->name(), waiting),
               "try again later, or raise max_queue");
}

void check_inputs(const Job& job) {
  const runtime::Session& session = job.model->session();
  if (job.inputs.size() != session.inputs().size()) {
    fail_invalid(fmt::format("model \"{}\" has {} inputs, {} were given", job.model->name(), session.inputs().size(),
                             job.inputs.size()));
  }
  for (size_t i = 0; i < job.inputs.size(); ++i) session.check_input(i, job.inputs[i]);
  if (!job.model->batches()) return;
  for (const ir::Tensor& input : job.inputs) {
    if (input.dims()[0] != job.inputs.front().dims()[0]) {
      fail_invalid(
          fmt::format("the inputs' first dimensions differ: {} and {}", job.inputs.front().dims()[0], input.dims()[0]));
    }
  }
}

std::optional<Error> refusal_of(const Job& job, Clock::time_point now) {
  try {
    check_inputs(job);
  } catch (const Error& error) {
    return error;
  }
  if (!job.deadline || *job.deadline > now) return std::nullopt;
  return Error(Code::kDeadlineExceeded, "the deadline passed before the request was queued");
}

// Runs a job that began at `begin` after it was queued for that long.
Outcome run_one(const Job& job, Cancellation* cancellation, Clock::time_point begin, Clock::duration queued) {
  const Model& model = *job.model;
  Outcome outcome;
  outcome.timing.queue = queued;
  if (cancellation != nullptr) outcome.error = cancellation->error();
  if (outcome.error) return outcome;
  const Stoppable stoppable(cancellation);
  try {
    outcome.outputs = model.session().run(job.inputs, job.outputs, stoppable.control());
    outcome.timing.infer = Clock::now() - begin;
    model.note_cost(outcome.timing.infer, rows(job));
    model.statistics().add_batch(rows(job), {.infer = outcome.timing.infer});
  } catch (const Error& error) {
    const bool stopped = error.code() == Code::kCancelled && cancellation != nullptr;
    outcome.error = stopped ? cancellation->error().value_or(error) : error;
  }
  return outcome;
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options) : options_(options) {
  if (options_.executors <= 0) options_.executors = runtime::cpu_budget();
  for (int i = 0; i < options_.executors; ++i) executors_.emplace_back([this] { work(); });
}

Scheduler::~Scheduler() {
  std::vector<Waiting> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& [model, queue] : queues_) {
      for (auto& [priority, jobs] : queue.by_priority) std::move(jobs.begin(), jobs.end(), std::back_inserter(left));
      queue.by_priority.clear();
      queue.waiting = 0;
    }
  }
  wake_.notify_all();
  for (std::thread& executor : executors_) executor.join();
  for (const Waiting& waiting : left) {
    finish_with(waiting.job, Error(Code::kUnavailable, "the server is stopping"), waiting.since);
  }
  gate_->close();
}

size_t Scheduler::in_flight() const { return in_flight_.load(); }

bool Scheduler::fits_inline(const Job& job) const {
  const Clock::duration cost = job.model->cost();
  if (cost.count() == 0 || cost > options_.inline_limit || job.model->config().max_delay_us > 0) return false;
  if (waiting_.load(std::memory_order_relaxed) > 0) return false;
  if (busy_.load(std::memory_order_relaxed) >= executors_.size()) return false;
  size_t bytes = 0;
  for (const ir::Tensor& input : job.inputs) bytes += input.bytes().size();
  return bytes <= kInlineBytes;
}

std::optional<Outcome> Scheduler::run_now(const Job& job) {
  if (!fits_inline(job)) return std::nullopt;
  const auto now = Clock::now();
  Outcome outcome;
  outcome.error = refusal_of(job, now);
  if (!outcome.error) {
    in_flight_.fetch_add(1, std::memory_order_relaxed);
    busy_.fetch_add(1, std::memory_order_relaxed);
    outcome = run_one(job, nullptr, now, {});  // it is over before anybody could cancel it
    busy_.fetch_sub(1, std::memory_order_relaxed);
    in_flight_.fetch_sub(1, std::memory_order_relaxed);
  }
  record(job, outcome, outcome.error ? Clock::now() - now : outcome.timing.infer);
  return outcome;
}

void Scheduler::submit(Job job) {
  if (auto outcome = run_now(job)) return job.done(std::move(*outcome));
  const auto now = Clock::now();
  if (auto refusal = refusal_of(job, now)) return finish_with(job, std::move(*refusal), now);
  in_flight_.fetch_add(1);
  enqueue(std::move(job));
}

void Scheduler::enqueue(Job job) {
  const auto now = Clock::now();
  const Model* const key = job.model.get();
  if (job.deadline && !job.cancellation) job.cancellation = std::make_shared<Cancellation>();
  if (job.cancellation) {
    const std::lock_guard lock(job.cancellation->mutex_);
    job.cancellation->on_cancel_.emplace_back([this, key, gate = gate_] {
      if (const Gate::Pass pass(*gate); pass) remove_cancelled(key);
    });
  }
  if (job.deadline) deadlines_.watch(*job.deadline, job.cancellation);
  std::optional<Error> refusal;
  {
    const std::lock_guard lock(mutex_);
    if (queues_.count(key) == 0) forget_idle(now);
    Queue& queue = queues_[key];
    queue.model = job.model;
    if (stopping_) {
      refusal = Error(Code::kUnavailable, "the server is stopping");
    } else if (queue.waiting >= job.model->config().max_queue) {
      refusal = refused(job, queue.waiting);
    } else {
      // A queue that was idle starts level with the others: it gets no credit for the time it did not use.
      if (queue.waiting == 0 && queue.running == 0) queue.used = std::max(queue.used, least_used_);
      queue.last_submit = now;
      ++queue.waiting;
      waiting_.fetch_add(1, std::memory_order_relaxed);
      job.model->statistics().pending.fetch_add(1, std::memory_order_relaxed);
      queue.by_priority[effective_priority(job)].push_back({std::move(job), now});
    }
  }
  if (refusal) {
    in_flight_.fetch_sub(1);
    finish_with(job, std::move(*refusal), now);
  } else {
    wake_.notify_one();
  }
}

Outcome Scheduler::run(Job job) {
  std::promise<Outcome> promise;
  auto future = promise.get_future();
  job.done = [&promise](Outcome outcome) { promise.set_value(std::move(outcome)); };
  submit(std::move(job));
  return future.get();
}

Scheduler::Queue* Scheduler::next_queue(Clock::time_point now, Clock::time_point& wake) {
  const auto active = std::count_if(queues_.begin(), queues_.end(), [now](const auto& entry) {
    return entry.second.waiting > 0 || entry.second.running > 0 || now - entry.second.last_submit < kRecently;
  });
  Queue* best = nullptr;
  for (auto& [model, queue] : queues_) {
    if (queue.waiting == 0) continue;
    const bool hogs = active > 1 && executors_.size() > 1 && queue.running + 1 >= executors_.size() &&
                      queue.running > 0 && model->cost() > kLongRun;
    if (hogs) continue;
    const ModelConfig& config = model->config();
    if (config.max_delay_us > 0 && queue.waiting < config.max_batch) {
      const Clock::time_point oldest = queue.by_priority.begin()->second.front().since;
      const Clock::time_point due = oldest + std::chrono::microseconds(config.max_delay_us);
      if (due > now) {
        wake = std::min(wake, due);
        continue;
      }
    }
    if (best == nullptr || queue.used < best->used) best = &queue;
  }
  return best;
}

Scheduler::Batch Scheduler::take_batch(Queue& queue, Clock::time_point now, Batch& dropped) {
  Batch batch;
  size_t taken_rows = 0;
  const Model& model = *queue.model;
  const auto row_cost = std::max<Clock::duration>(model.row_cost(), Clock::duration(1));
  const size_t timely = static_cast<size_t>(options_.batch_time / row_cost);
  const size_t limit = std::max<size_t>(1, std::min(model.config().max_batch, std::max<size_t>(timely, 1)));
  for (auto level = queue.by_priority.begin(); level != queue.by_priority.end();) {
    std::deque<Waiting>& jobs = level->second;
    for (auto it = jobs.begin(); it != jobs.end() && (batch.empty() || (model.batches() && taken_rows < limit));) {
      const Job& job = it->job;
      const bool late = job.deadline && *job.deadline <= now;
      const bool fits =
          batch.empty() || (taken_rows + rows(job) <= limit && stackable(batch.front().job.inputs, job.inputs));
      if (!late && !fits) {
        ++it;
        continue;
      }
      if (!late) taken_rows += rows(job);
      (late ? dropped : batch).push_back(std::move(*it));
      it = jobs.erase(it);
      --queue.waiting;
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      model.statistics().pending.fetch_sub(1, std::memory_order_relaxed);
    }
    level = jobs.empty() ? queue.by_priority.erase(level) : std::next(level);
  }
  return batch;
}

void Scheduler::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto now = Clock::now();
    auto wake = Clock::time_point::max();
    Queue* queue = next_queue(now, wake);
    if (queue == nullptr) {
      if (stopping_) return;
      if (wake == Clock::time_point::max()) {
        wake_.wait(lock);
      } else {
        wake_.wait_until(lock, wake);
      }
      continue;
    }
    Batch dropped;
    Batch batch = take_batch(*queue, now, dropped);
    const std::shared_ptr<const Model> model = queue->model;
    ++queue->running;
    least_used_ = queue->used;
    lock.unlock();
    for (const Waiting& late : dropped) {
      in_flight_.fetch_sub(1);
      finish_with(late.job, Error(Code::kDeadlineExceeded, "the deadline passed while the request waited"), late.since);
    }
    const auto start = Clock::now();
    if (!batch.empty()) {
      busy_.fetch_add(1, std::memory_order_relaxed);
      execute(std::move(batch));
      busy_.fetch_sub(1, std::memory_order_relaxed);
    }
    lock.lock();
    Queue& used = queues_[model.get()];
    --used.running;
    used.used += Clock::now() - start;
    if (used.waiting == 0 && used.running == 0) used.model.reset();
    if (waiting_.load(std::memory_order_relaxed) > 0) wake_.notify_one();
  }
}

void Scheduler::forget_idle(Clock::time_point now) {
  std::erase_if(queues_, [now](const auto& entry) {
    const Queue& queue = entry.second;
    return queue.waiting == 0 && queue.running == 0 && now - queue.last_submit > kRecently;
  });
}

void Scheduler::execute(Batch batch) {
  const auto start = Clock::now();
  if (batch.size() == 1 || !run_together(batch, start)) {
    for (const Waiting& waiting : batch) run_alone(waiting, start);
  }
}

void Scheduler::run_alone(const Waiting& waiting, Clock::time_point start) {
  Outcome outcome = run_one(waiting.job, waiting.job.cancellation.get(), Clock::now(), start - waiting.since);
  in_flight_.fetch_sub(1);
  finish(waiting.job, std::move(outcome), waiting.since);
}

bool Scheduler::run_together(const Batch& batch, Clock::time_point start) {
  const Job& first = batch.front().job;
  const Model& model = *first.model;
  const bool same_outputs = std::all_of(batch.begin(), batch.end(),
                                        [&](const Waiting& waiting) { return waiting.job.outputs == first.outputs; });
  std::vector<ir::Tensor> inputs;
  for (size_t i = 0; i < first.inputs.size(); ++i) {
    std::vector<const ir::Tensor*> parts;
    for (const Waiting& waiting : batch) parts.push_back(&waiting.job.inputs[i]);
    inputs.push_back(stack(parts));
  }
  const auto stacked = Clock::now();
  std::vector<ir::Tensor> results;
  const int64_t total = inputs.front().dims()[0];
  try {
    const std::span<const size_t> wanted = same_outputs ? std::span(first.outputs) : std::span<const size_t>();
    results = model.session().run(inputs, wanted);
  } catch (const Error&) {
    return false;  // one request's values may have made the whole batch fail: each gets its own answer
  }
  const auto lost_rows = [&](const ir::Tensor& result) { return result.rank() == 0 || result.dims()[0] != total; };
  if (std::any_of(results.begin(), results.end(), lost_rows)) return false;

  Timing timing{.input = stacked - start, .infer = Clock::now() - stacked};
  model.note_cost(timing.infer, static_cast<size_t>(total));
  model.statistics().add_batch(static_cast<size_t>(total), timing);
  int64_t row = 0;
  for (const Waiting& waiting : batch) {
    const auto begin = Clock::now();
    const auto count = static_cast<int64_t>(rows(waiting.job));
    const std::vector<size_t>& wanted = waiting.job.outputs;
    Outcome outcome;
    if (same_outputs || wanted.empty()) {
      for (const ir::Tensor& result : results) outcome.outputs.push_back(rows_of(result, row, count));
    } else {
      for (const size_t index : wanted) outcome.outputs.push_back(rows_of(results[index], row, count));
    }
    row += count;
    timing.queue = start - waiting.since;
    timing.output = Clock::now() - begin;
    outcome.timing = timing;
    in_flight_.fetch_sub(1);
    finish(waiting.job, std::move(outcome), waiting.since);
  }
  return true;
}

void Scheduler::remove_cancelled(const Model* model) {
  Batch removed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = queues_.find(model);
    if (found == queues_.end()) return;
    Queue& queue = found->second;
    for (auto level = queue.by_priority.begin(); level != queue.by_priority.end();) {
      std::deque<Waiting>& jobs = level->second;
      for (auto it = jobs.begin(); it != jobs.end();) {
        if (it->job.cancellation && it->job.cancellation->error()) {
          removed.push_back(std::move(*it));
          it = jobs.erase(it);
          --queue.waiting;
          waiting_.fetch_sub(1, std::memory_order_relaxed);
          model->statistics().pending.fetch_sub(1, std::memory_order_relaxed);
        } else {
          ++it;
        }
      }
      level = jobs.empty() ? queue.by_priority.erase(level) : std::next(level);
    }
  }
  for (const Waiting& waiting : removed) {
    in_flight_.fetch_sub(1);
    finish_with(waiting.job, *waiting.job.cancellation->error(), waiting.since);
  }
}

}  // namespace onward::serving
