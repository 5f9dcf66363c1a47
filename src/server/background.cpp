#include "server/background.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace onward::server {
namespace {

// Of this thread only, on Linux. Not SCHED_IDLE: on a machine that is busy all the time, loading would never end.
void take_it_easy() {
  constexpr int kLowest = 19;
  const sched_param none{};
  sched_setscheduler(0, SCHED_BATCH, &none);
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowest);
}

}  // namespace

Background::Background(Pace pace) : thread_([this, pace] { work(pace); }) {}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Background::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Background::work(Pace pace) {
  if (pace == Pace::kLeisurely) take_it_easy();
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (stopping_) return;
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace onward::server
