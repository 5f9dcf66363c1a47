// What TorchScript programs compute on Python's own values: numbers, strings, lists, dicts, and questions about
// tensors. Known values are computed at once; what depends on numbers that only the run will know becomes nodes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "import/torch/script/machine.h"

namespace onward::importer::script {

// Nothing: the arguments are not of the kind that the builtin is for (a tensor's operator may have the same name).
using Builtin = std::optional<Py> (*)(Machine& in, Items& args, Kwargs& kwargs);
using BuiltinTable = std::unordered_multimap<std::string, Builtin>;

void register_numbers(BuiltinTable& table);
void register_containers(BuiltinTable& table);
void register_strings(BuiltinTable& table);
void register_tensor_questions(BuiltinTable& table);
void register_environment(BuiltinTable& table);

// Nothing where `name` is no builtin for these arguments.
std::optional<Py> call_builtin(Machine& in, const std::string& name, Items& args, Kwargs& kwargs);

// Whether there is a builtin of that name for some arguments.
bool is_builtin(const std::string& name);

// An element type as TorchScript numbers it, and back; nothing for one that has no form in ONNX.
std::optional<ir::DType> dtype_of_number(int64_t scalar_type);
int64_t number_of_dtype(ir::DType dtype);

// `index` counted from the front, for a length; throws Raised where it is out of range.
size_t checked_index(int64_t index, size_t length);

}  // namespace onward::importer::script
