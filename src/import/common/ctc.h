// Decoding of class scores over time, for all who import models that do it.
#pragma once

#include "ir/builder.h"

namespace onward::importer {

// The best class of each step, without blanks and repetitions.
struct GreedyPath {
  ir::Value* best;    // [batch, time] int64: the best class of each step
  ir::Value* kept;    // [batch, time] bool: whether it stands in the result
  ir::Value* place;   // [batch, time] int64: where
  ir::Value* counts;  // [batch, 1] int64: how many are kept
  ir::Value* score;   // [batch, 1]: the negated sum of the best scores
};

// `scores` are [time, batch, classes], `lengths` [batch]; a negative `blank` counts from the last class.
GreedyPath greedy_path(ir::Builder& b, ir::Value* scores, ir::Value* lengths, bool merge_repeated, int64_t blank);

}  // namespace onward::importer
