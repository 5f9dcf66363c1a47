#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/mapped_file.h"
#include "cli/feeds.h"
#include "cli/loading.h"
#include "cli/options.h"
#include "cli/printing.h"
#include "cli/verbs.h"
#include "formats/image/image.h"
#include "formats/npy.h"
#include "runtime/arrays.h"
#include "server/protocol/json_tensor.h"

namespace onward::cli {
namespace {

using runtime::ValueInfo;
using serving::PixelRange;

struct Arguments {
  std::string model;
  std::vector<std::string> feeds;
  std::string output;
  PixelRange pixels = PixelRange::kAuto;
  bool json = false;
  ImportArguments import;
};

std::string to_json(const std::vector<ValueInfo>& infos, const std::vector<ir::Tensor>& tensors) {
  std::string text = "{\"outputs\":[";
  for (size_t i = 0; i < tensors.size(); ++i) {
    text += i == 0 ? "{\"name\":" : ",{\"name\":";
    server::write_json_string(text, infos[i].name);
    text += fmt::format(",\"dtype\":\"{}\",\"shape\":{},\"data\":", ir::dtype_name(tensors[i].dtype()),
                        ir::shape_text(ir::to_shape(tensors[i].dims())));
    server::write_tensor(text, tensors[i]);
    text += "}";
  }
  return text + "]}\n";
}

enum class OutputKind { kNone, kNpz, kNpy, kPng, kJson };

// Told before anything is computed.
OutputKind output_kind(const std::string& file, size_t outputs) {
  static const std::map<std::string, OutputKind> kinds{
      {".npz", OutputKind::kNpz}, {".npy", OutputKind::kNpy}, {".png", OutputKind::kPng}, {".json", OutputKind::kJson}};
  if (file.empty()) return OutputKind::kNone;
  const auto kind = kinds.find(std::filesystem::path(file).extension().string());
  if (kind == kinds.end()) fail_invalid("can't tell how to write " + file, "end it in .npz, .npy, .png or .json");
  const bool single = kind->second == OutputKind::kNpy || kind->second == OutputKind::kPng;
  if (single && outputs != 1) {
    fail_invalid(fmt::format("the model has {} outputs, {} holds one", outputs, file), "write them to an .npz file");
  }
  return kind->second;
}

void write_outputs(const std::string& file, OutputKind kind, const std::vector<ValueInfo>& infos,
                   const std::vector<ir::Tensor>& tensors) {
  if (kind == OutputKind::kNpz) {
    std::vector<std::pair<std::string, Array>> arrays;
    for (size_t i = 0; i < tensors.size(); ++i) arrays.emplace_back(infos[i].name, runtime::to_array(tensors[i]));
    npy::write_npz(file, arrays);
  } else if (kind == OutputKind::kNpy) {
    npy::write(file, runtime::to_array(tensors.front()));
  } else {
    const Bytes bytes = kind == OutputKind::kJson
                            ? Bytes::from_string(to_json(infos, tensors))
                            : image::encode_png(serving::tensor_image(tensors.front(), infos.front().name));
    const ByteView parts[] = {bytes.view()};
    write_file(file, parts);
  }
}

void run(const Arguments& arguments) {
  convert::Options options;
  options.import = arguments.import.options();
  const runtime::Session session = open_session(arguments.model, options);
  const OutputKind kind = output_kind(arguments.output, session.outputs().size());
  const std::vector<ir::Tensor> inputs = read_feeds(arguments.feeds, session.inputs(), arguments.pixels);
  const std::vector<ir::Tensor> outputs = session.run(inputs);
  if (kind != OutputKind::kNone) write_outputs(arguments.output, kind, session.outputs(), outputs);
  if (arguments.json) {
    fmt::print("{}", to_json(session.outputs(), outputs));
    return;
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    fmt::print("{}  {}\n  {}\n", session.outputs()[i].name, type_text(outputs[i]), preview(outputs[i]));
  }
  if (kind != OutputKind::kNone) fmt::print("wrote {}\n", arguments.output);
}

}  // namespace

void add_run(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("run", "Make one prediction with a model file of any supported format");
  verb.footer(
      "Examples:\n"
      "  onward run Model.keras --input photo.png\n"
      "  onward run Model.pt2 --input \"input image=sample1.png\" -o mask.png\n"
      "  onward run model.onnx --input ids=ids.npy --input mask=mask.json -o answers.npz");
  verb.add_option("MODEL", arguments->model, "The model file or SavedModel folder")->required();
  verb.add_option("--input", arguments->feeds,
                  "What to feed: a .npy, .npz, .png, .jpg or .json file per input; the name may be left out where the "
                  "model has one input")
      ->type_name("[NAME=]FILE")
      ->take_all();
  verb.add_option("-o,--output", arguments->output,
                  "Write the outputs: .npz or .json, or .npy or .png for a single one")
      ->type_name("OUT");
  verb.add_option(
          "--pixels", arguments->pixels,
          "The range of a picture's values: auto (unit for floats, raw for integers), raw (0 to 255), unit (0 to "
          "1) or signed (-1 to 1)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, PixelRange>{{"auto", PixelRange::kAuto},
                                                                            {"raw", PixelRange::kRaw},
                                                                            {"unit", PixelRange::kUnit},
                                                                            {"signed", PixelRange::kSigned}})
                      .description(""))
      ->type_name("auto|raw|unit|signed");
  verb.add_flag("--json", arguments->json, "Print the outputs as JSON, every value of them");
  arguments->import.add_to(verb, "--dims");
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
