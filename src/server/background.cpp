#include "server/background.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>

namespace onward::server {
namespace {

struct Share {
  int policy;
  int nice;
};
constexpr std::array<Share, 4> kShares = {{{SCHED_IDLE, 19}, {SCHED_BATCH, 19}, {SCHED_BATCH, 10}, {SCHED_BATCH, 0}}};
constexpr Share kFixedShare = {SCHED_BATCH, 10};

// Holds for one thread (0: the calling one), and for those that it starts from then on.
bool set_share(pid_t thread, const Share& share) {
  const sched_param none{};
  return sched_setscheduler(thread, share.policy, &none) == 0 &&
         setpriority(PRIO_PROCESS, static_cast<id_t>(thread == 0 ? gettid() : thread), share.nice) == 0;
}

bool shares_can_grow() {
  static const bool can = [] {
    bool grown = true;
    std::thread([&grown] {
      for (const Share& share : kShares) grown = set_share(0, share) && grown;
    }).join();
    return grown;
  }();
  return can;
}

// The threads of this process that have a smaller share: the working one and those that it started.
void grow_all_to(const Share& share) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const std::string name = entry.path().filename().string();
    pid_t thread = 0;
    std::from_chars(name.data(), name.data() + name.size(), thread);
    const int policy = sched_getscheduler(thread);
    if (policy == SCHED_IDLE || policy == SCHED_BATCH) set_share(thread, share);
  }
}

}  // namespace

Background::Background(Pace pace, std::chrono::milliseconds patience) : patience_(patience) {
  const bool leisurely = pace == Pace::kLeisurely;
  thread_ = std::thread([this, leisurely] { work(leisurely); });
  if (leisurely && shares_can_grow()) watcher_ = std::thread([this] { hurry_up(); });
}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (watcher_.joinable()) watcher_.join();
}

void Background::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty() && !busy_) turn_ = Clock::now();
    tasks_.push_back(std::move(task));
  }
  wake_.notify_all();
}

void Background::work(bool leisurely) {
  const Share share = shares_can_grow() ? kShares.front() : kFixedShare;
  if (leisurely) set_share(0, share);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (tasks_.empty()) {
      wake_.wait(lock);
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
    turn_ = Clock::now();
    if (level_ > 0) set_share(0, share);
    level_ = 0;
    wake_.notify_all();
  }
}

void Background::hurry_up() {
  std::unique_lock lock(mutex_);
  // While stopping, too: the task at hand is waited for.
  while (!stopping_ || busy_) {
    if ((tasks_.empty() && !busy_) || level_ + 1 == kShares.size()) {
      wake_.wait(lock);
      continue;
    }
    constexpr std::array<int, kShares.size()> kTimes = {1, 10, 100};
    if (const auto due = turn_ + kTimes[level_] * patience_; due > Clock::now()) {
      wake_.wait_until(lock, due);
      continue;
    }
    grow_all_to(kShares[++level_]);
  }
}

}  // namespace onward::server
