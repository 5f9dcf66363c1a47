// What an operator's use of an input tells about its type, for scripted programs whose files don't say.
#pragma once

#include <string>

#include "import/torch/script/machine.h"

namespace onward::importer::script {

// Throws NeedsType for a graph input of unknown rank or assumed dtype that the operator uses in a telling way: conv2d
// has four dimensions, an embedding's indices are integers, a condition is boolean.
void require_known_types(Machine& in, const std::string& name, const Items& args);

// After a failure: throws NeedsType where a tensor's unknown rank, which comes from a graph input, may be the reason.
void require_rank_of_inputs(Machine& in, const Items& args);

}  // namespace onward::importer::script
