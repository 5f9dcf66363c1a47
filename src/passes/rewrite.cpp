#include "passes/rewrite.h"

#include <algorithm>

#include "base/error.h"

namespace onward::passes {

using ir::Graph;
using ir::Node;
using ir::Value;

namespace {

bool in_use(const Node& node) {
  return std::any_of(node.outputs().begin(), node.outputs().end(), [](const Value* v) { return !v->uses().empty(); });
}

// A rule that finds the graph's types contradicting a schema leaves the node as it is: what it built is unused.
bool applies(const Rule& rule, Node& node, const ir::Inference& inference) {
  Rewrite rewrite(node, inference);
  try {
    return static_cast<bool>(rule.apply(node, rewrite));
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    return false;
  }
}

}  // namespace

void refine(Value& to, const Value& from) {
  if (to.is_constant()) return;
  if (to.dtype == ir::DType::kUndefined) to.dtype = from.dtype;
  if (!to.content && from.content) to.content = from.content;
  if (!from.shape) return;
  if (!to.shape) {
    to.shape = from.shape;
    return;
  }
  if (to.shape->size() != from.shape->size()) return;
  for (size_t i = 0; i < to.shape->size(); ++i) {
    ir::Dim& dim = (*to.shape)[i];
    const ir::Dim& other = (*from.shape)[i];
    if (dim.is_unknown() || (dim.is_symbol() && other.is_known())) dim = other;
  }
}

void Rewrite::replace(Value* from, Value* to) {
  if (from == to) return;
  refine(*to, *from);
  if (to->name.empty() && to->producer() != nullptr) to->name = from->name;
  Graph::replace_uses(from, to);
}

void Rewrite::replace(const Node& node, const ir::Values& to) {
  for (size_t i = 0; i < node.outputs().size(); ++i) replace(node.outputs()[i], to.at(i));
}

void erase_if_dead(Node* node) {
  std::vector<Node*> waiting{node};
  while (!waiting.empty()) {
    Node* next = waiting.back();
    waiting.pop_back();
    if (in_use(*next)) continue;
    std::vector<Node*> producers;
    for (const Value* input : next->inputs()) {
      Node* producer = input != nullptr ? input->producer() : nullptr;
      if (producer != nullptr && std::find(producers.begin(), producers.end(), producer) == producers.end()) {
        producers.push_back(producer);
      }
    }
    next->graph()->erase(next);
    for (Node* producer : producers) {
      if (std::find(waiting.begin(), waiting.end(), producer) == waiting.end()) waiting.push_back(producer);
    }
  }
}

bool apply_rules(Graph& graph, const ir::Inference& inference, std::span<const Rule> rules) {
  bool changed = false;
  for (auto place = graph.nodes().begin(); place != graph.nodes().end();) {
    Node& node = *place++;
    ir::for_each_subgraph(node, [&](Graph& subgraph) { changed |= apply_rules(subgraph, inference, rules); });
    if (!node.domain.empty()) continue;
    if (!in_use(node)) continue;
    for (const Rule& rule : rules) {
      if ((rule.op_type != "*" && rule.op_type != node.op_type) || !applies(rule, node, inference)) continue;
      changed = true;
      erase_if_dead(&node);
      break;
    }
  }
  return changed;
}

Node* produced_by(const Value* value, std::string_view op_type) {
  Node* producer = value != nullptr ? value->producer() : nullptr;
  return producer != nullptr && producer->is(op_type) ? producer : nullptr;
}

bool has_single_use(const Value* value) { return value->uses().size() == 1 && value->uses().front().node != nullptr; }

const ir::Tensor* constant_of(const Value* value) {
  return value != nullptr && value->is_constant() ? &*value->constant() : nullptr;
}

std::optional<double> constant_number(const Value* value) {
  const ir::Tensor* tensor = constant_of(value);
  if (tensor == nullptr || tensor->count() != 1 || !ir::is_floating(tensor->dtype())) return std::nullopt;
  return tensor->as_double();
}

std::optional<std::vector<int64_t>> constant_ints(const Value* value) {
  const ir::Tensor* tensor = constant_of(value);
  if (tensor == nullptr || !ir::is_integer(tensor->dtype()) || tensor->count() > 4096) return std::nullopt;
  return tensor->ints();
}

bool is_constant_of(const Value* value, double number) {
  const ir::Tensor* tensor = constant_of(value);
  if (tensor == nullptr || !ir::is_numeric(tensor->dtype()) || tensor->count() == 0 || tensor->count() > (1U << 16U)) {
    return false;
  }
  if (ir::dtype_bits(tensor->dtype()) < 8 ||
      (ir::is_floating(tensor->dtype()) && ir::dtype_bits(tensor->dtype()) < 16)) {
    return false;
  }
  const std::vector<double> values = tensor->doubles();
  return std::all_of(values.begin(), values.end(), [number](double value) { return value == number; });
}

bool is_filled_with(const Value* value, double number) {
  while (const Node* node = value->producer()) {
    const bool reshaped = node->is("Expand") || node->is("Unsqueeze") || node->is("Squeeze") || node->is("Reshape") ||
                          node->is("Transpose") || node->is("Identity");
    if (!reshaped) return false;
    value = node->input(0);
  }
  return is_constant_of(value, number);
}

bool same_shape(const Value* a, const Value* b) {
  if (!a->shape || !b->shape || a->shape->size() != b->shape->size()) return false;
  for (size_t i = 0; i < a->shape->size(); ++i) {
    if (!(*a->shape)[i].same((*b->shape)[i])) return false;
  }
  return true;
}

bool same_shape_by_count(const ir::Shape& a, const ir::Shape& b) {
  if (a.size() != b.size()) return false;
  size_t open = 0;
  bool empty = false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].same(b[i])) {
      empty = empty || (a[i].is_known() && a[i].value() == 0);
    } else if (a[i].is_known() && b[i].is_known()) {
      return false;
    } else {
      ++open;
    }
  }
  return open == 0 || (open == 1 && !empty);
}

}  // namespace onward::passes
