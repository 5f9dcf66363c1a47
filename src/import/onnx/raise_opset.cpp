#include "import/onnx/raise_opset.h"

#include <fmt/format.h>
#include <onnx/checker.h>
#include <onnx/version_converter/convert.h>

#include <string>
#include <unordered_map>

#include "base/error.h"

namespace onward::importer {
namespace {

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
