// Work on large tensors' text, shared out among threads: printing or reading one takes about as long as a small
// network.
#pragma once

#include <algorithm>
#include <cstddef>
#include <future>
#include <system_error>

#include "runtime/cpu_budget.h"

namespace onward::server {

// How many threads `work` is worth, where one should get at least `share` of it.
inline size_t parts_of(size_t work, size_t share) {
  static const auto cpus = static_cast<size_t>(runtime::cpu_budget());
  return std::clamp<size_t>(work / share, 1, std::min<size_t>(cpus, 8));
}

// Runs `action` in another thread, or, where the system has none left, when the result is wanted.
template <class Action>
auto beside(const Action& action) {
  try {
    return std::async(std::launch::async, action);
  } catch (const std::system_error&) {
    return std::async(std::launch::deferred, action);
  }
}

}  // namespace onward::server
