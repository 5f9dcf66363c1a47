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
  // What nobody waits for begins as work for CPUs that have nothing else to do. That alone could take for ever on a
  // saturated machine, so a task that is not done `patience` after its turn came gets a share of the CPUs, and a larger
  // one after 10 and 100 times that: in the end an ordinary thread's. Where the system does not let a thread come back
  // from idle priority (it takes CAP_SYS_NICE or RLIMIT_NICE), it has a small share from the beginning.
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

  void work(bool leisurely);
  void hurry_up();

  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  Clock::time_point turn_;  // of the task that runs or is next
  size_t level_ = 0;        // of its share
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
  std::thread watcher_;  // only where the pace is leisurely and shares can grow
};

}  // namespace onward::server
