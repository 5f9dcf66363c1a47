// Numbers drawn while the model runs, in every run anew: ONNX's generators have no seed that another framework's
// numbers would follow from, so seeds are not kept. `shape` is an int64 vector.
#pragma once

#include "ir/builder.h"

namespace onward::importer::random {

// From 0 up to, but without, 1.
ir::Value* uniform(ir::Builder& b, ir::Value* shape, ir::DType dtype);
// Mean 0, standard deviation 1.
ir::Value* normal(ir::Builder& b, ir::Value* shape, ir::DType dtype);
// The same, but never further than two standard deviations from 0.
ir::Value* truncated_normal(ir::Builder& b, ir::Value* shape, ir::DType dtype);
// Integers from `low` up to, but without, `high` (any integer type; they broadcast to `shape`).
ir::Value* integers(ir::Builder& b, ir::Value* shape, ir::Value* low, ir::Value* high, ir::DType dtype);
// 1 where an event of probability `p` (0 to 1, broadcasts to `shape`) happened, else 0; boolean.
ir::Value* events(ir::Builder& b, ir::Value* shape, ir::Value* p);
// For each row of `logits` ([…, classes]; -infinity: never), `count` (rank 0, int64) classes: […, count], int64.
// Without replacement no class comes twice, and there must be as many that can come.
ir::Value* classes(ir::Builder& b, ir::Value* logits, ir::Value* count, bool replacement);
// The numbers 0 to `count` - 1 (rank 0, int64) in a random order: [count], int64.
ir::Value* permutation(ir::Builder& b, ir::Value* count);

}  // namespace onward::importer::random
