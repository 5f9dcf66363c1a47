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

}  // namespace onward::importer
