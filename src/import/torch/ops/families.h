// One register function for each family file in this folder; op_table() calls them all.
#pragma once

#include "import/torch/op_table.h"

namespace onward::importer::torch {

void register_pointwise(OpTable& table);
void register_layout(OpTable& table);

}  // namespace onward::importer::torch
