#include "import/tensorflow/control/body_shape.h"

#include <algorithm>

namespace onward::importer::tf {
namespace {

bool is(const Body& body, const Endpoint& at, std::initializer_list<std::string_view> ops) {
  const tensorflow::Node* def = body.nodes[at.node].def;
  return def != nullptr && std::find(ops.begin(), ops.end(), def->op) != ops.end();
}

const Array* constant(const Body& body, const Endpoint& at) {
  if (!is(body, at, {"Const"})) return nullptr;
  const auto& attrs = body.nodes[at.node].def->attrs;
  const auto found = attrs.find("value");
  return found == attrs.end() ? nullptr : found->second.get_if<Array>();
}

constexpr size_t kMaxConjuncts = 16;

}  // namespace

Endpoint behind_identities(const Body& body, Endpoint at) {
  for (size_t steps = 0; steps <= body.nodes.size() && is(body, at, {"Identity", "StopGradient"}); ++steps) {
    if (body.nodes[at.node].inputs.empty()) return at;
    at = body.nodes[at.node].inputs[0];
  }
  return at;
}

std::optional<size_t> LoopShape::variable(const Endpoint& at) const {
  const Endpoint origin = behind_identities(body_, at);
  if (origin.node >= body_.arguments) return std::nullopt;
  return origin.node;
}

bool LoopShape::is_invariant(size_t index) const { return variable(body_.returns[index]) == index; }

bool LoopShape::is_one(const Endpoint& at) const {
  const Array* array = constant(body_, behind_identities(body_, at));
  if (array == nullptr || !array->shape.empty()) return false;
  if (array->dtype == "int32" && array->data.size() == 4) return ByteReader(array->data.view()).read<int32_t>() == 1;
  return array->dtype == "int64" && array->data.size() == 8 && ByteReader(array->data.view()).read<int64_t>() == 1;
}

bool LoopShape::is_counter(size_t index) const {
  const Endpoint result = behind_identities(body_, body_.returns[index]);
  if (!is(body_, result, {"Add", "AddV2"}) || body_.nodes[result.node].inputs.size() != 2) return false;
  const Endpoint& a = body_.nodes[result.node].inputs[0];
  const Endpoint& b = body_.nodes[result.node].inputs[1];
  return (variable(a) == index && is_one(b)) || (variable(b) == index && is_one(a));
}

size_t LoopShape::uses(size_t index) const {
  size_t count = 0;
  for (const BodyNode& node : body_.nodes) {
    count += static_cast<size_t>(std::count_if(node.inputs.begin(), node.inputs.end(),
                                               [&](const Endpoint& input) { return variable(input) == index; }));
  }
  for (const BodyNode& node : condition_.nodes) {
    count += static_cast<size_t>(std::count_if(node.inputs.begin(), node.inputs.end(),
                                               [&](const Endpoint& input) { return input.node == index; }));
  }
  return count;
}

std::optional<Collected> LoopShape::collected(size_t index) const {
  const Endpoint result = behind_identities(body_, body_.returns[index]);
  const BodyNode& node = body_.nodes[result.node];
  std::optional<Collected> found;
  if (is(body_, result, {"TensorListSetItem"}) && node.inputs.size() >= 3 && variable(node.inputs[0]) == index) {
    found = Collected{node.inputs[2], node.inputs[1]};
  } else if (is(body_, result, {"TensorListPushBack"}) && node.inputs.size() == 2 &&
             variable(node.inputs[0]) == index) {
    found = Collected{node.inputs[1], std::nullopt};
  } else if (is(body_, result, {"TensorArrayWriteV3"}) && node.inputs.size() == 4 &&
             variable(node.inputs[3]) == index) {
    found = Collected{node.inputs[2], node.inputs[1]};
  }
  // Identities on the way count as uses, too.
  if (!found) return std::nullopt;
  size_t identities = 0;
  for (size_t i = body_.arguments; i < body_.nodes.size(); ++i) {
    const BodyNode& other = body_.nodes[i];
    if (is(body_, {i, 0}, {"Identity", "StopGradient"}) && !other.inputs.empty() &&
        variable(other.inputs[0]) == index) {
      ++identities;
    }
  }
  return uses(index) == identities + 1 ? found : std::nullopt;
}

std::optional<std::vector<LoopShape::Bound>> LoopShape::bounds() const {
  if (condition_.returns.size() != 1) return std::nullopt;
  std::vector<Bound> bounds;
  std::vector<Endpoint> open{condition_.returns[0]};
  while (!open.empty()) {
    if (bounds.size() + open.size() > kMaxConjuncts) return std::nullopt;
    const Endpoint at = behind_identities(condition_, open.back());
    open.pop_back();
    const BodyNode& node = condition_.nodes[at.node];
    if (is(condition_, at, {"LogicalAnd"}) && node.inputs.size() == 2) {
      open.insert(open.end(), node.inputs.begin(), node.inputs.end());
      continue;
    }
    if (!is(condition_, at, {"Less"}) || node.inputs.size() != 2) return std::nullopt;
    const Endpoint counter = behind_identities(condition_, node.inputs[0]);
    const Endpoint limit = behind_identities(condition_, node.inputs[1]);
    const bool limit_stays =
        limit.node < condition_.arguments ? is_invariant(limit.node) : constant(condition_, limit) != nullptr;
    if (counter.node >= condition_.arguments || !is_counter(counter.node) || !limit_stays) return std::nullopt;
    bounds.push_back({counter.node, limit});
  }
  return bounds;
}

}  // namespace onward::importer::tf
