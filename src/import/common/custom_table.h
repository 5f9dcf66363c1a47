// Translations that are added while the program runs, by the operator's name.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "base/error.h"

namespace onward::importer {

// Thread safe. Entries stay where they are and are never removed.
template <class Entry>
class CustomTable {
 public:
  // Throws Error(kAlreadyExists) for a name that is there.
  void add(const std::string& name, std::unique_ptr<const Entry> entry) {
    const std::unique_lock lock(mutex_);
    if (entries_.emplace(name, std::move(entry)).second) return;
    throw Error(Code::kAlreadyExists, "a translation of " + name + " is registered already");
  }

  // Null where there is none.
  const Entry* find(std::string_view name) const {
    const std::shared_lock lock(mutex_);
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second.get();
  }

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::unique_ptr<const Entry>, std::less<>> entries_;
};

}  // namespace onward::importer
