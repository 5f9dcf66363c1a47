// What the nodes of an exported program call: "torch.ops.aten.add.Tensor", "_operator.mul", "torch.sym_max".
#pragma once

#include <string>

#include "import/torch/script/machine.h"

namespace onward::importer::exported {

struct Target {
  std::string name;      // as the operator table and the builtins know it: "aten::add"
  std::string overload;  // "Tensor", "default"; "" for what has none
  bool to_int = false;   // the result is to be an integer
};

// A name that nothing knows for a target of an unknown form.
Target parse_target(const std::string& target);

// Assertions and hints on sizes, whose result (if any) is their first argument.
bool changes_nothing(const std::string& target);

// Whether an argument in place `index` is given by keyword, for files that don't tell.
bool is_keyword(const std::string& target, const std::string& name, size_t index);

// What torch.autocast does to the arguments of an operator: those that have a reduced form compute in `reduced`, those
// whose result is float32 get no reduced arguments.
void apply_autocast(script::Machine& machine, const std::string& name, ir::DType reduced, ir::DType result,
                    script::Items& args);

}  // namespace onward::importer::exported
