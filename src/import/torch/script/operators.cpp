#include "import/torch/script/operators.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "import/torch/custom.h"
#include "import/torch/script/aliasing.h"
#include "import/torch/script/builtins.h"
#include "import/torch/script/hints.h"

namespace onward::importer::script {
namespace {

using torch::Arg;
using torch::Arguments;

Arg to_arg(Machine& in, const Py& value) {
  if (value.is_none() || value.is<Device>()) return {};
  if (value.is<Uninitialized>()) {
    fail_unsupported("a value that one branch of a condition leaves undefined is used after it");
  }
  if (value.is<bool>()) return value.as_bool();
  if (value.is<int64_t>()) return value.as_int();
  if (value.is<double>()) return value.as_double();
  if (value.is<std::string>()) return value.text();
  if (const auto* number = value.get_if<std::complex<double>>()) return *number;
  if (value.is_tensor()) return torch::TensorArg{in.value(value)};
  if (const auto* symbolic = value.get_if<Symbolic>()) return torch::SymbolArg{symbolic->value};
  if (value.has_items()) {
    Arg::List list;
    for (const Py& item : value.items()) list.push_back(to_arg(in, item));
    return list;
  }
  fail_unsupported(std::string(value.type_name()) + " is given to an operator");
}

// TorchScript writes element types as numbers; the table knows them by the parameter's type.
void convert_dtypes(const torch::Signature& signature, Arguments& arguments) {
  const auto convert = [](const torch::Parameter& parameter, Arg& arg) {
    const auto* number = std::get_if<int64_t>(&arg.data);
    if (parameter.type == torch::Parameter::Type::kDType && number != nullptr) {
      const std::optional<ir::DType> dtype = dtype_of_number(*number);
      if (!dtype) fail_unsupported("an element type that ONNX lacks");
      arg = *dtype;
    } else if (parameter.type == torch::Parameter::Type::kDevice) {
      arg = Arg();
    }
  };
  for (size_t i = 0; i < arguments.positional.size() && i < signature.parameters.size(); ++i) {
    convert(signature.parameters[i], arguments.positional[i]);
  }
  for (auto& [name, arg] : arguments.keywords) {
    if (const torch::Parameter* parameter = signature.find(name)) convert(*parameter, arg);
  }
}

Py from_results(const torch::Signature& signature, const ir::Values& results) {
  Items items;
  for (ir::Value* result : results) items.push_back(Py::tensor(result));
  if (signature.gives_list) return Py::list(std::move(items));
  if (signature.gives_number && results.size() == 1) {
    const ir::DType dtype = results[0]->dtype;
    return Py::number(results[0], dtype == ir::DType::kBool ? Symbolic::Kind::kBool
                                  : ir::is_floating(dtype)  ? Symbolic::Kind::kFloat
                                                            : Symbolic::Kind::kInt);
  }
  return items.size() == 1 && signature.results == 1 ? items[0] : Py::tuple(std::move(items));
}

// Operators that promote the types of two operands.
bool promotes(const std::string& name) {
  static const std::set<std::string> kNames = {
      "aten::add",       "aten::sub",  "aten::mul",          "aten::div",         "aten::rsub", "aten::pow",
      "aten::remainder", "aten::fmod", "aten::floor_divide", "aten::true_divide", "aten::eq",   "aten::ne",
      "aten::lt",        "aten::le",   "aten::gt",           "aten::ge"};
  return kNames.contains(name);
}

std::string remedy_for(const std::string& name) {
  if (!name.starts_with("aten::") && !name.starts_with("prim::")) {
    return "write what the custom operator does with PyTorch's own operators, and export again";
  }
  if (name.find("nested") != std::string::npos || name == "aten::to_padded_tensor") {
    return "nested tensors come from the fast path of nn.TransformerEncoder: save the model again after "
           "torch.backends.mha.set_fastpath_enabled(False), or with torch.export";
  }
  if (name.find("sparse") != std::string::npos) return "ONNX has no sparse tensors: use dense ones, and save again";
  return "";
}

[[noreturn]] void fail_untranslated(const std::string& name) {
  fail_unsupported(name + " has no translation", remedy_for(name));
}

Py call_table(Machine& in, const std::string& name, const Items& args, const Kwargs& kwargs) {
  const torch::OpTable& table = torch::table_of(name);
  Arguments arguments;
  for (const Py& arg : args) {
    const bool number = promotes(name) && arg.is_tensor() && in.was_number(in.value(arg));
    arguments.positional.push_back(number ? Arg(in.value(arg)->constant()->as_double()) : to_arg(in, arg));
  }
  for (const auto& [key, value] : kwargs) {
    if (key == "generator" || key == "out") continue;
    arguments.keywords.emplace_back(key, to_arg(in, value));
  }
  if (!table.contains(name)) fail_untranslated(name);
  const torch::OpTable::Entry* entry = table.resolve(name, arguments, in.overload());
  if (entry == nullptr) fail_unsupported("[" + name + "] its arguments fit no form of the operator that is translated");
  convert_dtypes(entry->signature, arguments);
  return from_results(entry->signature, torch::OpTable::call(*entry, in.b(), arguments));
}

bool on_untranslated(Machine& in, const Items& args) {
  return std::any_of(args.begin(), args.end(), [&](const Py& arg) {
    if (arg.is_tensor()) return is_untranslated(in.value(arg));
    if (const auto* list = arg.get_if<std::shared_ptr<List>>()) return on_untranslated(in, (*list)->items);
    return false;
  });
}

// Some translations leave out a result that ONNX can't give, such as the vectors of a singular value decomposition.
void require_made(Machine& in, const Items& args) {
  for (const Py& arg : args) {
    if (arg.is_tensor() && in.value(arg) == nullptr) fail_left_out();
  }
}

Py placeholder(Machine& in, const std::string& name, const Items& args) {
  ir::Values inputs;
  for (const Py& arg : args) {
    if (arg.is_tensor()) inputs.push_back(in.value(arg));
  }
  return Py::tensor(in.b().foreign("torch", name.substr(name.rfind(':') + 1), inputs, 1).front());
}

Py call(Machine& in, Blockers& blockers, const std::string& name, Items& args, Kwargs& kwargs) {
  require_made(in, args);
  if (std::optional<Py> result = call_builtin(in, name, args, kwargs)) return *result;
  if (on_untranslated(in, args)) {
    try {
      if (!has_translation(name)) fail_untranslated(name);
    } catch (const Error& error) {
      blockers.add(*in.origin(), error);
    }
    return placeholder(in, name, args);
  }
  require_known_types(in, name, args);
  const Pure pure = [&in](const std::string& pure_name, const Items& pure_args, const Kwargs& pure_kwargs) {
    Items own = pure_args;
    Kwargs own_kwargs = pure_kwargs;
    if (std::optional<Py> result = call_builtin(in, pure_name, own, own_kwargs)) return *result;
    return call_table(in, pure_name, own, own_kwargs);
  };
  try {
    return call_aliasing(in, name, args, kwargs, pure);
  } catch (const Error& error) {
    if (error.code() != Code::kUnimplemented && error.code() != Code::kInvalidArgument) throw;
    require_rank_of_inputs(in, args);
    blockers.add(*in.origin(), error);
    return placeholder(in, name, args);
  }
}

}  // namespace

void fail_left_out() {
  fail_unsupported("a result is used that has no translation, such as the vectors of a singular value decomposition",
                   "let the model use the operator's other results only");
}

bool has_translation(const std::string& name) {
  if (torch::table_of(name).contains(name) || is_builtin(name) || is_in_place(name)) return true;
  return name.ends_with('_') && torch::op_table().contains(name.substr(0, name.size() - 1));
}

Machine::Operators table_operators(Blockers& blockers) {
  return [&blockers](Machine& in, const std::string& name, Items& args, Kwargs& kwargs) {
    return call(in, blockers, name, args, kwargs);
  };
}

}  // namespace onward::importer::script
