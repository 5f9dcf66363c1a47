#include "cli/predict/printing.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "server/protocol/json_tensor.h"

namespace onward::cli {
namespace {

constexpr size_t kShown = 6;

// Columns on a terminal: characters, not bytes.
size_t width(const std::string& text) {
  const auto characters = decode_utf8(text);
  return characters ? characters->size() : text.size();
}

}  // namespace

std::string type_text(const ir::Tensor& tensor) {
  return fmt::format("{} {}", ir::dtype_name(tensor.dtype()), ir::shape_text(ir::to_shape(tensor.dims())));
}

std::string preview(const ir::Tensor& tensor) {
  if (tensor.count() == 0) return "no values";
  std::string text;
  for (size_t i = 0; i < std::min(tensor.count(), kShown); ++i) {
    if (i > 0) text += ", ";
    server::write_element(text, tensor, i);
  }
  if (tensor.count() > kShown) text += fmt::format(", … ({} values)", tensor.count());
  return text;
}

std::string size_text(size_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  for (const char* unit : {"kB", "MB"}) {
    value /= 1000;
    if (value < 1000) return fmt::format("{:.{}f} {}", value, value < 10 ? 1 : 0, unit);
  }
  return fmt::format("{:.1f} GB", value / 1000);
}

std::string counted(size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    text += " ";
    for (size_t i = 0; i < row.size(); ++i) {
      text += " " + row[i];
      if (i + 1 < row.size()) text.append(widths[i] - width(row[i]) + 1, ' ');
    }
    text += "\n";
  }
  return text;
}

}  // namespace onward::cli
