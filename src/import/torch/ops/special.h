// Special functions, computed in double whatever comes in.
#pragma once

#include "import/torch/op_table.h"

namespace onward::importer::torch {

// A function on doubles as a translation of (Tensor self): the argument is widened, the result brought back to the
// argument's floating type.
using SpecialFunction = ir::Value* (*)(ir::Builder&, ir::Value*);
template <SpecialFunction F>
ir::Value* special(Call& c) {
  ir::Value* x = c.promoted_float({c.has("self") ? "self" : "x"})[0];
  return c.b.Cast(F(c.b, c.b.Cast(x, ir::DType::kDouble)), x->dtype);
}

ir::Value* log_gamma(ir::Builder& b, ir::Value* x);
ir::Value* digamma(ir::Builder& b, ir::Value* x);
// Hurwitz's zeta function.
ir::Value* zeta(ir::Builder& b, ir::Value* s, ir::Value* q);
// exp(x²) erfc(x).
ir::Value* scaled_erfc(ir::Builder& b, ir::Value* x);

}  // namespace onward::importer::torch
