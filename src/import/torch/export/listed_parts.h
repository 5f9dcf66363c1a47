// Splits into as many parts as the file lists, where sizes or numbers that only a run knows decide.
#pragma once

#include <string>

#include "import/torch/script/machine.h"

namespace onward::importer::exported {

// The target to call instead of `target`, whose results are a list of `parts` tensors: itself, or, for a split whose
// arguments alone don't tell that number, the form of it that does, with `args` and `kwargs` changed to fit.
std::string with_listed_parts(script::Machine& machine, const std::string& target, script::Items& args,
                              script::Kwargs& kwargs, size_t parts);

}  // namespace onward::importer::exported
