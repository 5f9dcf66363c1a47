#include "convert/convert.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.h"
#include "cli/options.h"
#include "cli/verbs.h"

namespace onward::cli {
namespace {

struct Arguments {
  std::string source;
  std::string output;
  int opset = convert::kDefaultOpset;
  std::string layout;
  ImportArguments import;
};

void run(const Arguments& arguments) {
  convert::Options options;
  options.import = arguments.import.options();
  options.opset = arguments.opset;
  if (arguments.layout == "nchw") options.layout = convert::Layout::kNchw;
  convert::check_opset(options.opset);
  ir::Model model = convert::import_file(arguments.source, options.import);
  convert::optimize(model, options);
  exporter::write_onnx(model, arguments.output, {.opset = options.opset});
}

}  // namespace

void add_convert(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("convert", "Turn a Keras, TensorFlow or PyTorch file into ONNX");
  verb.add_option("SRC", arguments->source, "The model file or SavedModel folder")->required();
  verb.add_option("-o,--output", arguments->output, "The ONNX file to write")->required()->type_name("OUT.onnx");
  verb.add_option("--opset", arguments->opset, "ONNX opset of the result, 13 to the newest")->capture_default_str();
  verb.add_option("--layout", arguments->layout, "nchw: image inputs and outputs become NCHW")
      ->check(CLI::IsMember({"nchw"}));
  arguments->import.add_to(verb);
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
