// The inputs and outputs of a graph that has no signature: those the user names, else placeholders and what nothing
// uses.
#pragma once

#include "import/tensorflow/signature.h"

namespace onward::importer::tf {

// A placeholder tells its type and shape; of any other tensor the type is its operator's, the shape what the file
// notes.
std::vector<Port> graph_inputs(const Body& body, const Options& options);
std::vector<Port> graph_outputs(const Body& body, const Options& options);

}  // namespace onward::importer::tf
