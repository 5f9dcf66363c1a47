#include "import/tensorflow/control/body_shape.h"

#include <algorithm>

namespace onward::importer::tf {
namespace {

constexpr size_t kMaxConjuncts = 16;

bool is(const Body& body, const Endpoint& at, std::initializer_list<std::string_view> ops) {
  const tensorflow::Node* def = body.nodes[at.node].def;
  return def != nullptr && std::find(ops.begin(), ops.end(), def->op) != ops.end();
}

bool is_identity(const Body& body, const Endpoint& at) { return is(body, at, {"Identity", "StopGradient", "Enter"}); }

const Array* constant(const Body& body, const Endpoint& at) {
  if (!is(body, at, {"Const"})) return nullptr;
  const auto& attrs = body.nodes[at.node].def->attrs;
  const auto found = attrs.find("value");
  return found == attrs.end() ? nullptr : found->second.get_if<Array>();
}

}  // namespace

Endpoint behind_identities(const Body& body, Endpoint at) {
  for (size_t steps = 0; steps <= body.nodes.size() && is_identity(body, at); ++steps) {
    if (body.nodes[at.node].inputs.empty()) return at;
    at = body.nodes[at.node].inputs[0];
  }
  return at;
}

std::optional<size_t> LoopShape::variable(const Endpoint& at) const {
  return body_.variable(behind_identities(body_.body, at));
}

bool LoopShape::is_invariant(size_t index) const { return variable(results_[index]) == index; }

bool LoopShape::is_constant(const Endpoint& at, int64_t number) const {
  const std::optional<size_t> kept = variable(at);
  if (kept && is_invariant(*kept)) return first_(*kept) == number;
  const Array* array = constant(body_.body, behind_identities(body_.body, at));
  if (array == nullptr || !array->shape.empty()) return false;
  if (array->dtype == "int32" && array->data.size() == 4)
    return ByteReader(array->data.view()).read<int32_t>() == number;
  return array->dtype == "int64" && array->data.size() == 8 && ByteReader(array->data.view()).read<int64_t>() == number;
}

bool LoopShape::is_counter(size_t index) const {
  const Endpoint result = behind_identities(body_.body, results_[index]);
  const std::vector<Endpoint>& inputs = body_.body.nodes[result.node].inputs;
  if (!is(body_.body, result, {"Add", "AddV2"}) || inputs.size() != 2) return false;
  return (variable(inputs[0]) == index && is_constant(inputs[1], 1)) ||
         (variable(inputs[1]) == index && is_constant(inputs[0], 1));
}

// By other nodes than identities, in the body and in the condition.
size_t LoopShape::uses(size_t index) const {
  size_t count = 0;
  const bool apart = &body_.body != &condition_.body;
  for (const LoopPart* part : {&body_, &condition_}) {
    if (part == &condition_ && !apart) continue;
    for (size_t i = 0; i < part->body.nodes.size(); ++i) {
      if (is_identity(part->body, {i, 0}) || part->variable({i, 0})) continue;
      const std::vector<Endpoint>& inputs = part->body.nodes[i].inputs;
      count += static_cast<size_t>(std::count_if(inputs.begin(), inputs.end(), [&](const Endpoint& input) {
        return part->variable(behind_identities(part->body, input)) == index;
      }));
    }
  }
  return count;
}

std::optional<Collected> LoopShape::collected(size_t index) const {
  const Endpoint result = behind_identities(body_.body, results_[index]);
  const std::vector<Endpoint>& inputs = body_.body.nodes[result.node].inputs;
  std::optional<Collected> found;
  if (is(body_.body, result, {"TensorListSetItem"}) && inputs.size() >= 3 && variable(inputs[0]) == index) {
    found = Collected{inputs[2], inputs[1]};
  } else if (is(body_.body, result, {"TensorListPushBack"}) && inputs.size() == 2 && variable(inputs[0]) == index) {
    found = Collected{inputs[1], std::nullopt};
  } else if (is(body_.body, result, {"TensorArrayWriteV3"}) && inputs.size() == 4 && variable(inputs[3]) == index) {
    found = Collected{inputs[2], inputs[1]};
  }
  // v1: the Exit of the variable's Switch is a use after the loop.
  if (!found) return found;
  size_t after = 0;
  for (const BodyNode& node : body_.body.nodes) {
    const bool exit = node.def != nullptr && (node.def->op == "Exit" || node.def->op == "RefExit");
    if (exit && !node.inputs.empty() && body_.variable(node.inputs[0]) == index) ++after;
  }
  return uses(index) == after + 1 ? found : std::nullopt;
}

std::optional<LoopShape::Bound> LoopShape::bound(const BodyNode& less) const {
  const auto counter = condition_.variable(behind_identities(condition_.body, less.inputs[0]));
  if (!counter || !is_counter(*counter)) return std::nullopt;
  const Endpoint limit = behind_identities(condition_.body, less.inputs[1]);
  const auto limit_variable = condition_.variable(limit);
  if (limit_variable)
    return is_invariant(*limit_variable) ? std::optional(Bound{*counter, limit, limit_variable}) : std::nullopt;
  if (constant(condition_.body, limit) == nullptr && !condition_.outside(limit)) return std::nullopt;
  return Bound{*counter, limit, std::nullopt};
}

std::optional<std::vector<LoopShape::Bound>> LoopShape::bounds() const {
  std::vector<Bound> bounds;
  std::vector<Endpoint> open{condition_.result};
  while (!open.empty()) {
    if (bounds.size() + open.size() > kMaxConjuncts) return std::nullopt;
    const Endpoint at = behind_identities(condition_.body, open.back());
    open.pop_back();
    const BodyNode& node = condition_.body.nodes[at.node];
    if (is(condition_.body, at, {"LogicalAnd"}) && node.inputs.size() == 2) {
      open.insert(open.end(), node.inputs.begin(), node.inputs.end());
      continue;
    }
    if (!is(condition_.body, at, {"Less"}) || node.inputs.size() != 2) return std::nullopt;
    const std::optional<Bound> found = bound(node);
    if (!found) return std::nullopt;
    bounds.push_back(*found);
  }
  return bounds;
}

}  // namespace onward::importer::tf
