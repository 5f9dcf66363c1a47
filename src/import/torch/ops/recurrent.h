// Recurrent layers as several operators run them.
#pragma once

#include "import/torch/op_table.h"

namespace onward::importer::torch {

// The layers of one call, sequence first: [time, batch, features].
struct RecurrentResults {
  ir::Value* sequence;
  ir::Value* hidden;
  ir::Value* cells;  // null but for LSTM
};
// `lengths` of each sequence [batch], or null where all are as long as the tensor; past its length a result is 0.
RecurrentResults run_recurrent(Call& c, ir::Value* x, const ir::Values& initial, const ir::Values& params,
                               ir::Value* lengths);

}  // namespace onward::importer::torch
