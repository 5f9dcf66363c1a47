#include "export/names.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace onward::exporter {
namespace {

class Namer {
 public:
  void reserve(const std::string& name) { taken_.insert(name); }

  std::string unique(const std::string& wanted) {
    if (taken_.insert(wanted).second) return wanted;
    size_t& next = next_[wanted];
    std::string candidate;
    do {
      candidate = wanted + "_" + std::to_string(++next);
    } while (!taken_.insert(candidate).second);
    return candidate;
  }

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, size_t> next_;
};

// A value that is an input or constant, or is given back twice, needs an Identity to be an output of its own name.
void separate_outputs(ir::Graph& graph, const std::vector<std::string>& names) {
  std::set<const ir::Value*> seen;
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    ir::Value* value = graph.outputs()[i];
    const bool own = value->producer() != nullptr && value->graph() == &graph && seen.insert(value).second;
    if (own) {
      value->name = names[i];
      continue;
    }
    ir::Node* node = graph.add_node("", "Identity", {value}, 1);
    node->output()->kind = value->kind;
    node->output()->dtype = value->dtype;
    node->output()->shape = value->shape;
    node->output()->name = names[i];
    graph.set_output(i, node->output());
  }
}

// Not of a subgraph, which may give back a value of this graph.
bool is_output_of(const ir::Graph& graph, const ir::Value& value) {
  return std::any_of(value.uses().begin(), value.uses().end(),
                     [&](const ir::Use& use) { return use.node == nullptr && use.graph == &graph; });
}

class Assigner {
 public:
  void assign_top(ir::Graph& graph) {
    for (ir::Value* input : graph.inputs()) input->name = namer_.unique(input->name.empty() ? "input" : input->name);
    std::vector<std::string> names;
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      const std::string& given = graph.output_names()[i];
      const std::string& own = graph.outputs()[i]->name;
      names.push_back(namer_.unique(!given.empty() ? given : !own.empty() ? own : "output_" + std::to_string(i)));
    }
    separate_outputs(graph, names);
    assign_body(graph);
  }

 private:
  void assign_subgraph(ir::Graph& graph) {
    for (ir::Value* input : graph.inputs()) input->name = namer_.unique(input->name.empty() ? "arg" : input->name);
    std::vector<std::string> names;
    for (size_t i = 0; i < graph.outputs().size(); ++i) names.push_back(namer_.unique("result_" + std::to_string(i)));
    separate_outputs(graph, names);
    assign_body(graph);
  }

  void assign_body(ir::Graph& graph) {
    for (ir::Value& value : graph.values()) {
      if (value.is_constant() && !value.uses().empty())
        value.name = namer_.unique(value.name.empty() ? "const" : value.name);
    }
    for (ir::Node& node : graph.nodes()) {
      if (node.name.empty()) node.name = node.origin && !node.origin->path.empty() ? node.origin->path : node.op_type;
      node.name = node_namer_.unique(node.name);
      for (ir::Value* output : node.outputs()) {
        if (is_output_of(graph, *output)) continue;  // it has its name already
        if (may_be_absent(node, *output) && output->name.empty()) continue;
        output->name =
            namer_.unique(output->name.empty() ? node.name + ":" + std::to_string(output->index()) : output->name);
      }
      ir::for_each_subgraph(node, [&](ir::Graph& subgraph) { assign_subgraph(subgraph); });
    }
  }

  Namer namer_;
  Namer node_namer_;
};

}  // namespace

void assign_names(ir::Graph& graph) { Assigner().assign_top(graph); }

bool may_be_absent(const ir::Node& node, const ir::Value& output) {
  static const std::unordered_set<std::string> kRecurrent = {"GRU", "LSTM", "RNN"};
  static const std::unordered_set<std::string> kTrailing = {"BatchNormalization", "Dropout", "LayerNormalization",
                                                            "MaxPool", "Unique"};
  if (!output.uses().empty()) return false;
  return kRecurrent.contains(node.op_type) || (output.index() > 0 && kTrailing.contains(node.op_type));
}

}  // namespace onward::exporter
