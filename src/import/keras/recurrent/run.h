// A recurrent layer over a whole sequence, with its mask.
#pragma once

#include "import/keras/recurrent/cell.h"

namespace onward::importer::keras {

struct Run {
  ir::Value* x;               // [batch, steps, in]
  ir::Value* mask = nullptr;  // [batch, steps]
  bool backwards = false;     // from the last step to the first
  bool zero_masked = false;   // results of masked steps are 0, not the last valid one
  ir::Values initial = {};    // the states of all cells, [batch, units] each; none: zeros
};

struct Ran {
  ir::Value* sequence;  // [batch, steps, units], each result at its step's place
  ir::Value* last;      // [batch, units]: the result of the step taken last
  ir::Values states;    // of all cells
};

// The cells one above the other.
Ran run_cells(ir::Builder& b, const std::vector<Cell>& cells, const Run& run);

// Forward and backward at once, where one ONNX operator can do both; nothing otherwise. States: the forward ones first.
struct RanBoth {
  Ran forward;
  Ran backward;
};
std::optional<RanBoth> run_both(ir::Builder& b, const Cell& forward, const Cell& backward, const Run& run);

// x[:, ::-1]
ir::Value* reversed_steps(ir::Builder& b, ir::Value* x, int64_t axis = 1);

}  // namespace onward::importer::keras
