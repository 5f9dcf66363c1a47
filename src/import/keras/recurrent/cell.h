// SimpleRNN, GRU and LSTM cells as data, whichever layer holds them.
#pragma once

#include <optional>

#include "import/common/recurrent.h"
#include "import/keras/context.h"
#include "import/keras/op_table.h"

namespace onward::importer::keras {

struct Cell {
  enum class Kind { kSimple, kGru, kLstm };
  Kind kind;
  int64_t units;
  ir::Value* kernel;     // [in, gates·units]
  ir::Value* recurrent;  // [units, gates·units]
  ir::Value* bias;       // [gates·units], [2, gates·units] of a GRU that resets after; null without
  Json activation;
  Json recurrent_activation;
  bool reset_after = false;
  bool legacy = false;

  size_t states() const { return kind == Kind::kLstm ? 2 : 1; }
};

// Whether the class is SimpleRNN, LSTMCell, CuDNNGRU, … (a layer or its cell).
bool is_cell_class(std::string_view class_name);
// `layer` is the cell or the layer that has a cell's config; its weights lie under `child`.
Cell read_cell(const Context& ctx, const Layer& layer, const std::string& child);
// The cell layer of a recurrent layer: of LSTM its LSTMCell, of RNN what it was given.
Layer cell_of(const Layer& layer);
// The cells of a StackedRNNCells with their attribute below it, or the cell alone.
std::vector<Child> cells_of(const Layer& cell);
// A cell's variables.
std::vector<Variable> cell_variables(const Layer& cell);

// The cells (one for each direction, alike in kind and size) as one operator, or nothing where an activation is not
// among ONNX's.
std::optional<Recurrent> as_operator(ir::Builder& b, const std::vector<Cell>& cells, const char* direction);
// One step in plain operators: the new states, the output first.
ir::Values step(ir::Builder& b, const Cell& cell, ir::Value* x, const ir::Values& states);

}  // namespace onward::importer::keras
