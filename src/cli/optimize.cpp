#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.h"
#include "cli/options.h"
#include "cli/predict/printing.h"
#include "cli/verbs.h"
#include "convert/convert.h"
#include "tasks/describe.h"
#include "tasks/loading.h"
#include "tasks/output.h"

namespace onward::cli {
namespace {

struct Arguments {
  std::string source;
  std::string output;
  int opset = 0;
  bool external = false;
  bool json = false;
  ImportArguments import;
};

Json measure(const ir::Graph& graph, size_t bytes) {
  const tasks::Weights weights = tasks::count_weights(graph);
  return Json::object({{"bytes", bytes},
                       {"nodes", graph.nodes().size()},
                       {"tensors", weights.tensors},
                       {"tensor_bytes", weights.bytes},
                       {"operators", tasks::count_operators(graph)}});
}

std::string described(const Json& one) {
  return fmt::format("{}, {}, {}", counted(static_cast<size_t>(one["nodes"].as_int()), "node"),
                     counted(static_cast<size_t>(one["tensors"].as_int()), "tensor"),
                     size_text(static_cast<size_t>(one["bytes"].as_int())));
}

void run(const Arguments& arguments) {
  tasks::check_output(arguments.source, arguments.output);
  if (arguments.opset != 0) convert::check_opset(arguments.opset);
  convert::Options options;
  options.import = arguments.import.options();
  ir::Model model = convert::import_file(arguments.source, options.import);
  const Json before = measure(*model.graph, tasks::bytes_on_disk(arguments.source));
  options.opset = tasks::target_opset(model, arguments.opset);
  const int opset = convert::optimize(model, options);
  exporter::WriteOptions write{.opset = opset};
  if (arguments.external) write.inline_limit = 0;
  exporter::write_onnx(model, arguments.output, write);
  const std::string data = arguments.output + ".data";
  const Json after = measure(
      *model.graph, tasks::bytes_on_disk(arguments.output) + (arguments.external ? tasks::bytes_on_disk(data) : 0));
  if (arguments.json) {
    fmt::print("{}\n", Json::object({{"opset", opset}, {"before", before}, {"after", after}}).dump(2));
  } else {
    fmt::print("{}: {}\n{}: {}, opset {}\n", arguments.source, described(before), arguments.output, described(after),
               opset);
  }
}

}  // namespace

void add_optimize(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("optimize", "Make a model smaller and faster without changing what it computes");
  verb.footer(
      "Example:\n"
      "  onward optimize Model.onnx -o Smaller.onnx\n"
      "Folds constants, normalizations and padding into weights, fuses and removes operators, moves transposes to "
      "where\n"
      "there are fewest, and keeps equal weights once. onward compare shows that both agree.");
  verb.add_option("IN", arguments->source, "The model file or SavedModel folder, of any supported format")->required();
  verb.add_option("-o,--output", arguments->output, "The ONNX file to write")->required()->type_name("OUT.onnx");
  verb.add_option("--opset", arguments->opset, "ONNX opset of the result (default: the model's own, 18 at least)")
      ->type_name("N");
  verb.add_flag("--external", arguments->external, "Write the weights to OUT.onnx.data beside the model");
  verb.add_flag("--json", arguments->json, "Print JSON");
  arguments->import.add_to(verb);
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
