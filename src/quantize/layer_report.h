// The per-layer part of a report.
#pragma once

#include "quantize/workbench.h"

namespace onward::quantize {

// What the recipe made of each layer.
void list_layers(const Workbench& bench, const Recipe& recipe, Report& report);

// Adds to the listed layers what each gives and takes in both models, on the first sample.
void measure_layers(const Workbench& bench, const ir::Model& quantized, Report& report);

}  // namespace onward::quantize
