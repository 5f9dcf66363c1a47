// Where a node of an exported program comes from: the operator, the module's path and the user's own source line.
#pragma once

#include <memory>
#include <string>

#include "formats/torch/exported_program.h"
#include "ir/graph.h"

namespace onward::importer::exported {

std::shared_ptr<const ir::Origin> origin_of(const torchfile::ExportedNode& node);

// "model.py:31 in forward: x = self.conv(x)" of a Python stack trace: the innermost frame that is the user's own.
std::string source_line(const std::string& stack_trace);

}  // namespace onward::importer::exported
