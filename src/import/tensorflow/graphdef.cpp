#include "base/error.h"
#include "import/tensorflow/normalize/recurrent.h"
#include "import/tensorflow/ports.h"
#include "import/tensorflow/tensorflow.h"

namespace onward::importer {

using namespace tf;  // NOLINT: this file is the package's front

ir::Model read_graphdef(const Bytes& file, const std::string& name, bool text, const Options& options,
                        const ir::Inference& inference) {
  const tensorflow::Graph graph = text ? tensorflow::read_graph_text(file, name) : tensorflow::read_graph(file, name);
  if (graph.nodes.empty()) fail_data(name + ": it holds no graph");
  Program program(graph);
  const Body& body = program.main();
  const std::vector<Port> outputs = graph_outputs(body, options);
  if (outputs.empty()) fail_invalid(name + ": the graph has no outputs", "name them with --outputs");

  ir::Model model;
  model.producer = "tensorflow";
  ir::Builder builder(*model.graph, inference);
  Blockers blockers;
  State state;
  Scope scope{body, {}, builder, state};
  add_inputs(graph_inputs(body, options), options, scope);
  Evaluator evaluator(program, builder, blockers, nullptr);
  add_outputs(outputs, evaluator, scope, name);
  recognise_recurrent(*model.graph, inference);
  model.graph->drop_unused_constants();
  return model;
}

}  // namespace onward::importer
