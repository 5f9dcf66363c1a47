// Whether two single numbers are surely the same at run time.
#pragma once

#include "ir/graph.h"

namespace onward::importer::tf {

// Equal constants, the same known dimension, or the same computation, whatever casts and reshapes lie between.
bool surely_equal(const ir::Value* a, const ir::Value* b);

}  // namespace onward::importer::tf
