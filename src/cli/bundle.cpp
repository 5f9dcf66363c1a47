#include "bundle/bundle.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/mapped_file.h"
#include "cli/edge_program.h"
#include "cli/predict/printing.h"
#include "cli/predict/program.h"
#include "cli/predict/sources.h"
#include "cli/verbs.h"
#include "convert/convert.h"
#include "runtime/ort_format.h"
#include "runtime/session.h"
#include "tasks/describe.h"

namespace onward::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> sources;
  std::string output;
  bool single_file = false;
  std::string target;
  std::string edge;
  std::string format = "onnx";
};

Bytes as_onnx(const serving::Source& source) {
  if (convert::detect(source.path) == convert::Format::kOnnx) return map_file(source.path);
  const exporter::Serialized model = convert::convert_file(source.path, {});
  if (!model.external.empty()) fail_unsupported(source.path.string() + " is too large for a bundle: over 1.9 GB");
  return model.joined();
}

bundle::Member bundled(const serving::Source& source, const std::string& format) {
  if (source.path.extension() == ".ort") return {source.name + ".ort", map_file(source.path)};
  const Bytes onnx = as_onnx(source);
  // What can't run is told here, not where the bundle goes.
  runtime::Session::from_bytes(onnx, source.path.string());
  if (format == "onnx") return {source.name + ".onnx", onnx};
  return {source.name + ".ort", runtime::ort_file(onnx, source.path.string())};
}

bundle::Contents contents_of(const Arguments& arguments, const EdgeProgram& program) {
  bundle::Contents contents;
  contents.program = map_file(program.path);
  for (const fs::path& library : program.libraries) {
    contents.libraries.push_back({library.filename().string(), map_file(library)});
  }
  std::set<std::string> names;
  for (const std::string& text : arguments.sources) {
    const serving::Source source = parse_source(text);
    if (source.name.find('/') != std::string::npos) fail_invalid("\"" + source.name + "\" can't be a model's name");
    if (!names.insert(source.name).second) {
      fail_invalid(fmt::format("two models are named \"{}\"", source.name), "name one of them differently: NAME=FILE");
    }
    contents.models.push_back(bundled(source, arguments.format));
  }
  return contents;
}

void run(const Arguments& arguments) {
  const fs::path output = fs::path(arguments.output).lexically_normal();
  const fs::path path = output.filename().empty() ? output.parent_path() : output;  // "app/"
  const bool single = arguments.single_file || path.extension() == ".run";
  const EdgeProgram program = !arguments.edge.empty()
                                  ? edge_program_at(arguments.edge)
                                  : find_edge_program(arguments.target.empty() ? this_machine() : arguments.target);
  if (!arguments.target.empty() && program.machine != arguments.target) {
    fail_usage(fmt::format("{} is for {}, not {}", arguments.edge, program.machine, arguments.target),
               "name the right one");
  }
  bundle::Contents contents = contents_of(arguments, program);
  contents.program_name = path.stem().string();
  if (single) {
    bundle::write_single_file(path, contents);
  } else {
    bundle::write_folder(path, contents);
  }
  const std::string start = single ? path.string() : (path / contents.program_name).string();
  fmt::print("{}: {}, {}, for {}\n", path.string(), size_text(tasks::bytes_on_disk(path)),
             counted(contents.models.size(), "model"), program.machine);
  fmt::print("  {0} run --input FILE\n  {0} serve\n", start.find('/') == std::string::npos ? "./" + start : start);
}

}  // namespace

void add_bundle(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("bundle", "Pack models and a small program that runs them into one thing");
  verb.footer(
      "Examples:\n"
      "  onward bundle Model.keras -o app          a folder: app/app run, app/app serve\n"
      "  onward bundle Model.onnx -o app.run       one executable file\n"
      "  onward bundle a=A.pt2 b=B.h5 -o app --target aarch64\n"
      "Needs the edge program: make edge. Nothing needs to be installed where the bundle goes.");
  verb.add_option("MODEL", arguments->sources, "Model files of any supported format; NAME=FILE gives one a name")
      ->required()
      ->type_name("[NAME=]FILE");
  verb.add_option("-o,--output", arguments->output, "The folder to make, or, where it ends in .run, the file")
      ->required()
      ->type_name("OUT");
  verb.add_flag("--single-file", arguments->single_file, "Make one executable file, whatever its name");
  verb.add_option("--target", arguments->target, "The machine it is for (default: this one's kind)")
      ->check(CLI::IsMember({"x86_64", "aarch64"}).description(""))
      ->type_name("x86_64|aarch64");
  verb.add_option("--edge", arguments->edge, "The edge program to use (default: the one built with this program)")
      ->type_name("FILE");
  verb.add_option("--format", arguments->format,
                  "How models are stored: onnx (fastest) or ort (ONNX Runtime's own, loaded in less time and memory)")
      ->check(CLI::IsMember({"onnx", "ort"}).description(""))
      ->capture_default_str()
      ->type_name("onnx|ort");
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
