// Translations of TensorFlow operators that come from outside the program.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "import/tensorflow/op_table.h"

namespace onward::importer::tf {

// Gives the operator's outputs in their order.
using CustomTranslate = std::function<ir::Values(Call&)>;

// `signature` as OpTable::add takes it: "MyOp", or "MyOp -> values, indices". Thread safe; imports that begin later
// know it. Throws Error: kInvalidArgument for no name, kAlreadyExists for an operator that has a translation.
void add_custom(const std::string& signature, CustomTranslate translate);

// Of the program's own table, or one that was added; null where the operator has no translation.
const Op* find_op(std::string_view name);

}  // namespace onward::importer::tf
