// Mode auto: several recipes, measured on this machine and these data.
#pragma once

#include "quantize/workbench.h"

namespace onward::quantize {

struct Choice {
  ir::Model model;
  Recipe recipe;  // without layers: the float model was best
};

// Never slower than the float model, within --max-drop and --max-size; of what is left, the one that is fastest for its
// size. Notes each candidate, and the times, in the report.
Choice choose(Workbench& bench, Report& report);

}  // namespace onward::quantize
