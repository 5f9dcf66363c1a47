#include "serving/deadlines.h"

namespace onward::serving {

Deadlines::~Deadlines() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Deadlines::watch(Clock::time_point when, const std::shared_ptr<Cancellation>& cancellation) {
  const std::lock_guard lock(mutex_);
  const auto place = due_.emplace(when, cancellation);
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  if (place == due_.begin()) wake_.notify_one();
}

void Deadlines::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (due_.empty()) {
      wake_.wait(lock);
    } else if (const auto next = due_.begin()->first; next > Clock::now()) {
      wake_.wait_until(lock, next);
    } else {
      const std::shared_ptr<Cancellation> cancellation = due_.begin()->second.lock();
      due_.erase(due_.begin());
      lock.unlock();
      if (cancellation) cancellation->cancel(Code::kDeadlineExceeded);
      lock.lock();
    }
  }
}

}  // namespace onward::serving
