#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "convert/convert.h"
#include "formats/listing.h"

namespace onward::cli {
namespace {

struct Arguments {
  std::string file;
  bool json = false;
  ImportArguments import;
};

Json value_json(const std::string& name, const ir::Value& value) {
  Json json = Json::object({{"name", name}, {"dtype", std::string(ir::dtype_name(value.dtype))}});
  if (!value.shape) return json;
  Json shape = Json::array();
  for (const ir::Dim& dim : *value.shape) {
    shape.push(dim.is_known() ? Json(dim.value()) : dim.is_symbol() ? Json(dim.symbol()) : Json());
  }
  json.set("shape", std::move(shape));
  return json;
}

Json describe_graph(const ir::Model& model) {
  Json inputs = Json::array();
  for (const ir::Value* input : model.graph->inputs()) inputs.push(value_json(input->name, *input));
  Json outputs = Json::array();
  for (size_t i = 0; i < model.graph->outputs().size(); ++i) {
    outputs.push(value_json(model.graph->output_names()[i], *model.graph->outputs()[i]));
  }
  std::map<std::string, int64_t> counts;
  for (const ir::Node& node : model.graph->nodes()) ++counts[node.op_type];
  Json operators = Json::object();
  for (const auto& [op, count] : counts) operators.set(op, count);
  return Json::object({{"producer", model.producer},
                       {"inputs", std::move(inputs)},
                       {"outputs", std::move(outputs)},
                       {"operators", std::move(operators)}});
}

bool holds_weights_only(convert::Format format) {
  return format == convert::Format::kTorchCheckpoint || format == convert::Format::kSafetensors;
}

Json describe_weights(const WeightsListing& listing) {
  Json tensors = Json::array();
  for (const ListedTensor& tensor : listing.tensors) {
    Json shape = Json::array();
    for (const int64_t dim : tensor.shape) shape.push(dim);
    tensors.push(Json::object(
        {{"name", tensor.name}, {"dtype", tensor.dtype}, {"shape", std::move(shape)}, {"sha256", tensor.sha256}}));
  }
  return tensors;
}

void run(const Arguments& arguments) {
  const convert::Format format = convert::detect(arguments.file);
  Json report = Json::object({{"file", arguments.file}, {"format", std::string(convert::format_name(format))}});
  if (holds_weights_only(format) || format == convert::Format::kTorchScript) {
    const WeightsListing listing = list_weights(map_file(arguments.file), arguments.file);
    report.set("form", listing.form);
    report.set("tensors", describe_weights(listing));
    if (holds_weights_only(format)) {
      fmt::print("{}\n", report.dump(2));
      return;
    }
  }
  try {
    const ir::Model model = convert::import_file(arguments.file, arguments.import.options());
    for (const Json::Member& member : describe_graph(model).as_object()) report.set(member.first, member.second);
  } catch (const Error& error) {
    // The tensors above are worth showing even where the graph does not convert.
    if (format != convert::Format::kTorchScript || error.code() != Code::kUnimplemented) throw;
    report.set("blocked", error.message());
  }
  fmt::print("{}\n", report.dump(2));
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("inspect", "Tell what a model file holds, without running anything in it");
  verb.add_option("FILE", arguments->file, "The model file or SavedModel folder")->required();
  verb.add_flag("--json", arguments->json, "Print JSON");
  arguments->import.add_to(verb);
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
