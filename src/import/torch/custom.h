// Translations of PyTorch operators that come from outside the program.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "import/torch/op_table.h"

namespace onward::importer::torch {

// Gives as many values as the signature has results.
using CustomTranslate = std::function<ir::Values(Call&)>;

// `signature` as PyTorch prints it: "mylib::scale(Tensor x, float by=2.0) -> Tensor". Thread safe; imports that begin
// later know it. Throws Error: kInvalidArgument for what is no signature, kAlreadyExists for an operator that has a
// translation.
void add_custom(const std::string& signature, CustomTranslate translate);

// The table in which to look for an operator: the program's own, or that of one that was added.
const OpTable& table_of(const std::string& name);

}  // namespace onward::importer::torch
