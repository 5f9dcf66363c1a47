#include "import/tensorflow/program.h"

#include <algorithm>

#include "base/error.h"
#include "import/tensorflow/custom.h"

namespace onward::importer::tf {
namespace {

// Functions nest far less deeply than this in honest files.
constexpr size_t kMaxNesting = 200;

}  // namespace

Program::Program(const tensorflow::Graph& graph) : graph_(graph), main_(resolve_graph(graph)) {
  find_effects(main_, 0);
}

const tensorflow::Function& Program::definition(const std::string& name) const {
  const auto found = graph_.functions.find(name);
  if (found == graph_.functions.end()) fail_unsupported("the file has no function \"" + name + "\"");
  return found->second;
}

const Body& Program::function(const std::string& name) { return resolved(name, 0); }

Body& Program::resolved(const std::string& name, size_t depth) {
  const auto known = functions_.find(name);
  if (known != functions_.end()) return *known->second;
  auto body = std::make_unique<Body>(resolve_function(definition(name)));
  Body& made = *functions_.emplace(name, std::move(body)).first->second;
  find_effects(made, depth);
  return made;
}

bool Program::is_effect(const tensorflow::Node& node, size_t depth) {
  if (const Op* op = find_op(node.op); op != nullptr && op->effect) return true;
  if (depth > kMaxNesting) fail_data("functions call each other too deeply");
  const auto changes = [&](const tensorflow::FunctionRef& function) {
    return graph_.functions.contains(function.name) && !resolved(function.name, depth + 1).effects.empty();
  };
  return std::any_of(node.attrs.begin(), node.attrs.end(), [&](const auto& entry) {
    if (const auto* function = entry.second.template get_if<tensorflow::FunctionRef>()) return changes(*function);
    const auto* list = entry.second.template get_if<tensorflow::AttrValue::List>();
    return list != nullptr && std::any_of(list->functions.begin(), list->functions.end(), changes);
  });
}

void Program::find_effects(Body& body, size_t depth) {
  std::vector<size_t> open;
  for (size_t i = body.arguments; i < body.nodes.size(); ++i) {
    if (is_effect(*body.nodes[i].def, depth)) open.push_back(i);
  }
  if (open.empty()) return;
  std::vector<std::vector<size_t>> consumers(body.nodes.size());
  for (size_t i = body.arguments; i < body.nodes.size(); ++i) {
    for (const Endpoint& input : body.nodes[i].inputs) consumers[input.node].push_back(i);
    for (const size_t control : body.nodes[i].controls) consumers[control].push_back(i);
  }
  body.effects.assign(body.nodes.size(), false);
  for (const size_t node : open) body.effects[node] = true;
  while (!open.empty()) {
    const size_t node = open.back();
    open.pop_back();
    for (const size_t consumer : consumers[node]) {
      if (body.effects[consumer]) continue;
      body.effects[consumer] = true;
      open.push_back(consumer);
    }
  }
}

}  // namespace onward::importer::tf
