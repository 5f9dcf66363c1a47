// In-place operators and views, made functional: an in-place operator computes its out-of-place form and writes the
// result into the tensor object; a view remembers how it was taken and how a change of it goes back into its base.
#pragma once

#include <functional>
#include <string>

#include "import/torch/script/machine.h"

namespace onward::importer::script {

// Computes an operator without side effects on plain values; throws Error(kUnimplemented) where it is not known.
using Pure = std::function<Py(const std::string& name, const Items& args, const Kwargs& kwargs)>;

// Calls the operator `name`, which may be in-place ("aten::add_") or give views ("aten::select"), through `pure`.
Py call_aliasing(Machine& in, const std::string& name, Items& args, Kwargs& kwargs, const Pure& pure);

// An in-place operator that call_aliasing computes by itself, without an out-of-place form.
bool is_in_place(const std::string& name);

}  // namespace onward::importer::script
