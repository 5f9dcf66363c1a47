#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "cli/options.h"
#include "cli/predict/printing.h"
#include "cli/verbs.h"
#include "runtime/compare.h"
#include "tasks/feeds/feeds.h"
#include "tasks/loading.h"

namespace onward::cli {
namespace {

struct Arguments {
  std::string model;
  std::string inputs;
  std::string outputs;
  runtime::Tolerance tolerance;
  bool json = false;
  std::vector<std::filesystem::path> custom_ops;
  ImportArguments import;
};

Json to_json(const std::vector<runtime::Comparison>& comparisons) {
  Json outputs = Json::array();
  for (const runtime::Comparison& one : comparisons) {
    Json entry = Json::object({{"name", one.output},
                               {"agrees", one.difference.empty()},
                               {"values", one.values},
                               {"differing", one.differing},
                               {"largest_error", one.largest_error}});
    if (!one.difference.empty()) entry.set("difference", one.difference);
    outputs.push(std::move(entry));
  }
  return outputs;
}

void run(const Arguments& arguments) {
  convert::Options options;
  options.import = arguments.import.options();
  const runtime::Session session = tasks::open_session(arguments.model, options, {.custom_ops = arguments.custom_ops});
  const auto comparisons = runtime::verify(session, tasks::read_npz(arguments.inputs),
                                           tasks::read_npz(arguments.outputs), arguments.tolerance);
  if (arguments.json) fmt::print("{}\n", Json::object({{"outputs", to_json(comparisons)}}).dump(2));
  const runtime::Comparison* first = nullptr;
  for (const runtime::Comparison& one : comparisons) {
    if (one.difference.empty()) {
      if (!arguments.json) {
        fmt::print("{} agrees: {}, largest error {:.3g}\n", one.output, counted(one.values, "value"),
                   one.largest_error);
      }
    } else if (first == nullptr) {
      first = &one;
    }
  }
  if (first == nullptr) return;
  fail_data(fmt::format("{} does not give what {} records: output \"{}\": {}", arguments.model, arguments.outputs,
                        first->output, first->difference),
            fmt::format("allowed was {} + {} * |expected|; --rtol and --atol set other tolerances",
                        arguments.tolerance.atol, arguments.tolerance.rtol));
}

}  // namespace

void add_verify(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("verify", "Check a model against recorded inputs and outputs");
  verb.footer(
      "Example:\n"
      "  onward verify Model.onnx --inputs inputs.npz --outputs outputs.npz\n"
      "Arrays are matched by name, else by position. Names the first value that differs, and exits with 1.");
  verb.add_option("MODEL", arguments->model, "The model file or SavedModel folder, of any supported format")
      ->required();
  verb.add_option("--inputs", arguments->inputs, "The inputs, one array each")->required()->type_name("I.npz");
  verb.add_option("--outputs", arguments->outputs, "The outputs that belong to them")->required()->type_name("O.npz");
  verb.add_option("--rtol", arguments->tolerance.rtol, "Relative tolerance")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--atol", arguments->tolerance.atol, "Absolute tolerance")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb.add_flag("--json", arguments->json, "Print JSON");
  add_custom_ops(verb, arguments->custom_ops);
  arguments->import.add_dims_to(verb, "--dims");
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
