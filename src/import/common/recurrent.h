// Recurrent layers as ONNX's RNN, GRU and LSTM, with padded batches, for all who import them.
#pragma once

#include <string>
#include <vector>

#include "ir/builder.h"

namespace onward::importer {

// An activation of a recurrent operator by ONNX's name; alpha and beta only where it takes them.
struct RecurrentActivation {
  std::string name;
  std::vector<float> alpha = {};
  std::vector<float> beta = {};
};

// One layer, one or two directions. Weights in ONNX's layout: w [d, gates·h, in], r [d, gates·h, h], bias [d,
// 2·gates·h] or null.
struct Recurrent {
  const char* op;         // "RNN", "GRU", "LSTM"
  const char* direction;  // "forward", "reverse", "bidirectional"
  int64_t hidden = 0;
  ir::Value* w = nullptr;
  ir::Value* r = nullptr;
  ir::Value* bias = nullptr;
  std::vector<RecurrentActivation> activations;  // of all directions
  bool linear_before_reset = false;              // GRU
};

struct RecurrentResult {
  ir::Value* y;  // [steps, d, batch, h]
  ir::Value* h;  // [d, batch, h]
  ir::Value* c;  // of an LSTM, else null
};

// `x` is [steps, batch, in]; `lengths` [batch] int32 or null; `h` and `c` [d, batch, h] or null for zeros.
RecurrentResult recurrent(ir::Builder& b, const Recurrent& layer, ir::Value* x, ir::Value* lengths, ir::Value* h,
                          ir::Value* c);

// A batch whose valid steps have been moved to the front, so that lengths describe any mask.
struct PackedSteps {
  ir::Value* x;        // [batch, steps, …]
  ir::Value* mask;     // [batch, steps] bool
  ir::Value* counts;   // [batch, steps] int64: how many steps up to this one are valid
  ir::Value* lengths;  // [batch] int32
};

// `x` is [batch, steps, …], `mask` [batch, steps].
PackedSteps pack_steps(ir::Builder& b, ir::Value* x, ir::Value* mask);

// The results `y` [batch, steps, h] of packed steps back in their places. A masked step gets the result of the valid
// step before it (behind it where `backwards`), zeros where there is none or where `zero` is set.
ir::Value* unpack_steps(ir::Builder& b, const PackedSteps& packed, ir::Value* y, bool backwards, bool zero);

}  // namespace onward::importer
