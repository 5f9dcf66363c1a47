// Measured choices: which calibration fits, and which layers bear 8 bits.
#pragma once

#include "quantize/workbench.h"

namespace onward::quantize {

// The calibration method, with or without bias correction, whose model answers most like the float model.
StaticOptions best_integers(Workbench& bench, const Recipe& recipe);

// The recipe with as few layers as possible taken out of integer arithmetic so that the answers drop by no more than
// `limit`: those that do most harm alone go first. The same recipe when nothing helps.
Recipe keep_drop(Workbench& bench, const Recipe& recipe, double limit);

// The integer layers of the recipe, each with the SQNR of the model in which it alone is quantized; worst first.
std::vector<std::pair<std::string, double>> layer_harm(Workbench& bench, const Recipe& recipe);

// Takes a layer out of integer (or dynamic) arithmetic; its weights stay small.
void take_out(Recipe& recipe, const std::string& layer, const std::string& reason);

}  // namespace onward::quantize
