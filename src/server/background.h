// A thread for work that must not hold up requests: loading models.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace onward::server {

class Background {
 public:
  // What nobody waits for runs at the lowest priority: as good as only when the requests leave time.
  enum class Pace { kLeisurely, kWaitedFor };

  explicit Background(Pace pace);
  // Finishes the task at hand; tasks still queued are dropped.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void post(std::function<void()> task);

 private:
  void work(Pace pace);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace onward::server
