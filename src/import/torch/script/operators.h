// Calls operators on tensors through the table of PyTorch operators.
#pragma once

#include "import/torch/script/machine.h"

namespace onward::importer::script {

// Whether anything here knows the operator, whatever its arguments.
bool has_translation(const std::string& name);

// A Machine's operators: Python's own, then those of the table, made functional where they are in-place. What the
// table lacks or refuses goes to `blockers`, and stands as an untranslated node for the rest of the import.
Machine::Operators table_operators(Blockers& blockers);

// Throws Error(kUnimplemented) for a result that a translation leaves out.
[[noreturn]] void fail_left_out();

}  // namespace onward::importer::script
