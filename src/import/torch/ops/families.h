// One register function for each family file in this folder; op_table() calls them all.
#pragma once

#include "import/torch/op_table.h"

namespace onward::importer::torch {

void register_activation(OpTable& table);
void register_attention(OpTable& table);
void register_backward(OpTable& table);
void register_binary_functions(OpTable& table);
void register_conversion(OpTable& table);
void register_convolution(OpTable& table);
void register_creation(OpTable& table);
void register_cumulative(OpTable& table);
void register_detection(OpTable& table);
void register_diagonal(OpTable& table);
void register_distance(OpTable& table);
void register_factorization(OpTable& table);
void register_fft(OpTable& table);
void register_folding(OpTable& table);
void register_grid(OpTable& table);
void register_indexing(OpTable& table);
void register_layout(OpTable& table);
void register_linalg(OpTable& table);
void register_linear(OpTable& table);
void register_linear_systems(OpTable& table);
void register_loss(OpTable& table);
void register_normalization(OpTable& table);
void register_order(OpTable& table);
void register_packed(OpTable& table);
void register_padding(OpTable& table);
void register_pointwise(OpTable& table);
void register_pooling(OpTable& table);
void register_quantized(OpTable& table);
void register_quantized_blocks(OpTable& table);
void register_random(OpTable& table);
void register_recurrent(OpTable& table);
void register_reduction(OpTable& table);
void register_resize(OpTable& table);
void register_scatter(OpTable& table);
void register_sorting(OpTable& table);
void register_special_functions(OpTable& table);
void register_special_gamma(OpTable& table);
void register_spectra(OpTable& table);
void register_stacking(OpTable& table);
void register_stft(OpTable& table);
void register_transformer(OpTable& table);
void register_unary_functions(OpTable& table);
void register_unpooling(OpTable& table);

// These add to the entries of the others.
void register_complex(OpTable& table);
void register_aliases(OpTable& table);

}  // namespace onward::importer::torch
