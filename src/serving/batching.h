// Putting requests together along the first dimension, and taking their answers apart.
#pragma once

#include <span>
#include <vector>

#include "ir/tensor.h"
#include "runtime/session.h"
#include "serving/statistics.h"

namespace onward::serving {

// Every input and output has a first dimension that the file leaves free, and no input is text.
bool may_batch(const runtime::Session& session);

struct Probe {
  bool batches = false;    // two rows together gave what each gave alone
  Clock::duration cost{};  // of one row; 0 when the inputs' shapes are not fixed enough to make one up
};

// Runs made-up rows. Models with further free dimensions are not tried. Throws what the session throws when a model of
// entirely fixed shapes can't run.
Probe probe_batching(const runtime::Session& session);

// Whether both inputs differ in their first dimension only.
bool stackable(std::span<const ir::Tensor> a, std::span<const ir::Tensor> b);

// The i-th input of every request, one after another. All must be stackable.
ir::Tensor stack(const std::vector<const ir::Tensor*>& parts);

// Rows [first, first + count) of a tensor, sharing its bytes.
ir::Tensor rows_of(const ir::Tensor& tensor, int64_t first, int64_t count);

}  // namespace onward::serving
