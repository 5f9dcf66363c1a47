#include "import/torch/export/targets.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "import/torch/custom.h"

namespace onward::importer::exported {
namespace {

using script::Items;
using script::Machine;
using script::Py;

constexpr std::string_view kOps = "torch.ops.";

// Python's own functions on sizes and other numbers.
struct Function {
  std::string_view target;
  std::string_view name;
  bool to_int = false;
};
constexpr std::array kFunctions = std::to_array<Function>({
    {"torch.ops.aten.lift_fresh_copy.default", "aten::clone"},
    {"_operator.add", "aten::add"},
    {"_operator.sub", "aten::sub"},
    {"_operator.mul", "aten::mul"},
    {"_operator.truediv", "aten::truediv"},
    {"_operator.floordiv", "aten::floordiv"},
    {"_operator.mod", "aten::remainder"},
    {"_operator.pow", "aten::pow"},
    {"_operator.neg", "aten::neg"},
    {"_operator.pos", "aten::unwrap_optional"},
    {"_operator.abs", "aten::abs"},
    {"_operator.eq", "aten::eq"},
    {"_operator.ne", "aten::ne"},
    {"_operator.lt", "aten::lt"},
    {"_operator.le", "aten::le"},
    {"_operator.gt", "aten::gt"},
    {"_operator.ge", "aten::ge"},
    {"_operator.and_", "aten::__and__"},
    {"_operator.or_", "aten::__or__"},
    {"_operator.xor", "aten::__xor__"},
    {"_operator.not_", "aten::__not__"},
    {"_operator.lshift", "aten::__lshift__"},
    {"_operator.rshift", "aten::__rshift__"},
    {"_operator.getitem", "aten::__getitem__"},
    {"torch.sym_max", "prim::max"},
    {"torch.sym_min", "prim::min"},
    {"torch.sym_not", "aten::__not__"},
    {"torch.sym_float", "aten::Float"},
    {"torch.sym_int", "aten::Int"},
    {"torch.sym_sqrt", "aten::sqrt"},
    {"torch._sym_sqrt", "aten::sqrt"},
    {"torch.sym_sum", "aten::sum"},
    {"torch.sym_ite", "prim::ite"},
    {"builtins.abs", "aten::abs"},
    {"builtins.max", "prim::max"},
    {"builtins.min", "prim::min"},
    {"builtins.float", "aten::Float"},
    {"builtins.int", "aten::Int"},
    {"builtins.bool", "aten::Bool"},
    {"builtins.round", "aten::round", true},
    {"math.ceil", "aten::ceil"},
    {"math.floor", "aten::floor"},
    {"math.trunc", "aten::Int"},
    {"math.sqrt", "aten::sqrt"},
    {"math.exp", "aten::exp"},
    {"math.log", "aten::log"},
    {"math.sin", "aten::sin"},
    {"math.cos", "aten::cos"},
    {"math.tan", "aten::tan"},
    {"math.tanh", "aten::tanh"},
    {"math.pow", "aten::pow"},
});

constexpr std::array kAssertions = std::to_array<std::string_view>({
    "torch.ops.aten._assert_scalar.",
    "torch.ops.aten._assert_async.",
    "torch.ops.aten._functional_assert_async.",
    "torch.ops.aten._functional_assert_scalar.",
    "torch.ops.aten._assert_tensor_metadata.",
    "torch.ops.aten._linalg_check_errors.",
    "torch.ops.aten.sym_constrain_range.",
    "torch.ops.aten.sym_constrain_range_for_size.",
    "torch.ops.aten._functional_sym_constrain_range.",
    "torch.ops.aten._functional_sym_constrain_range_for_size.",
    "torch.ops.aten._make_dep_token.",
    "torch.ops.aten.promote_types.",
    "torch._check",
    "torch._functorch.predispatch.lazy_load_decompositions",
    "torch._C._set_grad_enabled",
    "torch.sym_fresh_size",
});

// What torch.autocast computes in the reduced type, on any device.
constexpr std::array kReduced = std::to_array<std::string_view>({"aten::conv1d",
                                                                 "aten::conv2d",
                                                                 "aten::conv3d",
                                                                 "aten::convolution",
                                                                 "aten::_convolution",
                                                                 "aten::conv_tbc",
                                                                 "aten::conv_transpose1d",
                                                                 "aten::conv_transpose2d",
                                                                 "aten::conv_transpose3d",
                                                                 "aten::linear",
                                                                 "aten::matmul",
                                                                 "aten::mm",
                                                                 "aten::mv",
                                                                 "aten::bmm",
                                                                 "aten::addmm",
                                                                 "aten::addmv",
                                                                 "aten::addr",
                                                                 "aten::addbmm",
                                                                 "aten::baddbmm",
                                                                 "aten::chain_matmul",
                                                                 "aten::linalg_multi_dot",
                                                                 "aten::linalg_vecdot",
                                                                 "aten::einsum",
                                                                 "aten::prelu",
                                                                 "aten::scaled_dot_product_attention",
                                                                 "aten::gru_cell",
                                                                 "aten::lstm_cell",
                                                                 "aten::rnn_tanh_cell",
                                                                 "aten::rnn_relu_cell",
                                                                 "aten::_thnn_fused_lstm_cell",
                                                                 "aten::_thnn_fused_gru_cell"});

// Keyword-only parameters of operators that the table does not know.
constexpr std::array kKeywords = std::to_array<std::string_view>(
    {"dtype", "layout", "device", "pin_memory", "memory_format", "generator", "out", "non_blocking", "copy"});

Py cast_floats(Machine& machine, const Py& arg, ir::DType dtype) {
  if (arg.is_tensor()) {
    ir::Value* value = machine.value(arg);
    const bool plain = ir::is_floating(value->dtype) && value->dtype != ir::DType::kDouble;
    return plain && value->dtype != dtype ? Py::tensor(machine.b().Cast(value, dtype)) : arg;
  }
  if (!arg.is<std::shared_ptr<script::List>>()) return arg;
  Items items;
  for (const Py& item : arg.items()) items.push_back(cast_floats(machine, item, dtype));
  return Py::list(std::move(items));
}

}  // namespace

Target parse_target(const std::string& target) {
  for (const Function& function : kFunctions) {
    if (function.target == target) return {std::string(function.name), {}, function.to_int};
  }
  if (!target.starts_with(kOps)) return {target, {}};
  const std::string rest = target.substr(kOps.size());
  const size_t space = rest.find('.');
  if (space == std::string::npos) return {target, {}};
  const size_t dot = rest.rfind('.');
  const bool overloaded = dot != space;
  return {rest.substr(0, space) + "::" + rest.substr(space + 1, overloaded ? dot - space - 1 : std::string::npos),
          overloaded ? rest.substr(dot + 1) : "default"};
}

bool changes_nothing(const std::string& target) {
  return std::any_of(kAssertions.begin(), kAssertions.end(), [&](std::string_view a) { return target.starts_with(a); });
}

bool is_keyword(const std::string& target, const std::string& name, size_t index) {
  Target known = parse_target(target);
  const bool in_place = known.name.ends_with('_') && !known.name.ends_with("__");
  if (in_place && !torch::table_of(known.name).contains(known.name)) known.name.pop_back();
  const torch::OpTable::Entry* entry =
      torch::table_of(known.name).find(known.name, known.overload == "default" ? "" : known.overload);
  if (entry == nullptr) return std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end();
  const std::vector<torch::Parameter>& parameters = entry->signature.parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name == name) return parameters[i].keyword_only || i != index;
  }
  return false;
}

void apply_autocast(Machine& machine, const std::string& name, ir::DType reduced, ir::DType result, Items& args) {
  const bool reduces = result == reduced && std::find(kReduced.begin(), kReduced.end(), name) != kReduced.end();
  if (!reduces && result != ir::DType::kFloat) return;
  for (Py& arg : args) arg = cast_floats(machine, arg, reduces ? reduced : ir::DType::kFloat);
}

}  // namespace onward::importer::exported
