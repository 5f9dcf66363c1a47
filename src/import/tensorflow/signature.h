// The model's inputs and outputs, and running the program between them.
#pragma once

#include "import/common/options.h"
#include "import/tensorflow/evaluator.h"

namespace onward::importer::tf {

struct Port {
  std::string name;    // as the model's user sees it
  std::string tensor;  // in the graph
  tensorflow::DataType type = tensorflow::DataType::kInvalid;
  tensorflow::PartialShape shape;
};

// Makes graph inputs of `ports` and binds them in the scope of the main graph. Throws Error(kInvalidArgument) for
// options.input_dims of inputs that are not there.
void add_inputs(const std::vector<Port>& ports, const Options& options, Scope& scope);

// Evaluates `ports` and makes them graph outputs, unless there are blockers: those are thrown, all at once.
void add_outputs(const std::vector<Port>& ports, Evaluator& evaluator, Scope& scope, const std::string& file);

// Binds a tensor of the main graph to a value that is known from elsewhere.
void feed(Scope& scope, const std::string& tensor, Item item);

}  // namespace onward::importer::tf
