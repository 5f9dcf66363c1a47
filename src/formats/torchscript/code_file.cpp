// The source map of a code file: <file>.debug_pkl.
#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "formats/torchscript/archive.h"
#include "formats/torchscript/lexer.h"

namespace onward::torchscript {
namespace {

using pickle::Items;
using pickle::Value;

std::string base_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

bool in_library(std::string_view path) {
  return path.find("/site-packages/") != std::string_view::npos ||
         path.find("/dist-packages/") != std::string_view::npos;
}

// "path(31): forward" lines, innermost first: the first that is not in an installed package.
std::string source_of_trace(std::string_view text) {
  std::string first;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t close = line.rfind("): ");
    const size_t open = line.rfind('(', close);
    if (close == std::string_view::npos || open == std::string_view::npos) return {};
    const std::string place = base_name(line.substr(0, open)) + ":" +
                              std::string(line.substr(open + 1, close - open - 1)) + " in " +
                              std::string(line.substr(close + 3));
    if (!in_library(line.substr(0, open))) return place;
    if (first.empty()) first = place;
  }
  return first;
}

struct Source {
  std::string text;
  std::string file;
  int64_t first_line = 0;
};

// The texts of a table, or the text itself (older archives).
Source read_source(const Value& value, const std::vector<std::string>& table) {
  const Items& parts = value.items();
  Source source;
  if (parts.size() < 3) return source;
  const auto entry = [&](const Value& index) -> std::string {
    const int64_t i = index.as_int();
    return i >= 0 && static_cast<size_t>(i) < table.size() ? table[static_cast<size_t>(i)] : std::string();
  };
  const Value& lines = untagged(*parts[0]);
  if (lines.is_string()) {
    source.text = lines.text();
  } else {
    for (const Value* index : lines.items()) source.text += entry(*index);
  }
  if (parts[1]->is_string()) {
    source.file = parts[1]->text();
  } else if (parts[1]->is_int()) {
    source.file = entry(*parts[1]);
  }
  source.first_line = parts[2]->as_int();
  return source;
}

std::string place_of(const Source& source, int64_t start) {
  if (source.text.empty()) return {};
  if (std::string trace = source_of_trace(source.text); !trace.empty()) return trace;
  if (source.file.empty()) return {};
  const size_t at = std::min(static_cast<size_t>(std::max<int64_t>(start, 0)), source.text.size());
  const size_t line_start = at == 0 ? 0 : source.text.rfind('\n', at - 1) + 1;
  const size_t line_end = std::min(source.text.find('\n', at), source.text.size());
  const int64_t line = source.first_line + static_cast<int64_t>(line_of(source.text, at)) - 1;
  return base_name(source.file) + ":" + std::to_string(line) + ": " +
         trimmed(std::string_view(source.text).substr(line_start, line_end - line_start));
}

}  // namespace

CodeFile::CodeFile(std::string path, Bytes code, Bytes debug, std::string_view what)
    : path_(std::move(path)), code_(std::move(code)), unit_(parse(code_.text(), std::string(what) + ": " + path_)) {
  try {
    if (!debug.empty()) read_debug(debug);
  } catch (const Error&) {
    ranges_.clear();  // a map that can't be read only costs the source lines in messages
  }
}

void CodeFile::read_debug(const Bytes& debug) {
  const pickle::Document document = pickle::Document::read(debug.view(), path_ + ".debug_pkl");
  const Items* ranges = &untagged(document.root()).items();
  std::vector<std::string> table;
  if (ranges->size() == 3 && (*ranges)[0]->is_string()) {  // "FORMAT_WITH_STRING_TABLE", texts, ranges
    for (const Value* text : untagged(*(*ranges)[1]).items()) table.push_back(text->text());
    ranges = &untagged(*(*ranges)[2]).items();
  }
  for (const Value* item : *ranges) {
    const Items& parts = item->items();
    if (parts.size() < 2) continue;
    const Items& range = parts[1]->items();  // (source, start, end)
    if (range.size() < 3) continue;
    ranges_.push_back({parts[0]->as_int(), place_of(read_source(*range[0], table), range[1]->as_int())});
  }
  std::stable_sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.bytes < b.bytes; });
}

std::string CodeFile::source(uint32_t offset) const {
  auto after = std::upper_bound(ranges_.begin(), ranges_.end(), int64_t{offset},
                                [](int64_t at, const Range& range) { return at < range.bytes; });
  while (after != ranges_.begin()) {
    --after;
    if (!after->source.empty()) return after->source;
  }
  return {};
}

}  // namespace onward::torchscript
