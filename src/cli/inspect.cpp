#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "cli/notes.h"
#include "cli/options.h"
#include "cli/predict/printing.h"
#include "cli/verbs.h"
#include "convert/convert.h"
#include "convert/weights_only.h"
#include "formats/listing.h"
#include "serving/model_config.h"
#include "tasks/describe.h"

namespace onward::cli {
namespace {

using convert::Format;

constexpr size_t kRowsShown = 40;

struct Arguments {
  std::string file;
  bool json = false;
  bool all = false;
  bool config = false;
  ImportArguments import;
};

struct Inspection {
  std::string file;
  Format format = Format::kOnnx;
  std::optional<WeightsListing> weights;
  std::optional<ir::Model> model;
  std::optional<Error> blocked;  // why there is no model
};

// A file whose tensors can be listed without the graph around them.
bool lists_weights(Format format) {
  switch (format) {
    case Format::kTorchCheckpoint:
    case Format::kSafetensors:
    case Format::kTorchScript:
    case Format::kPt2:
    case Format::kHdf5:
    case Format::kKeras:
      return true;
    default:
      return false;
  }
}

WeightsListing list_constants(const ir::Graph& graph) {
  WeightsListing listing;
  for (const ir::Value& value : graph.values()) {
    if (!value.is_constant() || value.name.empty()) continue;
    const ir::Tensor& tensor = *value.constant();
    const bool text = tensor.dtype() == ir::DType::kString;
    listing.tensors.push_back({value.name, std::string(ir::dtype_name(tensor.dtype())), tensor.dims(),
                               text ? "" : sha256_hex(tensor.bytes().view())});
  }
  return listing;
}

// What hinders the conversion, and not the reading.
bool only_blocks(const Error& error) {
  return error.code() == Code::kUnimplemented || error.code() == Code::kInvalidArgument;
}

Inspection inspect(const Arguments& arguments) {
  Inspection inspection{arguments.file, convert::detect(arguments.file), {}, {}, {}};
  if (lists_weights(inspection.format)) inspection.weights = list_weights(map_file(arguments.file), arguments.file);
  if (convert::holds_weights_only(inspection.format, arguments.file)) return inspection;
  try {
    inspection.model = convert::import_file(arguments.file, arguments.import.options());
    if (!inspection.weights) inspection.weights = list_constants(*inspection.model->graph);
  } catch (const Error& error) {
    if (!only_blocks(error)) throw;
    inspection.blocked = error;
  }
  return inspection;
}

// --- JSON ------------------------------------------------------------------------------------------------------------

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

Json to_json(const Inspection& inspection) {
  Json report =
      Json::object({{"file", inspection.file}, {"format", std::string(convert::format_name(inspection.format))}});
  if (inspection.model) {
    const ir::Graph& graph = *inspection.model->graph;
    report.set("producer", inspection.model->producer);
    report.set("inputs", tasks::describe_inputs(graph));
    report.set("outputs", tasks::describe_outputs(graph));
    report.set("operators", tasks::count_operators(graph));
    report.set("source_operators", tasks::count_source_operators(graph));
    Json notes = Json::array();
    for (const std::string& note : notes_on(*inspection.model)) notes.push(note);
    if (notes.size() > 0) report.set("notes", std::move(notes));
  }
  if (inspection.weights) {
    if (!inspection.weights->form.empty()) report.set("form", inspection.weights->form);
    report.set("tensors", describe_weights(*inspection.weights));
  }
  if (inspection.blocked) {
    report.set("blocked", inspection.blocked->message());
    report.set("remedy", inspection.blocked->hint());
  }
  return report;
}

// --- text ------------------------------------------------------------------------------------------------------------

using Rows = std::vector<std::vector<std::string>>;

std::string dims_text(const Json& shape) {
  std::string text = "[";
  for (const Json& dim : shape.as_array()) {
    if (text.size() > 1) text += ",";
    text += dim.is_string() ? dim.as_string() : dim.is_null() ? "?" : std::to_string(dim.as_int());
  }
  return text + "]";
}

void print_values(const char* title, const Json& values) {
  Rows rows;
  for (const Json& value : values.as_array()) {
    rows.push_back({value.at("name").as_string(), value.at("dtype").as_string(),
                    value.contains("shape") ? dims_text(value.at("shape")) : "of any shape"});
  }
  fmt::print("\n{}\n{}", title, table(rows));
}

void print_counts(const char* title, const Json& counts) {
  if (counts.size() == 0) return;
  Rows rows;
  for (const auto& [name, count] : counts.as_object()) rows.push_back({name, std::to_string(count.as_int())});
  fmt::print("\n{}\n{}", title, table(rows));
}

void print_tensors(const WeightsListing& listing, bool all) {
  Rows rows;
  const size_t shown = all ? listing.tensors.size() : std::min(kRowsShown, listing.tensors.size());
  for (size_t i = 0; i < shown; ++i) {
    const ListedTensor& tensor = listing.tensors[i];
    rows.push_back(
        {tensor.name, tensor.dtype, ir::shape_text(ir::to_shape(tensor.shape)), tensor.sha256.substr(0, 12)});
  }
  fmt::print("\ntensors ({}; the last column begins their SHA-256)\n{}", listing.tensors.size(), table(rows));
  if (shown < listing.tensors.size()) fmt::print("  … and {} more: --all\n", listing.tensors.size() - shown);
}

void print(const Inspection& inspection, bool all) {
  fmt::print("{}\n", inspection.file);
  Rows rows{{"format", std::string(convert::format_name(inspection.format))}};
  const bool form = inspection.weights && !inspection.weights->form.empty() && !inspection.model;
  if (form) rows.push_back({"form", inspection.weights->form});
  if (inspection.model) rows.push_back({"written by", inspection.model->producer});
  fmt::print("{}", table(rows));
  if (inspection.model) {
    const ir::Graph& graph = *inspection.model->graph;
    print_values("inputs", tasks::describe_inputs(graph));
    print_values("outputs", tasks::describe_outputs(graph));
    for (const std::string& note : notes_on(*inspection.model)) fmt::print("\nnote: {}\n", note);
    print_counts("operators of the source", tasks::count_source_operators(graph));
    print_counts("as ONNX operators, before optimization", tasks::count_operators(graph));
  }
  if (inspection.weights && !inspection.weights->tensors.empty()) print_tensors(*inspection.weights, all);
  if (inspection.blocked) {
    fmt::print("\nit does not convert\n  {}\n", inspection.blocked->message());
    if (!inspection.blocked->hint().empty()) fmt::print("  {}\n", inspection.blocked->hint());
  } else if (!inspection.model) {
    fmt::print("\nweights only: it converts together with its class (onward convert --help)\n");
  }
}

// A model.yaml, or a model's folder with or without one.
void show_config(const std::filesystem::path& path) {
  const std::filesystem::path file = std::filesystem::is_directory(path) ? path / "model.yaml" : path;
  const bool none = file != path && !std::filesystem::exists(file);
  fmt::print("{}", serving::show_model_config(none ? serving::ModelConfig() : serving::read_model_config(file)));
}

void run(const Arguments& arguments) {
  if (arguments.config) return show_config(arguments.file);
  const Inspection inspection = inspect(arguments);
  if (arguments.json) {
    fmt::print("{}\n", to_json(inspection).dump(2));
  } else {
    print(inspection, arguments.all);
  }
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("inspect", "Tell what a model file holds, without running anything in it");
  verb.footer(
      "Examples:\n"
      "  onward inspect Model.keras\n"
      "  onward inspect Model.pth --json");
  verb.add_option("FILE", arguments->file, "The model file or SavedModel folder")->required();
  verb.add_flag("--json", arguments->json, "Print JSON, every tensor with its SHA-256");
  verb.add_flag("--all", arguments->all, fmt::format("List every tensor, not only the first {}", kRowsShown));
  verb.add_flag("--config", arguments->config,
                "FILE is a model.yaml or the folder of a served model: check it and show every setting");
  arguments->import.add_to(verb);
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
