// Sizes of inputs that torch.export fixed though the user had left them open.
#pragma once

#include <map>
#include <string>

#include "formats/torch/exported_program.h"

namespace onward::importer::exported {

// By the input's name in the program: dimension → size.
using FrozenSizes = std::map<std::string, std::map<size_t, int64_t>>;

// The dimensions that a guard of the file pins to the size they have there. Files that torch wrote before it kept
// guards tell of none.
FrozenSizes frozen_sizes(const torchfile::ExportedProgram& program);

// Whether nothing else in the program can come from these sizes: no number among its operators' arguments and no
// constant of its own that one of them may have led to. It then computes the same for other sizes.
bool only_inputs_are_frozen(const torchfile::ExportedProgram& program, const FrozenSizes& frozen);

// The program with these sizes as symbols ("x_dim_1"), and with no other number told of any tensor that it computes.
torchfile::ExportedProgram opened(torchfile::ExportedProgram program, const FrozenSizes& frozen);

}  // namespace onward::importer::exported
