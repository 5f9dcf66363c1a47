// A condition: both branches translated into subgraphs of an ONNX If, with what they do to variables.
#pragma once

#include <functional>

#include "import/tensorflow/call.h"

namespace onward::importer::tf {

using BranchBody = std::function<Items(ir::Builder&, State&)>;

// `condition` is a bool scalar. Both branches return the same number of items. A constant condition leaves only its
// branch, built in place.
Items branch(Call& call, ir::Value* condition, const BranchBody& then_body, const BranchBody& else_body);

// Any tensor as TensorFlow takes it for a condition: a scalar that is not zero, a tensor that is not empty.
ir::Value* truth(ir::Builder& b, ir::Value* value);

}  // namespace onward::importer::tf
