#include "ir/clone.h"

#include <unordered_map>

namespace onward::ir {
namespace {

class Copier {
 public:
  void copy(const Graph& from, Graph& to) {
    to.name = from.name;
    for (const Value* input : from.inputs()) note(*input, *to.add_input(input->name, input->dtype, input->shape));
    for (const Value& value : from.values()) {
      if (value.is_constant()) note(value, *to.add_constant(*value.constant(), value.name));
    }
    for (const Node& node : from.nodes()) copy_node(node, to);
    for (size_t i = 0; i < from.outputs().size(); ++i) {
      to.add_output(copies_.at(from.outputs()[i]), from.output_names()[i]);
    }
  }

 private:
  void note(const Value& from, Value& to) {
    to.name = from.name;
    to.kind = from.kind;
    to.dtype = from.dtype;
    to.shape = from.shape;
    to.content = from.content;
    to.complex = from.complex;
    copies_[&from] = &to;
  }

  void copy_node(const Node& node, Graph& to) {
    std::vector<Value*> inputs;
    for (const Value* input : node.inputs()) inputs.push_back(input != nullptr ? copies_.at(input) : nullptr);
    Node* copied = to.add_node(node.domain, node.op_type, std::move(inputs), node.outputs().size());
    copied->name = node.name;
    copied->origin = node.origin;
    for (const auto& [name, attr] : node.attrs) {
      const auto* subgraph = attr.get_if<std::shared_ptr<Graph>>();
      if (subgraph == nullptr) {
        copied->attrs.set(name, attr);
        continue;
      }
      auto body = std::make_shared<Graph>();
      copy(**subgraph, *body);
      copied->attrs.set(name, std::move(body));
    }
    for (size_t i = 0; i < node.outputs().size(); ++i) note(*node.outputs()[i], *copied->output(i));
  }

  std::unordered_map<const Value*, Value*> copies_;
};

}  // namespace

Model clone(const Model& model) {
  Model copy;
  copy.producer = model.producer;
  copy.metadata = model.metadata;
  copy.opset_imports = model.opset_imports;
  Copier().copy(*model.graph, *copy.graph);
  return copy;
}

}  // namespace onward::ir
