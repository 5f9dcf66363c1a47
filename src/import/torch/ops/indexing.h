// x[i, :, mask] for other families.
#pragma once

#include "ir/builder.h"

namespace onward::importer::torch {

// x[indices]: one index for each leading dimension of x, null for ":"; masks count for as many dimensions as they have.
ir::Value* take_at(ir::Builder& b, ir::Value* x, const ir::Values& indices);
// x with x[indices] = values, or += where it accumulates; values broadcast.
ir::Value* put_at(ir::Builder& b, ir::Value* x, const ir::Values& indices, ir::Value* values, bool accumulate);

}  // namespace onward::importer::torch
