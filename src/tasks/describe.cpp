#include "tasks/describe.h"

#include <map>
#include <set>

namespace onward::tasks {
namespace {

Json describe_value(const std::string& name, const ir::Value& value) {
  Json json = Json::object({{"name", name}, {"dtype", std::string(ir::dtype_name(value.dtype))}});
  if (!value.shape) return json;
  Json shape = Json::array();
  for (const ir::Dim& dim : *value.shape) {
    shape.push(dim.is_known() ? Json(dim.value()) : dim.is_symbol() ? Json(dim.symbol()) : Json());
  }
  json.set("shape", std::move(shape));
  return json;
}

template <class Visit>
void for_each_graph(const ir::Graph& graph, const Visit& visit) {
  visit(graph);
  for (const ir::Node& node : graph.nodes()) {
    ir::for_each_subgraph(node, [&](const ir::Graph& below) { for_each_graph(below, visit); });
  }
}

Json to_json(const std::map<std::string, int64_t>& counts) {
  Json json = Json::object();
  for (const auto& [name, count] : counts) json.set(name, count);
  return json;
}

}  // namespace

Json describe_inputs(const ir::Graph& graph) {
  Json inputs = Json::array();
  for (const ir::Value* input : graph.inputs()) inputs.push(describe_value(input->name, *input));
  return inputs;
}

Json describe_outputs(const ir::Graph& graph) {
  Json outputs = Json::array();
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const std::string& name = graph.output_names()[i];
    outputs.push(describe_value(name.empty() ? graph.outputs()[i]->name : name, *graph.outputs()[i]));
  }
  return outputs;
}

Json count_operators(const ir::Graph& graph) {
  std::map<std::string, int64_t> counts;
  for_each_graph(graph, [&](const ir::Graph& one) {
    for (const ir::Node& node : one.nodes()) {
      ++counts[node.domain.empty() ? node.op_type : node.domain + "." + node.op_type];
    }
  });
  return to_json(counts);
}

Json count_source_operators(const ir::Graph& graph) {
  std::map<std::string, int64_t> counts;
  std::set<const ir::Origin*> seen;
  for_each_graph(graph, [&](const ir::Graph& one) {
    for (const ir::Node& node : one.nodes()) {
      if (node.origin && !node.origin->op.empty() && seen.insert(node.origin.get()).second) ++counts[node.origin->op];
    }
  });
  return to_json(counts);
}

Weights count_weights(const ir::Graph& graph) {
  Weights weights;
  for_each_graph(graph, [&](const ir::Graph& one) {
    for (const ir::Value& value : one.values()) {
      if (!value.is_constant()) continue;
      ++weights.tensors;
      weights.bytes += value.constant()->bytes().size();
    }
  });
  return weights;
}

size_t bytes_on_disk(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    const auto size = std::filesystem::file_size(path, error);
    return error ? 0 : size;
  }
  size_t total = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, error)) {
    if (entry.is_regular_file(error)) total += entry.file_size(error);
  }
  return total;
}

}  // namespace onward::tasks
