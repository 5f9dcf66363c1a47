// What several operator families need.
#pragma once

#include "import/common/arithmetic.h"
#include "import/common/axes.h"
#include "import/torch/op_table.h"

namespace onward::importer::torch {

// Rank 0 becomes rank 1.
ir::Value* at_least_1d(ir::Builder& b, ir::Value* x);
// The number of elements along some axes, rank 0; of all where there are none.
ir::Value* count_along(ir::Builder& b, ir::Value* x, const std::vector<int64_t>& axes);
// x where it is a number, `value` where it is NaN.
ir::Value* without_nan(ir::Builder& b, ir::Value* x, double value);
// Whether the dimension is surely this size.
bool is_size(const ir::Value* x, size_t axis, int64_t size);

// The digit in an operator's name: "aten::max_pool2d" → 2; 2 where there is none.
size_t spatial_rank(const Call& c);

// aten::mean of a loss: reduction 0 none, 1 mean, 2 sum.
ir::Value* reduced_loss(Call& c, ir::Value* loss);

// The matrix an operator is called with, whatever its name there.
ir::Value* matrix_of(Call& c);
// What the _ex forms say of success: all is well.
ir::Value* no_error(Call& c, ir::Value* a);

}  // namespace onward::importer::torch
