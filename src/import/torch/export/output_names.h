// What a program's outputs are called.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "formats/torch/exported_program.h"

namespace onward::importer::exported {

// One for each user output of the program: the dict keys and field names it lies under ("hidden_states_0"), or nothing
// where there are only positions.
std::vector<std::optional<std::string>> names_of_outputs(const torchfile::ExportedProgram& program);

}  // namespace onward::importer::exported
