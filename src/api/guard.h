// Where exceptions end and statuses begin.
#pragma once

#include <type_traits>
#include <utility>

#include "base/error.h"
#include "onward/status.h"

namespace onward::api {

// Of the exception that is being handled.
Status current_status();

Error to_error(const Status& status);

// `work()`, whose exceptions become a status: Result<T> for one that gives a T, Status for one that gives nothing.
template <class Work>
auto guarded(Work&& work) noexcept {
  using Value = std::invoke_result_t<Work>;
  if constexpr (std::is_void_v<Value>) {
    try {
      std::forward<Work>(work)();
      return Status();
    } catch (...) {
      return current_status();
    }
  } else {
    try {
      return Result<Value>(std::forward<Work>(work)());
    } catch (...) {
      return Result<Value>(current_status());
    }
  }
}

}  // namespace onward::api
