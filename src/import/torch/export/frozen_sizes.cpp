#include "import/torch/export/frozen_sizes.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace onward::importer::exported {
namespace {

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

}  // namespace

std::map<std::string, std::map<size_t, int64_t>> frozen_sizes(const torchfile::ExportedProgram& program) {
  std::map<std::string, std::map<size_t, int64_t>> frozen;
  for (const std::string& guard : program.guards) {
    const std::optional<Pin> pin = parse_pin(guard);
    if (!pin) continue;
    const auto meta = program.graph.tensors.find(pin->input);
    if (meta == program.graph.tensors.end() || pin->axis >= meta->second.sizes.size()) continue;
    const torchfile::SymbolicInt& size = meta->second.sizes[pin->axis];
    if (size.expression.empty() && size.value == pin->size) frozen[pin->input][pin->axis] = pin->size;
  }
  return frozen;
}

}  // namespace onward::importer::exported
