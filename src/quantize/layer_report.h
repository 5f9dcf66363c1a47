// The per-layer part of a report.
#pragma once

#include "quantize/workbench.h"

namespace onward::quantize {

// Compares what each layer gives in both models on some samples.
void describe_layers(const Workbench& bench, const Recipe& recipe, const ir::Model& quantized, Report& report);

}  // namespace onward::quantize
