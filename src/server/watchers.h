// Those who want to know when the server's state may have changed.
#pragma once

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace onward::server {

// Thread-safe.
class Watchers {
 public:
  // Called at once and after changes, until it returns false. Must not add watchers.
  using Watcher = std::function<bool()>;

  void add(Watcher watcher) {
    const std::lock_guard lock(mutex_);
    if (watcher()) watchers_.push_back(std::move(watcher));
  }
  void changed() {
    const std::lock_guard lock(mutex_);
    std::erase_if(watchers_, [](const Watcher& watcher) { return !watcher(); });
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    watchers_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<Watcher> watchers_;
};

}  // namespace onward::server
