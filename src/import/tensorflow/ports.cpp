#include "import/tensorflow/ports.h"

#include <algorithm>

namespace onward::importer::tf {
namespace {

using tensorflow::AttrValue;

template <class T>
const T* attr(const tensorflow::Node& node, const char* name) {
  const auto found = node.attrs.find(name);
  return found == node.attrs.end() ? nullptr : found->second.get_if<T>();
}

Port input_port(const Body& body, const std::string& name) {
  const Endpoint place = body.find(name);
  const tensorflow::Node& node = *body.nodes[place.node].def;
  Port port{name, name, {}, {}};
  for (const char* key : {"dtype", "DstT", "out_type", "T", "Tout"}) {
    const auto* type = attr<tensorflow::DataType>(node, key);
    if (type != nullptr && port.type == tensorflow::DataType::kInvalid) port.type = tensorflow::without_ref(*type);
  }
  if (const auto* shape = attr<AttrValue::Shape>(node, "shape")) port.shape = shape->value;
  const auto* noted = attr<AttrValue::List>(node, "_output_shapes");
  if (noted != nullptr && place.output < noted->shapes.size()) port.shape = noted->shapes[place.output];
  return port;
}

std::vector<std::string> placeholders(const Body& body) {
  std::vector<std::string> names;
  for (const BodyNode& node : body.nodes) {
    if (node.def->op == "Placeholder") names.push_back(node.def->name);
  }
  return names;
}

// Nodes that nothing uses and that give something.
std::vector<std::string> sinks(const Body& body) {
  std::vector<bool> used(body.nodes.size(), false);
  for (const BodyNode& node : body.nodes) {
    for (const Endpoint& input : node.inputs) used[input.node] = true;
  }
  static constexpr std::string_view kSilent[] = {"NoOp", "Assert", "Const", "Placeholder", "SaveV2", "PrintV2"};
  std::vector<std::string> names;
  for (size_t i = 0; i < body.nodes.size(); ++i) {
    const tensorflow::Node& node = *body.nodes[i].def;
    const bool silent = std::find(std::begin(kSilent), std::end(kSilent), node.op) != std::end(kSilent);
    if (!used[i] && !silent) names.push_back(node.name);
  }
  return names;
}

}  // namespace

std::vector<Port> graph_inputs(const Body& body, const Options& options) {
  std::vector<Port> ports;
  for (const std::string& input : options.inputs.empty() ? placeholders(body) : options.inputs) {
    ports.push_back(input_port(body, input));
  }
  return ports;
}

std::vector<Port> graph_outputs(const Body& body, const Options& options) {
  std::vector<Port> ports;
  for (const std::string& output : options.outputs.empty() ? sinks(body) : options.outputs) {
    ports.push_back({output, output, {}, {}});
  }
  return ports;
}

}  // namespace onward::importer::tf
