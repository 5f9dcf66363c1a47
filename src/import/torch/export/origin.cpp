#include "import/torch/export/origin.h"

#include <array>
#include <string_view>
#include <vector>

namespace onward::importer::exported {
namespace {

constexpr std::string_view kOps = "torch.ops.";

struct Frame {
  std::string_view file;
  std::string_view line;
  std::string_view function;
  std::string_view code;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// 'File "model.py", line 31, in forward'
bool parse_frame(std::string_view text, Frame& frame) {
  constexpr std::string_view kFile = "File \"";
  constexpr std::string_view kLine = "\", line ";
  if (!text.starts_with(kFile)) return false;
  text.remove_prefix(kFile.size());
  const size_t end = text.find(kLine);
  if (end == std::string_view::npos) return false;
  frame.file = text.substr(0, end);
  text.remove_prefix(end + kLine.size());
  const size_t comma = text.find(',');
  frame.line = text.substr(0, comma);
  constexpr std::string_view kIn = ", in ";
  if (comma != std::string_view::npos && text.substr(comma).starts_with(kIn)) {
    frame.function = text.substr(comma + kIn.size());
  }
  return true;
}

std::vector<Frame> parse_frames(std::string_view trace) {
  std::vector<Frame> frames;
  while (!trace.empty()) {
    const size_t end = trace.find('\n');
    const std::string_view line = trimmed(trace.substr(0, end));
    Frame frame;
    if (parse_frame(line, frame)) {
      frames.push_back(frame);
    } else if (!frames.empty() && frames.back().code.empty()) {
      frames.back().code = line;
    }
    trace.remove_prefix(end == std::string_view::npos ? trace.size() : end + 1);
  }
  return frames;
}

bool is_library(std::string_view file) {
  constexpr std::array<std::string_view, 4> kPlaces = {"site-packages/", "dist-packages/", "<eval_with_key>",
                                                       "<string>"};
  for (const std::string_view place : kPlaces) {
    if (file.find(place) != std::string_view::npos) return true;
  }
  return file.starts_with("torch/");
}

// The path of the innermost module of "key,path,class;key,path,class".
std::string module_path(std::string_view stack) {
  const size_t last = stack.rfind(';');
  std::string_view entry = last == std::string_view::npos ? stack : stack.substr(last + 1);
  const size_t first_comma = entry.find(',');
  const size_t last_comma = entry.rfind(',');
  if (first_comma == std::string_view::npos || last_comma <= first_comma) return {};
  std::string_view path = entry.substr(first_comma + 1, last_comma - first_comma - 1);
  for (const std::string_view prefix : {std::string_view("L['self']."), std::string_view("L__self__.")}) {
    if (path.starts_with(prefix)) path.remove_prefix(prefix.size());
  }
  if (path == "L['self']" || path.starts_with("_empty_nn_module_stack")) return {};
  return std::string(path);
}

}  // namespace

std::string source_line(const std::string& stack_trace) {
  const std::vector<Frame> frames = parse_frames(stack_trace);
  const Frame* chosen = nullptr;
  for (const Frame& frame : frames) {
    if (chosen == nullptr || !is_library(frame.file) || is_library(chosen->file)) chosen = &frame;
  }
  if (chosen == nullptr) return {};
  const size_t slash = chosen->file.find_last_of("/\\");
  std::string text(slash == std::string_view::npos ? chosen->file : chosen->file.substr(slash + 1));
  text.append(":").append(chosen->line);
  if (!chosen->function.empty()) text.append(" in ").append(chosen->function);
  if (!chosen->code.empty()) text.append(": ").append(chosen->code);
  return text;
}

std::shared_ptr<const ir::Origin> origin_of(const torchfile::ExportedNode& node) {
  auto origin = std::make_shared<ir::Origin>();
  origin->op = node.target.starts_with(kOps) ? node.target.substr(kOps.size()) : node.target;
  origin->path = module_path(node.module_stack);
  origin->source = source_line(node.stack_trace);
  return origin;
}

}  // namespace onward::importer::exported
