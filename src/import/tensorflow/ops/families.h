// One register function for each family file in this folder; op_table() calls them all.
#pragma once

#include "import/tensorflow/op_table.h"

namespace onward::importer::tf {

void register_activation(OpTable& table);
void register_bits(OpTable& table);
void register_blocks(OpTable& table);
void register_boxes(OpTable& table);
void register_calls(OpTable& table);
void register_color(OpTable& table);
void register_complex(OpTable& table);
void register_control_flow(OpTable& table);
void register_control_flow_v1(OpTable& table);
void register_convolution(OpTable& table);
void register_core(OpTable& table);
void register_creation(OpTable& table);
void register_ctc(OpTable& table);
void register_elementwise(OpTable& table);
void register_indexing(OpTable& table);
void register_layout(OpTable& table);
void register_linear(OpTable& table);
void register_linear_algebra(OpTable& table);
void register_lists(OpTable& table);
void register_matrix(OpTable& table);
void register_normalization(OpTable& table);
void register_padding(OpTable& table);
void register_pooling(OpTable& table);
void register_projective(OpTable& table);
void register_quantization(OpTable& table);
void register_ragged(OpTable& table);
void register_random(OpTable& table);
void register_recurrent_cells(OpTable& table);
void register_reduction(OpTable& table);
void register_resize(OpTable& table);
void register_scattering(OpTable& table);
void register_segment(OpTable& table);
void register_selection(OpTable& table);
void register_slicing(OpTable& table);
void register_sorting(OpTable& table);
void register_special(OpTable& table);
void register_strings(OpTable& table);
void register_tables(OpTable& table);
void register_variables(OpTable& table);

}  // namespace onward::importer::tf
