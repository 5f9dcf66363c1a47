#include "server/background.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace onward::server {
namespace {

// Both hold for the calling thread only, and for those that it starts.
void run_when_idle() {
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
}

void run_at_lowest_priority() {
  constexpr int kLowest = 19;
  const sched_param none{};
  sched_setscheduler(0, SCHED_BATCH, &none);
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowest);
}

}  // namespace

Background::Background(Pace pace, std::chrono::milliseconds patience) {
  const bool leisurely = pace == Pace::kLeisurely;
  thread_ = std::thread([this, leisurely] {
    if (leisurely) run_when_idle();
    work({});
  });
  if (!leisurely) return;
  stand_in_ = std::thread([this, patience] {
    run_at_lowest_priority();
    work(patience);
  });
}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (stand_in_.joinable()) stand_in_.join();
}

void Background::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) waiting_since_ = Clock::now();
    tasks_.push_back(std::move(task));
  }
  wake_.notify_all();
}

void Background::work(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (tasks_.empty() || busy_) {
      wake_.wait(lock);
      continue;
    }
    if (const auto due = waiting_since_ + patience; due > Clock::now()) {
      wake_.wait_until(lock, due);
      continue;
    }
    busy_ = true;
    {
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
    lock.lock();
    busy_ = false;
    waiting_since_ = Clock::now();
    if (!tasks_.empty()) wake_.notify_all();
  }
}

}  // namespace onward::server
