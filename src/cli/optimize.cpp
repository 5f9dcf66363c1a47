#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>

#include "cli/options.h"
#include "cli/predict/printing.h"
#include "cli/verbs.h"
#include "tasks/optimizing.h"

namespace onward::cli {
namespace {

struct Arguments {
  tasks::OptimizeTask task;
  bool json = false;
  ImportArguments import;
};

std::string described(const Json& one) {
  return fmt::format("{}, {}, {}", counted(static_cast<size_t>(one["nodes"].as_int()), "node"),
                     counted(static_cast<size_t>(one["tensors"].as_int()), "tensor"),
                     size_text(static_cast<size_t>(one["bytes"].as_int())));
}

void run(Arguments& arguments) {
  tasks::OptimizeTask& task = arguments.task;
  if (task.external && std::filesystem::path(task.output).extension() == ".ort") {
    fail_usage("an .ort file holds its weights itself", "write an .onnx file, or leave --external out");
  }
  task.import = arguments.import.options();
  const tasks::Optimized done = tasks::optimize_file(task);
  if (arguments.json) {
    fmt::print("{}\n", Json::object({{"opset", done.opset}, {"before", done.before}, {"after", done.after}}).dump(2));
  } else {
    fmt::print("{}: {}\n{}: {}, opset {}\n", task.source, described(done.before), task.output, described(done.after),
               done.opset);
  }
}

}  // namespace

void add_optimize(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  tasks::OptimizeTask& task = arguments->task;
  CLI::App& verb = *app.add_subcommand("optimize", "Make a model smaller and faster without changing what it computes");
  verb.footer(
      "Examples:\n"
      "  onward optimize Model.onnx -o Smaller.onnx\n"
      "  onward optimize Model.keras -o Model.ort --target machine\n"
      "Folds constants, normalizations and padding into weights, fuses and removes operators, moves transposes to "
      "where\n"
      "there are fewest, and keeps equal weights once. onward compare shows that both agree.\n"
      "--target portable keeps to the ONNX standard; onnxruntime also does the fusions that ONNX Runtime would do\n"
      "whenever it loads the model; machine also those for this machine's processor, and the file is for such "
      "machines\n"
      "only. An .ort file loads fastest, and is not optimized any more when it is loaded.");
  verb.add_option("IN", task.source, "The model file or SavedModel folder, of any supported format")->required();
  verb.add_option("-o,--output", task.output, "The file to write: .ort for ONNX Runtime's own format, otherwise ONNX")
      ->required()
      ->type_name("OUT.onnx|OUT.ort");
  verb.add_option("--target", task.target, "Whose operators it may hold (default portable)")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, tasks::Target>{{"portable", tasks::Target::kPortable},
                                                                       {"onnxruntime", tasks::Target::kOnnxRuntime},
                                                                       {"machine", tasks::Target::kMachine}})
              .description(""))
      ->type_name("portable|onnxruntime|machine");
  verb.add_option("--opset", task.opset, "ONNX opset of the result (default: the model's own, 18 at least)")
      ->type_name("N");
  verb.add_flag("--external", task.external, "Write the weights to OUT.onnx.data beside the model");
  verb.add_flag("--json", arguments->json, "Print JSON");
  add_custom_ops(verb, task.custom_ops);
  arguments->import.add_to(verb);
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
