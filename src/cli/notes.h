// What a conversion tells the user besides its success.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace onward::cli {

// Of an imported model: sizes of its inputs that the source fixed though they were meant to vary. One sentence each,
// the last with the remedy.
std::vector<std::string> notes_on(const ir::Model& model);

}  // namespace onward::cli
