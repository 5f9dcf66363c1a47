// One register function for each family file in this folder; op_table() calls them all.
#pragma once

#include "import/tensorflow/op_table.h"

namespace onward::importer::tf {

void register_calls(OpTable& table);
void register_control_flow(OpTable& table);
void register_control_flow_v1(OpTable& table);
void register_core(OpTable& table);
void register_elementwise(OpTable& table);
void register_linear(OpTable& table);
void register_lists(OpTable& table);
void register_quantization(OpTable& table);
void register_tables(OpTable& table);
void register_variables(OpTable& table);

}  // namespace onward::importer::tf
