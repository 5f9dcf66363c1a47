// Sizes of inputs that torch.export fixed though the user had left them open.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "formats/torch/exported_program.h"

namespace onward::importer::exported {

// By the input's name in the program, the dimensions that a guard of the file pins to the size they have there. Files
// that torch wrote before it kept guards tell of none.
std::map<std::string, std::map<size_t, int64_t>> frozen_sizes(const torchfile::ExportedProgram& program);

}  // namespace onward::importer::exported
