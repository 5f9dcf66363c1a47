#include "import/torch/script/structure.h"

#include <map>

namespace onward::importer::script {

std::string structure(const ir::Graph& graph) {
  std::map<const ir::Value*, size_t> numbers;
  std::string text;
  const auto refer = [&](const ir::Value* value) {
    if (value == nullptr) return;
    const auto [at, added] = numbers.emplace(value, numbers.size());
    text += " " + std::to_string(at->second);
    if (!added || !value->is_constant()) return;
    text += ir::dtype_name(value->dtype);
    for (const int64_t dim : value->constant()->dims()) text += "," + std::to_string(dim);
    if (value->constant()->count() > 16 || value->dtype == ir::DType::kString) return;
    for (const double number : value->constant()->doubles()) text += ";" + std::to_string(number);
  };
  for (const ir::Node& node : graph.nodes()) {
    text += "\n" + node.op_type;
    for (const auto& [name, attr] : node.attrs) {
      text += " " + name;
      if (const auto* ints = attr.get_if<ir::Attr::Ints>()) {
        for (const int64_t one : *ints) text += "," + std::to_string(one);
      }
      if (const auto* one = attr.get_if<int64_t>()) text += "=" + std::to_string(*one);
    }
    for (size_t i = 0; i < node.inputs().size(); ++i) refer(node.input(i));
    for (const ir::Value* output : node.outputs()) refer(output);
    ir::for_each_subgraph(node, [&](const ir::Graph& subgraph) { text += "{" + structure(subgraph) + "}"; });
  }
  for (const ir::Value* output : graph.outputs()) refer(output);
  return text;
}

}  // namespace onward::importer::script
