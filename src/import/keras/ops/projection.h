// Dense over any axes: EinsumDense and the projections of attention layers.
#pragma once

#include "ir/builder.h"

namespace onward::importer::keras {

// einsum(equation, x, kernel), as a MatMul where the equation contracts the last axes of `x` with the first of the
// kernel.
ir::Value* project(ir::Builder& b, const std::string& equation, ir::Value* x, ir::Value* kernel);

// How many axes the equation contracts so; 0 where it doesn't.
size_t contracted_axes(const std::string& equation, const ir::Value* x, const ir::Value* kernel);

// `x` with its last `contracted` axes multiplied by the kernel's first ones.
ir::Value* project_last(ir::Builder& b, ir::Value* x, ir::Value* kernel, size_t contracted);

}  // namespace onward::importer::keras
