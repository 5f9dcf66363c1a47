// Special functions, computed in double whatever comes in.
#pragma once

#include "import/common/special.h"
#include "import/torch/op_table.h"

namespace onward::importer::torch {

// A function on doubles as a translation of (Tensor self): the argument is widened, the result brought back to the
// argument's floating type.
template <special::Function F>
ir::Value* of_double(Call& c) {
  ir::Value* x = c.promoted_float({c.has("self") ? "self" : "x"})[0];
  return c.b.Cast(F(c.b, c.b.Cast(x, ir::DType::kDouble)), x->dtype);
}

}  // namespace onward::importer::torch
