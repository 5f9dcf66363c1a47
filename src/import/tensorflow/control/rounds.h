// What follows from a loop's shape and its variables' first values.
#pragma once

#include "import/tensorflow/call.h"
#include "import/tensorflow/control/body_shape.h"
#include "import/tensorflow/control/loop.h"

namespace onward::importer::tf {

// Whether round k writes element k of a list that is not written yet, or appends to a list, or every round writes the
// only element.
Collecting collects(const LoopShape& shape, size_t variable, const Items& initial);

// For LoopShape: the items that are constant integers. They must outlive it.
FirstValue first_values(const Items& initial);

// The number of rounds (rank 0, int64), where the condition only compares counters with limits that don't change; null
// otherwise. `scope`: where limits that are no variables are evaluated.
ir::Value* count_rounds(Call& call, const LoopShape& shape, Scope& scope, const Items& initial);

}  // namespace onward::importer::tf
