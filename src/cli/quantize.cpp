#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/mapped_file.h"
#include "cli/options.h"
#include "cli/predict/printing.h"
#include "cli/verbs.h"
#include "tasks/quantizing.h"
#include "tasks/samples.h"

namespace onward::cli {
namespace {

using quantize::Method;
using quantize::Mode;
using quantize::WeightType;
using serving::PixelRange;

struct Arguments {
  std::string source;
  std::string output;
  std::string calibration;
  size_t samples = 0;
  std::string method = "search";
  std::string max_drop;
  std::string max_size;
  std::string only;
  std::string exclude;
  std::string report;
  PixelRange pixels = PixelRange::kAuto;
  int opset = 0;
  bool json = false;
  quantize::Options options;
  std::vector<std::filesystem::path> custom_ops;
  ImportArguments import;
};

double parse_drop(const std::string& text) {
  if (text.empty()) return -1;
  size_t end = 0;
  double value = -1;
  try {
    value = std::stod(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  const std::string unit = text.substr(end);
  if (end == 0 || value < 0 || (!unit.empty() && unit != "%")) {
    fail_usage("--max-drop " + text + " is no share", "write a percentage or a fraction: 0.5% or 0.005");
  }
  return unit == "%" ? value / 100 : value;
}

size_t parse_size(const std::string& text) {
  if (text.empty()) return 0;
  static const std::map<std::string, double> kUnits{{"", 1},     {"B", 1},   {"k", 1e3},  {"kB", 1e3}, {"K", 1e3},
                                                    {"KB", 1e3}, {"M", 1e6}, {"MB", 1e6}, {"G", 1e9},  {"GB", 1e9}};
  size_t end = 0;
  double value = 0;
  try {
    value = std::stod(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  const auto unit = kUnits.find(text.substr(end));
  if (end == 0 || value <= 0 || unit == kUnits.end()) {
    fail_usage("--max-size " + text + " is no size", "write bytes, or a number with kB, MB or GB: 2.5MB");
  }
  return static_cast<size_t>(value * unit->second);
}

void take_method(Arguments& arguments) {
  static const std::map<std::string, Method> kMethods{{"minmax", Method::kMinMax},
                                                      {"percentile", Method::kPercentile},
                                                      {"entropy", Method::kEntropy},
                                                      {"mse", Method::kMse}};
  const auto method = kMethods.find(arguments.method);
  arguments.options.search = method == kMethods.end();
  if (method != kMethods.end()) arguments.options.integers.method = method->second;
}

std::string share(size_t after, size_t before) {
  return fmt::format("{:.3f}", static_cast<double>(after) / static_cast<double>(std::max<size_t>(before, 1)));
}

std::string decibels(double sqnr) {
  return sqnr >= quantize::Difference::kExact ? "exact" : fmt::format("{:.1f} dB", sqnr);
}

void print_candidates(const quantize::Report& report) {
  if (report.candidates.empty()) return;
  std::vector<std::vector<std::string>> rows{{"candidate", "size", "time", "SQNR", "drop", "verdict"}};
  for (const quantize::Candidate& one : report.candidates) {
    rows.push_back({one.what, size_text(one.bytes),
                    one.milliseconds > 0 ? fmt::format("{:.3f} ms", one.milliseconds) : "", decibels(one.fidelity.sqnr),
                    fmt::format("{:.2f}%", one.fidelity.drop() * 100), one.verdict});
  }
  fmt::print("tried:\n{}", table(rows));
}

void print_layers(const quantize::Report& report) {
  if (report.layers.empty()) return;
  std::vector<std::vector<std::string>> rows{{"layer", "operator", "form", "SQNR", "time, ms", ""}};
  for (const quantize::LayerReport& one : report.layers) {
    const std::string time =
        one.timed() ? fmt::format("{:.3f} -> {:.3f}", one.milliseconds_before, one.milliseconds_after) : "";
    const std::string sqnr = report.measured && one.weights > 0 ? decibels(one.sqnr) : "";
    rows.push_back({one.name, one.op, one.form, sqnr, time, one.reason});
  }
  fmt::print("{}:\n{}", report.mode == "fp16" ? "kept in float32" : "layers", table(rows));
}

void print_measured(const quantize::Report& report) {
  fmt::print("time:    {:.3f} ms -> {:.3f} ms ({:.2f} times as fast)\n", report.milliseconds_before,
             report.milliseconds_after, report.milliseconds_before / report.milliseconds_after);
  const std::string on = report.random_samples ? "random inputs" : counted(report.checked, "sample");
  fmt::print("answers: {} against the float model, cosine {:.6f}, on {}\n", decibels(report.fidelity.sqnr),
             report.fidelity.cosine, on);
  if (report.fidelity.metric.empty()) return;
  fmt::print("{}: {:.4f} -> {:.4f} (drop {:.2f}%)\n", report.fidelity.metric, report.fidelity.float_score,
             report.fidelity.score, report.fidelity.drop() * 100);
}

void print_text(const quantize::Report& report) {
  print_candidates(report);
  print_layers(report);
  fmt::print("{} -> {}: {}{}{}\n", report.source, report.output, report.mode, report.method.empty() ? "" : ", ",
             report.method);
  fmt::print("size:    {} -> {} ({})\n", size_text(report.bytes_before), size_text(report.bytes_after),
             share(report.bytes_after, report.bytes_before));
  if (report.measured) print_measured(report);
  for (const std::string& note : report.notes) fmt::print("note: {}\n", note);
}

// As it was typed, with quotes where a shell needs them.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text;
  for (std::string word; std::getline(file, word, '\0');) {
    const bool plain = word.find_first_of(" \t\"'*?$&;|<>()\\") == std::string::npos && !word.empty();
    text += (text.empty() ? "" : " ") + (plain ? word : "'" + word + "'");
  }
  return text;
}

void write_report(const std::string& file, const quantize::Report& report) {
  const bool html = std::filesystem::path(file).extension() == ".html";
  const std::string text = html ? quantize::to_html(report) : quantize::to_json(report).dump(2) + "\n";
  const ByteView parts[] = {as_bytes(text)};
  write_file(file, parts);
}

void check_no_measure(const Arguments& arguments) {
  if (arguments.options.measure) return;
  const auto refuse = [](const std::string& what, const char* remedy) {
    fail_usage("--no-measure leaves out what " + what + " goes by", remedy);
  };
  const Mode mode = arguments.options.mode;
  if (mode == Mode::kAuto) refuse("--mode auto", "name the mode that you want");
  if (mode == Mode::kStatic && arguments.options.search)
    refuse("--method search", "name one: --method minmax, percentile, entropy or mse");
  if (!arguments.max_drop.empty()) refuse("--max-drop", "leave one of the two out");
  if (std::filesystem::path(arguments.report).extension() == ".html")
    refuse("a page of plots", "write the report as .json, or leave one of the two out");
}

void check(Arguments& arguments) {
  take_method(arguments);
  arguments.options.max_drop = parse_drop(arguments.max_drop);
  arguments.options.max_bytes = parse_size(arguments.max_size);
  arguments.options.selection.only = split_names(arguments.only);
  arguments.options.selection.exclude = split_names(arguments.exclude);
  const std::string ending = std::filesystem::path(arguments.report).extension().string();
  if (!arguments.report.empty() && ending != ".html" && ending != ".json") {
    fail_usage("--report " + arguments.report + " is neither .html nor .json", "end it in one of these");
  }
  if (arguments.options.mode == Mode::kStatic && arguments.calibration.empty()) {
    fail_usage("--mode static needs --calibration DIR",
               "DIR holds one .npz for each sample, its arrays named as the model's inputs, or images; 20 to 200 are "
               "enough");
  }
  check_no_measure(arguments);
}

void run(Arguments& arguments) {
  check(arguments);
  // What is large goes back to the system as soon as a candidate is done with.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  tasks::QuantizeTask task{arguments.source,  arguments.output, arguments.import.options(), arguments.opset,
                           arguments.options, nullptr,          arguments.custom_ops};
  if (!arguments.calibration.empty()) {
    task.samples = [&](const tasks::FloatSession& session) {
      return tasks::folder_samples(arguments.calibration, arguments.samples, *session, arguments.pixels);
    };
  }
  quantize::Report report = tasks::quantize_file(task);
  report.command = command_line();
  if (!arguments.report.empty()) write_report(arguments.report, report);
  arguments.json ? fmt::print("{}\n", quantize::to_json(report).dump(2)) : print_text(report);
}

void add_calibration(CLI::App& verb, Arguments& arguments) {
  verb.add_option("--calibration", arguments.calibration,
                  "A folder of samples: one .npz each, its arrays named as the model's inputs (and, for labels, as its "
                  "outputs), or images for a model with one input")
      ->type_name("DIR");
  verb.add_option("--samples", arguments.samples, "Use so many samples, evenly spread (default: all)")->type_name("N");
  verb.add_option(
          "--method", arguments.method,
          "How static scales are found: search (all of them, the best is taken), minmax, percentile, entropy, mse")
      ->check(CLI::IsMember({"search", "minmax", "percentile", "entropy", "mse"}).description(""))
      ->type_name("M");
  verb.add_option("--percentile", arguments.options.integers.percentile, "What --method percentile keeps")
      ->capture_default_str()
      ->check(CLI::Range(50.0, 100.0))
      ->type_name("P");
  verb.add_flag("--bias-correction", arguments.options.integers.correct_bias,
                "Take back how rounded weights shift the mean (search decides it by measuring)");
  verb.add_option("--weights", arguments.options.integers.weights,
                  "Integer weights: int7 (right on every CPU), int8 (overflows on x86 without VNNI), uint8 (slower)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, WeightType>{{"int7", WeightType::kInt7},
                                                                            {"int8", WeightType::kInt8},
                                                                            {"uint8", WeightType::kUInt8}})
                      .description(""))
      ->type_name("int7|int8|uint8");
}

void add_limits(CLI::App& verb, Arguments& arguments) {
  verb.add_option("--max-drop", arguments.max_drop,
                  "How much worse the answers may be: of the score against labels, else of the cosine with the float "
                  "model's answers (auto: 0.5%)")
      ->type_name("0.5%");
  verb.add_option("--max-size", arguments.max_size, "How large the file may be")->type_name("2.5MB");
  verb.add_option("--exclude", arguments.exclude,
                  "Layers to leave in float: names, paths or operators, with * for anything")
      ->type_name("A,B");
  verb.add_option("--only", arguments.only, "The layers to quantize")->type_name("A,B");
  verb.add_option("--block-size", arguments.options.block, "Weights in a block share a scale (weights4 and weights8)")
      ->capture_default_str()
      ->check(CLI::IsMember({16, 32, 64, 128, 256}).description(""))
      ->type_name("N");
  verb.add_flag("--half-interface", arguments.options.half_interface, "fp16: inputs and outputs become float16, too");
}

}  // namespace

void add_quantize(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb =
      *app.add_subcommand("quantize", "Make a model smaller and faster with fewer bits, and measure the cost");
  verb.footer(
      "Examples:\n"
      "  onward quantize Model.keras -o Small.onnx --calibration samples/\n"
      "  onward quantize Model.pt2 -o Small.onnx --mode static --calibration samples/ --max-drop 0.5% --report r.html\n"
      "  onward quantize Model.onnx -o Small.onnx --mode weights4\n"
      "Mode auto measures all that may help on this machine, and never writes a slower model than the float one.");
  verb.add_option("IN", arguments->source, "The float model file or SavedModel folder, of any supported format")
      ->required();
  verb.add_option("-o,--output", arguments->output, "The ONNX file to write")->required()->type_name("OUT.onnx");
  verb.add_option("--mode", arguments->options.mode, "auto, static, dynamic, weights8, weights4 or fp16 (default auto)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Mode>{{"auto", Mode::kAuto},
                                                                      {"static", Mode::kStatic},
                                                                      {"dynamic", Mode::kDynamic},
                                                                      {"weights8", Mode::kWeights8},
                                                                      {"weights4", Mode::kWeights4},
                                                                      {"fp16", Mode::kHalf}})
                      .description(""))
      ->type_name("MODE");
  add_calibration(verb, *arguments);
  add_limits(verb, *arguments);
  verb.add_option("--report", arguments->report, "Write the report: a page with plots, or JSON")
      ->type_name("R.html|R.json");
  verb.add_flag(
      "!--no-measure", arguments->options.measure,
      "Only make the file: no comparison with the float model, no times. Faster, with less memory; for a mode "
      "and a method that are known to serve");
  verb.add_option("--opset", arguments->opset, "ONNX opset of the result (default: the model's own, 18 at least)")
      ->type_name("N");
  verb.add_flag("--json", arguments->json, "Print the report as JSON");
  add_custom_ops(verb, arguments->custom_ops);
  arguments->import.add_to(verb);
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
