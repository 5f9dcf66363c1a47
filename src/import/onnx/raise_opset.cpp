#include "import/onnx/raise_opset.h"

#include <fmt/format.h>
#include <onnx/checker.h>
#include <onnx/version_converter/convert.h>

#include <string>
#include <unordered_set>

#include "base/error.h"

namespace onward::importer {
namespace {

using Names = std::unordered_set<std::string>;

// What the checker leaves open and the converter relies on: every output of a graph is a value of it (or, in a
// subgraph, of those around it).
void require_outputs(const onnx::GraphProto& graph, Names names) {
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& initializer : graph.initializer()) names.insert(initializer.name());
  for (const auto& initializer : graph.sparse_initializer()) names.insert(initializer.values().name());
  for (const auto& node : graph.node()) {
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) require_outputs(attribute.g(), names);
      for (const auto& subgraph : attribute.graphs()) require_outputs(subgraph, names);
    }
    names.insert(node.output().begin(), node.output().end());
  }
  for (const auto& output : graph.output()) {
    if (!names.contains(output.name())) fail_data("nothing makes the output \"" + output.name() + "\"");
  }
}

void check(const onnx::ModelProto& proto, const std::filesystem::path& folder) {
  onnx::checker::CheckerContext context;
  context.set_ir_version(static_cast<int>(proto.ir_version()));
  context.set_model_dir(folder.string());
  std::unordered_map<std::string, int> opsets;
  for (const auto& opset : proto.opset_import()) opsets[opset.domain()] = static_cast<int>(opset.version());
  context.set_opset_imports(opsets);
  const onnx::checker::LexicalScopeContext scope;
  try {
    onnx::checker::check_graph(proto.graph(), context, scope);
  } catch (const std::exception& error) {
    fail_data(fmt::format("not a valid ONNX model: {}", error.what()));
  }
  require_outputs(proto.graph(), {});
}

}  // namespace

onnx::ModelProto raise_opset(const onnx::ModelProto& proto, int opset, int target,
                             const std::filesystem::path& folder) {
  check(proto, folder);
  try {
    return onnx::version_conversion::ConvertVersion(proto, target);
  } catch (const std::exception& error) {
    fail_unsupported(fmt::format("the model's opset {} cannot be raised to {}: {}", opset, target, error.what()));
  }
}

}  // namespace onward::importer
