// A thread for work that must not hold up requests: loading models.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace onward::server {

class Background {
 public:
  // What nobody waits for runs only when a CPU has nothing else to do. A task that could not begin like this for
  // `patience`, because the CPUs are never idle, runs at the lowest ordinary priority: it takes longer, but ends.
  enum class Pace { kLeisurely, kWaitedFor };

  explicit Background(Pace pace, std::chrono::milliseconds patience = std::chrono::milliseconds(200));
  // Finishes the task at hand; tasks still queued are dropped.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Tasks run one after another, in this order.
  void post(std::function<void()> task);

 private:
  using Clock = std::chrono::steady_clock;

  void work(std::chrono::milliseconds patience);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  Clock::time_point waiting_since_;  // of the first task
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
  std::thread stand_in_;  // only where the pace is leisurely
};

}  // namespace onward::server
