// What the parts of the C API share.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "onward/onward.h"
#include "onward/onward.hpp"

struct onward_status {
  onward::Status status;
  std::string name;
};

namespace onward::c {

// What there is no memory to tell.
onward_status& out_of_memory();

// NULL where `work()` gives an ok Status.
template <class Work>
onward_status* guarded(const Work& work) noexcept {
  try {
    Status status = work();
    if (status.ok()) return nullptr;
    std::string name(status_code_name(status.code()));
    return new onward_status{std::move(status), std::move(name)};
  } catch (...) {
    return &out_of_memory();
  }
}

inline Status invalid(std::string what) { return Status(StatusCode::kInvalidArgument, std::move(what)); }

// As many members as the caller's version of the struct has; those of a later version keep their defaults.
template <class Options>
Options taken(const Options* given, Options defaults) {
  if (given != nullptr) std::memcpy(&defaults, given, std::min(given->size, sizeof(Options)));
  return defaults;
}

inline std::string text(const char* given) { return given == nullptr ? std::string() : std::string(given); }

template <class T>
std::vector<T> texts(const char* const* given, size_t count) {
  std::vector<T> result;
  for (size_t i = 0; i < count; ++i) result.emplace_back(text(given[i]));
  return result;
}

ConvertOptions to_cpp(const onward_convert_options* given);
Result<Tensor> to_cpp(const onward_tensor& tensor);

// Inputs or outputs with their dims as C has them.
class Values {
 public:
  explicit Values(const std::vector<ValueInfo>& infos);
  size_t size() const { return values_.size(); }
  Status describe(size_t index, onward_value_info* info) const;

 private:
  std::vector<std::pair<ValueInfo, Dims>> values_;
};

}  // namespace onward::c
