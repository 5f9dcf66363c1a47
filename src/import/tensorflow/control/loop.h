// A while loop as an ONNX Loop: what TF2's While and TF1's Enter … Exit have in common.
#pragma once

#include <functional>

#include "import/tensorflow/call.h"

namespace onward::importer::tf {

struct LoopProgram {
  Items initial;                // the loop's variables before the first round
  std::vector<bool> invariant;  // those that never change
  // Variables that are lists to which round k appends, or whose element k it writes: `step` returns the element instead
  // of the list, and the loop's scan output becomes the list.
  std::vector<bool> collected;
  // Where known: the number of rounds, rank 0, int64. Then `condition` is not asked.
  ir::Value* trips = nullptr;
  std::function<ir::Value*(ir::Builder&, State&, const Items& variables)> condition;
  std::function<Items(ir::Builder&, State&, const Items& variables)> step;
  // Model variables that a round may assign.
  std::vector<const Resource*> assigned;
};

// The loop's variables after the last round.
Items run_loop(Call& call, LoopProgram program);

}  // namespace onward::importer::tf
