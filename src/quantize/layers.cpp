#include "quantize/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "quantize/marks.h"

namespace onward::quantize {
namespace {

using ir::Node;
using ir::Value;

bool is_float_weight(const Value* value, size_t least_rank) {
  return value != nullptr && value->is_constant() && value->dtype == ir::DType::kFloat &&
         value->constant()->rank() >= least_rank && value->constant()->count() > 0;
}

void add_layer(Node& node, size_t input, size_t axis, std::vector<Layer>& layers) {
  if (is_float_weight(node.input(input), 2)) layers.push_back({&node, input, axis});
}

void add_storage_layers(Node& node, std::vector<Layer>& layers) {
  if (node.is("LSTM") || node.is("GRU") || node.is("RNN")) {
    add_layer(node, 1, 1, layers);
    add_layer(node, 2, 1, layers);
  } else if (node.is("Gather") && node.attrs.get("axis", int64_t{0}) == 0) {
    add_layer(node, 0, 0, layers);
  }
}

std::string quantized_operator(const ir::Graph& graph) {
  static constexpr std::array kOperators = {"DequantizeLinear", "QuantizeLinear", "DynamicQuantizeLinear",
                                            "MatMulInteger",    "ConvInteger",    "QLinearConv",
                                            "QLinearMatMul",    "MatMulNBits",    "GatherBlockQuantized"};
  for (const Node& node : graph.nodes()) {
    if (std::find(kOperators.begin(), kOperators.end(), node.op_type) != kOperators.end()) return node.op_type;
    std::string inside;
    ir::for_each_subgraph(node, [&](const ir::Graph& subgraph) {
      if (inside.empty()) inside = quantized_operator(subgraph);
    });
    if (!inside.empty()) return inside;
  }
  return {};
}

}  // namespace

std::vector<Layer> find_layers(ir::Graph& graph, bool storage) {
  std::vector<Layer> layers;
  for (Node& node : graph.nodes()) {
    if (node.is("Conv")) {
      add_layer(node, 1, 0, layers);
    } else if (node.is("ConvTranspose")) {
      add_layer(node, 1, 1, layers);
    } else if (node.is("Gemm")) {
      add_layer(node, 1, node.attrs.get("transB", int64_t{0}) != 0 ? 0 : 1, layers);
    } else if (node.is("MatMul") && node.input(1) != nullptr && node.input(1)->is_constant()) {
      add_layer(node, 1, node.input(1)->constant()->rank() - 1, layers);
    } else if (storage) {
      add_storage_layers(node, layers);
    }
  }
  return layers;
}

Value* result_of(const Node& node) {
  Value* result = node.output();
  if (result->uses().size() != 1) return result;
  Node* next = result->uses().front().node;
  if (next == nullptr || next->graph() != node.graph()) return result;
  const auto constant = [](const Value* value) { return value == nullptr || value->is_constant(); };
  const bool clip =
      next->is("Clip") && next->input(0) == result && constant(next->input(1)) && constant(next->input(2));
  return next->is("Relu") || clip ? next->output() : result;
}

bool matches_pattern(const std::string& pattern, const std::string& text) {
  size_t at = 0;
  size_t star = std::string::npos;
  size_t retry = 0;
  size_t p = 0;
  while (at < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = at;
    } else if (p < pattern.size() && pattern[p] == text[at]) {
      ++p;
      ++at;
    } else if (star != std::string::npos) {
      p = star + 1;
      at = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string::npos;
}

namespace {

bool fits(const std::string& pattern, const Node& node) {
  return matches_pattern(pattern, node.name) || matches_pattern(pattern, node.op_type) ||
         (node.origin && matches_pattern(pattern, node.origin->path));
}

bool fits_any(const std::vector<std::string>& patterns, const Node& node) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& one) { return fits(one, node); });
}

}  // namespace

std::string Selection::refusal(const Node& node) const {
  if (fits_any(exclude, node)) return "left out by --exclude";
  if (!only.empty() && !fits_any(only, node)) return "not among --only";
  return {};
}

void check_patterns(const Selection& selection, const std::vector<Layer>& layers) {
  for (const auto* patterns : {&selection.only, &selection.exclude}) {
    for (const std::string& pattern : *patterns) {
      const auto fitting = [&](const Layer& layer) { return fits(pattern, *layer.node); };
      if (std::any_of(layers.begin(), layers.end(), fitting)) continue;
      std::string names;
      for (size_t i = 0; i < std::min<size_t>(layers.size(), 8); ++i) names += (i == 0 ? "" : ", ") + layers[i].name();
      fail_invalid(
          fmt::format("no layer fits \"{}\" of {}", pattern, patterns == &selection.only ? "--only" : "--exclude"),
          fmt::format("the layers are {}{}", names, layers.size() > 8 ? " …" : ""));
    }
  }
}

void check_not_quantized(const ir::Model& model) {
  const std::string found = quantized_operator(*model.graph);
  const auto mark = model.metadata.find(kQuantizedMark);
  if (found.empty() && mark == model.metadata.end()) return;
  throw Error(Code::kFailedPrecondition,
              "the model is quantized already (" +
                  (mark != model.metadata.end() ? "by onward quantize --mode " + mark->second : "it holds " + found) +
                  ")",
              "quantize the float model that it was made of");
}

}  // namespace onward::quantize
