// Lets callbacks that outlive an object find out that it is gone.
#pragma once

#include <condition_variable>
#include <mutex>

namespace onward::serving {

// Owned by the callbacks and the object together. All calls are thread-safe.
class Gate {
 public:
  // Held while a callback uses the object; false once the gate is closed.
  class Pass {
   public:
    explicit Pass(Gate& gate) : gate_(gate) {
      const std::lock_guard lock(gate_.mutex_);
      inside_ = !gate_.closed_;
      if (inside_) ++gate_.inside_;
    }
    ~Pass() {
      if (!inside_) return;
      const std::lock_guard lock(gate_.mutex_);
      if (--gate_.inside_ == 0) gate_.left_.notify_all();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    explicit operator bool() const { return inside_; }

   private:
    Gate& gate_;
    bool inside_;
  };

  // Waits for those inside; not to be called by one of them.
  void close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    left_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  size_t inside_ = 0;
  bool closed_ = false;
};

}  // namespace onward::serving
