#include "passes/inline_graph.h"

namespace onward::passes {
namespace {

using ir::Graph;
using ir::Value;

void take_over(Value& to, const Value& from) {
  to.name = from.name;
  to.kind = from.kind;
  to.dtype = from.dtype;
  to.shape = from.shape;
  to.content = from.content;
}

}  // namespace

ir::Values inline_graph(Graph& from, Graph& to, ir::Node* before) {
  std::vector<Value*> constants;
  for (Value& value : from.values()) {
    if (value.is_constant()) constants.push_back(&value);
  }
  for (Value* constant : constants) {
    Graph::replace_uses(constant, to.add_constant(*constant->constant(), constant->name));
  }
  for (ir::Node& node : from.nodes()) {
    ir::Node* moved = to.add_node(node.domain, node.op_type, node.inputs(), node.outputs().size(), before);
    moved->name = node.name;
    moved->attrs = node.attrs;
    moved->origin = node.origin;
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      take_over(*moved->output(i), *node.output(i));
      Graph::replace_uses(node.output(i), moved->output(i));
    }
  }
  return from.outputs();
}

}  // namespace onward::passes
