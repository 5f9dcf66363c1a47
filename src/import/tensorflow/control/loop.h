// A while loop as an ONNX Loop: what TF2's While and TF1's Enter … Exit have in common.
#pragma once

#include <functional>

#include "import/tensorflow/call.h"

namespace onward::importer::tf {

// Lists that a loop only writes: `step` returns the element instead of the list, and the loop's scan output becomes the
// list.
enum class Collecting {
  kNo,
  kAll,   // round k appends to it, or writes its element k
  kLast,  // every round writes its only element
};

struct LoopProgram {
  Items initial;                // the loop's variables before the first round
  std::vector<bool> invariant;  // those that never change
  std::vector<Collecting> collected;
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
