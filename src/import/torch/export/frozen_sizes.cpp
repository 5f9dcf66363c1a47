#include "import/torch/export/frozen_sizes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>
#include <string_view>

namespace onward::importer::exported {
namespace {

using torchfile::ExportedArgument;
using torchfile::ExportedNode;
using torchfile::ExportedProgram;
using torchfile::InputSpec;
using torchfile::SymbolicInt;
using torchfile::TensorMeta;
using Kind = ExportedArgument::Kind;

// --- reading guards --------------------------------------------------------------------------------------------------

// Takes `text` off the front; false where it is not there.
bool take(std::string_view& rest, std::string_view text) {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}

std::optional<int64_t> take_number(std::string_view& rest) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  return number;
}

// "['pair'][0]" → "pair_0", as torch.export names what it flattens.
std::string take_name(std::string_view& rest) {
  std::string name;
  while (take(rest, "[")) {
    const size_t end = rest.find(']');
    if (end == std::string_view::npos) return {};
    std::string_view key = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (take(key, "'") && key.ends_with('\'')) key.remove_suffix(1);
    name += (name.empty() ? "" : "_") + std::string(key);
  }
  return name;
}

struct Pin {
  std::string input;
  size_t axis = 0;
  int64_t size = 0;
};

// "L['x'].size()[1] == 7"
std::optional<Pin> parse_pin(std::string_view guard) {
  Pin pin;
  if (!take(guard, "L")) return std::nullopt;
  pin.input = take_name(guard);
  if (pin.input.empty() || !take(guard, ".size()[")) return std::nullopt;
  const std::optional<int64_t> axis = take_number(guard);
  if (!axis || !take(guard, "] == ")) return std::nullopt;
  const std::optional<int64_t> size = take_number(guard);
  if (!size || !guard.empty()) return std::nullopt;
  pin.axis = static_cast<size_t>(*axis);
  pin.size = *size;
  return pin;
}

// --- what a size may have led to -------------------------------------------------------------------------------------

// Arguments that are settings of a module, not sizes of what it is called with.
bool is_setting(std::string_view argument) {
  static constexpr auto kSettings =
      std::to_array<std::string_view>({"kernel_size",    "stride",      "padding", "dilation",   "groups",
                                       "output_padding", "dim",         "dims",    "dim0",       "dim1",
                                       "start_dim",      "end_dim",     "axis",    "num_layers", "normalized_shape",
                                       "num_groups",     "padding_idx", "eps",     "momentum",   "exponent",
                                       "reduction",      "approximate", "dropout", "p"});
  return std::find(kSettings.begin(), kSettings.end(), argument) != kSettings.end();
}

class Suspicion {
 public:
  Suspicion(const ExportedProgram& program, const FrozenSizes& frozen) : program_(program) {
    for (const auto& [input, axes] : frozen) {
      for (const auto& [axis, size] : axes) sizes_.insert(size);
    }
    for (const InputSpec& input : program.inputs) {
      if (input.kind != InputSpec::Kind::kParameter) continue;
      for (const SymbolicInt& size : meta(input).sizes) widths_.insert(size.value.value_or(0));
    }
  }

  bool of_constants() const {
    return std::any_of(program_.inputs.begin(), program_.inputs.end(), [&](const InputSpec& input) {
      if (input.kind != InputSpec::Kind::kTensorConstant) return false;
      const TensorMeta& constant = meta(input);
      return std::any_of(constant.sizes.begin(), constant.sizes.end(),
                         [&](const SymbolicInt& size) { return of_integer(size.value.value_or(0)); });
    });
  }

  bool of_node(const ExportedNode& node) const {
    const bool by_inputs = std::any_of(node.inputs.begin(), node.inputs.end(), [&](const auto& input) {
      const bool joined = input.name == "tensors" && is_near(static_cast<int64_t>(input.value.items.size()));
      return joined || (!is_setting(input.name) && of_argument(input.value));
    });
    return by_inputs || std::any_of(node.outputs.begin(), node.outputs.end(), [&](const ExportedArgument& output) {
             return output.kind == Kind::kList && is_near(static_cast<int64_t>(output.items.size()));
           });
  }

