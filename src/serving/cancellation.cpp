#include "serving/cancellation.h"

namespace onward::serving {

void Cancellation::cancel(Code reason) {
  std::vector<std::function<void()>> on_cancel;
  {
    const std::lock_guard lock(mutex_);
    if (reason_ != Code::kOk) return;
    reason_ = reason;
    for (runtime::RunControl* run : running_) run->terminate();
    on_cancel.swap(on_cancel_);
  }
  for (const auto& action : on_cancel) action();
}

std::optional<Error> Cancellation::error() const {
  const std::lock_guard lock(mutex_);
  if (reason_ == Code::kOk) return std::nullopt;
  return Error(reason_, reason_ == Code::kDeadlineExceeded ? "the request's deadline passed"
                                                           : "the request was cancelled: its client went away");
}

Stoppable::Stoppable(Cancellation* cancellation) : cancellation_(cancellation) {
  if (cancellation_ == nullptr) return;
  const std::lock_guard lock(cancellation_->mutex_);
  cancellation_->running_.push_back(&control_.emplace());
  if (cancellation_->reason_ != Code::kOk) control_->terminate();
}

Stoppable::~Stoppable() {
  if (cancellation_ == nullptr) return;
  const std::lock_guard lock(cancellation_->mutex_);
  std::erase(cancellation_->running_, &*control_);
}

}  // namespace onward::serving
