// Cancels what is not done in time.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "serving/cancellation.h"
#include "serving/statistics.h"

namespace onward::serving {

// One thread, started by the first deadline.
class Deadlines {
 public:
  Deadlines() = default;
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // At `when` the work, if it still goes on, is cancelled with Code::kDeadlineExceeded.
  void watch(Clock::time_point when, const std::shared_ptr<Cancellation>& cancellation);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<Clock::time_point, std::weak_ptr<Cancellation>> due_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace onward::serving
