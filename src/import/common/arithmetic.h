// Constants, polynomials and shapes that every importer's arithmetic needs.
#pragma once

#include <vector>

#include "ir/builder.h"

namespace onward::importer {

// A vector constant.
ir::Value* vector_of(ir::Builder& b, const std::vector<double>& values, ir::DType dtype);
// coefficients[0] x^n + … + coefficients[n].
ir::Value* polynomial(ir::Builder& b, ir::Value* x, const std::vector<double>& coefficients);
// Towards zero.
ir::Value* truncated(ir::Builder& b, ir::Value* x);
// The shape of all tensors broadcast to one another.
ir::Value* broadcast_shape(ir::Builder& b, const ir::Values& tensors);

// Integers shifted by `count` bits, keeping the sign; a shift by the width or more, or by a negative number, moves
// everything out.
ir::Value* shifted(ir::Builder& b, ir::Value* x, ir::Value* count, bool left);
// Of two integer tensors that broadcast: the greatest common divisor of their sizes.
ir::Value* greatest_divisor(ir::Builder& b, ir::Value* x, ir::Value* y);

}  // namespace onward::importer
