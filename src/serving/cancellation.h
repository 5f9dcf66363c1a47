// A request that its client, or its deadline, may end early.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/error.h"
#include "runtime/session.h"

namespace onward::serving {

// Shared between the one who asked and the scheduler; all calls are thread-safe.
class Cancellation {
 public:
  // Takes queued work out and stops running work that nobody else shares. The job then ends with this code:
  // kCancelled (the client went away) or kDeadlineExceeded. Only the first call counts.
  void cancel(Code reason = Code::kCancelled);
  // Why, once it was cancelled.
  std::optional<Error> error() const;

 private:
  friend class Scheduler;
  friend class Stoppable;
  mutable std::mutex mutex_;
  Code reason_ = Code::kOk;
  std::vector<runtime::RunControl*> running_;  // several jobs may share one
  std::vector<std::function<void()>> on_cancel_;
};

// Lets a cancellation reach the run that goes on while this lives. `cancellation` may be null.
class Stoppable {
 public:
  explicit Stoppable(Cancellation* cancellation);
  ~Stoppable();
  Stoppable(const Stoppable&) = delete;
  Stoppable& operator=(const Stoppable&) = delete;
  const runtime::RunControl* control() const { return control_ ? &*control_ : nullptr; }

 private:
  Cancellation* cancellation_;
  std::optional<runtime::RunControl> control_;
};

}  // namespace onward::serving
