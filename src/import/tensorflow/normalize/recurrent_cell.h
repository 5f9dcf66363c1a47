// The cells of Keras' recurrent layers inside a loop.
#pragma once

#include "import/tensorflow/normalize/loop_view.h"

namespace onward::importer::tf {

// x · W + h · U + bias, of which any part may be missing.
struct Affine {
  ir::Value* sequence = nullptr;  // the whole of x
  ir::Value* input_weights = nullptr;
  ir::Value* hidden_weights = nullptr;
  ir::Values biases;
};

// What is found: the weights' columns are the gates in Keras' order.
struct Cell {
  std::string op;
  size_t gates = 1;
  std::vector<size_t> order;  // ONNX's gates as places in Keras' order
  std::vector<std::string> activations;
  size_t hidden = 0;  // carried index
  std::optional<size_t> cell;
  Affine input;      // for GRU: without h · U
  Affine recurrent;  // GRU: h · U + bias
  // GRU: the candidate's weights where r multiplies h before them (Keras' reset_after=False), else null
  ir::Value* candidate_weights = nullptr;
};

// The first cell that fits the loop's states, if any does.
std::optional<Cell> match_cell(const LoopView& loop);

}  // namespace onward::importer::tf
