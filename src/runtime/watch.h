// Inside src/runtime only: the operator that shows a value while the model runs.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <memory>

#include "runtime/session.h"

namespace onward::runtime {

class WatchOperator {
 public:
  explicit WatchOperator(Watch watch);
  ~WatchOperator();
  WatchOperator(const WatchOperator&) = delete;
  WatchOperator& operator=(const WatchOperator&) = delete;

  // Sessions made with these options must not outlive it.
  void add_to(Ort::SessionOptions& options) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onward::runtime
