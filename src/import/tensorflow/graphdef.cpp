#include <algorithm>

#include "base/error.h"
#include "import/tensorflow/normalize/recurrent.h"
#include "import/tensorflow/signature.h"
#include "import/tensorflow/tensorflow.h"

namespace onward::importer {
namespace {

using namespace tf;  // NOLINT: this file is the package's front
using tensorflow::AttrValue;

template <class T>
const T* attr(const tensorflow::Node& node, const char* name) {
  const auto found = node.attrs.find(name);
  return found == node.attrs.end() ? nullptr : found->second.get_if<T>();
}

// A placeholder tells its type and shape; of any other tensor the type is its operator's, the shape what the file
// notes.
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

ir::Model read_graphdef(const Bytes& file, const std::string& name, bool text, const Options& options,
                        const ir::Inference& inference) {
  const tensorflow::Graph graph = text ? tensorflow::read_graph_text(file, name) : tensorflow::read_graph(file, name);
  if (graph.nodes.empty()) fail_data(name + ": it holds no graph");
  Program program(graph);
  const Body& body = program.main();
  const std::vector<std::string> outputs = options.outputs.empty() ? sinks(body) : options.outputs;
  if (outputs.empty()) fail_invalid(name + ": the graph has no outputs", "name them with --outputs");
  std::vector<Port> inputs;
  for (const std::string& input : options.inputs.empty() ? placeholders(body) : options.inputs) {
    inputs.push_back(input_port(body, input));
  }
  std::vector<Port> results;
  for (const std::string& output : outputs) results.push_back({output, output, {}, {}});

  ir::Model model;
  model.producer = "tensorflow";
  ir::Builder builder(*model.graph, inference);
  Blockers blockers;
  State state;
  Scope scope{body, {}, builder, state};
  add_inputs(inputs, options, scope);
  Evaluator evaluator(program, builder, blockers, nullptr);
  add_outputs(results, evaluator, scope, name);
  recognise_recurrent(*model.graph, inference);
  model.graph->drop_unused_constants();
  return model;
}

}  // namespace onward::importer
