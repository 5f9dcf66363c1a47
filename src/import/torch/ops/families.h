// One register function for each family file in this folder; op_table() calls them all.
#pragma once

#include "import/torch/op_table.h"

namespace onward::importer::torch {

void register_activation(OpTable& table);
void register_attention(OpTable& table);
void register_conversion(OpTable& table);
void register_convolution(OpTable& table);
void register_creation(OpTable& table);
void register_indexing(OpTable& table);
void register_layout(OpTable& table);
void register_linear(OpTable& table);
void register_normalization(OpTable& table);
void register_padding(OpTable& table);
void register_pointwise(OpTable& table);
void register_pooling(OpTable& table);
void register_recurrent(OpTable& table);
void register_reduction(OpTable& table);
void register_resize(OpTable& table);
void register_sorting(OpTable& table);
void register_transformer(OpTable& table);

}  // namespace onward::importer::torch