 private:
  const TensorMeta& meta(const InputSpec& input) const {
    static const TensorMeta kNone;
    const auto found = program_.graph.tensors.find(input.argument.text);
    return found == program_.graph.tensors.end() ? kNone : found->second;
  }

  bool is_near(int64_t number) const {
    return std::any_of(sizes_.begin(), sizes_.end(), [&](int64_t size) { return std::abs(number - size) <= 2; });
  }

  // A multiple, a part or a neighbour of a frozen size; widths of the model's own layers are what they are.
  bool of_integer(int64_t number) const {
    if (number == INT64_MAX || number == INT64_MIN || std::abs(number) <= 1) return false;
    if (widths_.contains(number) && !sizes_.contains(number)) return false;
    return is_near(std::abs(number)) || std::any_of(sizes_.begin(), sizes_.end(), [&](int64_t size) {
             return size > 1 && (number % size == 0 || size % number == 0);
           });
  }

  // Also what is left of means, scales and roots.
  bool of_real(double number) const {
    if (number == 0 || std::abs(number) == 1 || !std::isfinite(number)) return false;
    const auto whole = [](double value) {
      value = std::abs(value);
      return value > 0.5 && value < 1e6 && std::abs(value - std::round(value)) < 1e-5 * value;
    };
    return std::any_of(sizes_.begin(), sizes_.end(), [&](int64_t size) {
      const auto n = static_cast<double>(size);
      return whole(number * n) || whole(number / n) || whole(number * number * n) || whole(number * number / n);
    });
  }

  bool of_argument(const ExportedArgument& argument) const {
    switch (argument.kind) {
      case Kind::kExpression:
      case Kind::kGraph:
        return true;
      case Kind::kInt:
        return of_integer(argument.integer);
      case Kind::kFloat:
        return of_real(argument.number);
      case Kind::kList:
        return std::any_of(argument.items.begin(), argument.items.end(),
                           [&](const ExportedArgument& item) { return of_argument(item); });
      default:
        return false;
    }
  }

  const ExportedProgram& program_;
  std::set<int64_t> sizes_;
  std::set<int64_t> widths_;
};

}  // namespace

FrozenSizes frozen_sizes(const ExportedProgram& program) {
  FrozenSizes frozen;
  for (const std::string& guard : program.guards) {
    const std::optional<Pin> pin = parse_pin(guard);
    if (!pin) continue;
    const auto meta = program.graph.tensors.find(pin->input);
    if (meta == program.graph.tensors.end() || pin->axis >= meta->second.sizes.size()) continue;
    const SymbolicInt& size = meta->second.sizes[pin->axis];
    if (size.expression.empty() && size.value == pin->size) frozen[pin->input][pin->axis] = pin->size;
  }
  return frozen;
}

bool only_inputs_are_frozen(const ExportedProgram& program, const FrozenSizes& frozen) {
  if (frozen.empty()) return false;
  const Suspicion suspicion(program, frozen);
  return !suspicion.of_constants() && std::none_of(program.graph.nodes.begin(), program.graph.nodes.end(),
                                                   [&](const ExportedNode& node) { return suspicion.of_node(node); });
}

ExportedProgram opened(ExportedProgram program, const FrozenSizes& frozen) {
  std::set<std::string> given;
  for (const InputSpec& input : program.inputs) given.insert(input.argument.text);
  for (auto& [name, meta] : program.graph.tensors) {
    if (given.contains(name)) continue;
    for (SymbolicInt& size : meta.sizes) size.value.reset();
  }
  for (const auto& [input, axes] : frozen) {
    for (const auto& [axis, size] : axes) {
      program.graph.tensors.at(input).sizes[axis] = {std::nullopt,
                                                     "Symbol('" + input + "_dim_" + std::to_string(axis) + "')"};
    }
  }
  return program;
}

}  // namespace onward::importer::exported
