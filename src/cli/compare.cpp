#include "runtime/compare.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "cli/compare_tensors.h"
#include "cli/options.h"
#include "cli/predict/printing.h"
#include "cli/verbs.h"
#include "quantize/fidelity.h"
#include "tasks/describe.h"
#include "tasks/feeds/feeds.h"
#include "tasks/loading.h"
#include "tasks/random_feeds.h"

namespace onward::cli {
namespace {

struct Arguments {
  std::string a;
  std::string b;
  std::string inputs;
  runtime::Tolerance tolerance;
  int runs = 10;
  bool tensors = false;
  bool json = false;
  std::vector<std::filesystem::path> custom_ops;
  ImportArguments import;
};

struct Side {
  std::optional<ir::Model> model;  // none for an .ort file, whose graph only ONNX Runtime reads
  int opset;
  runtime::Session session;
  Json operators;
  size_t bytes;
  std::vector<ir::Tensor> inputs;
  std::vector<double> times;
};

// Operators are those that run: an ONNX file's own, what any other file is converted to.
Side load(const std::string& path, const convert::Options& options, const runtime::SessionOptions& session_options) {
  if (std::filesystem::path(path).extension() == ".ort") {
    runtime::Session session = runtime::Session::load(path, session_options);
    return {std::nullopt, 0, std::move(session), Json(), tasks::bytes_on_disk(path), {}, {}};
  }
  ir::Model model = convert::import_file(path, options.import);
  const bool as_it_is = convert::detect(path) == convert::Format::kOnnx;
  const int opset =
      as_it_is ? tasks::target_opset(model, 0).value_or(convert::kDefaultOpset) : convert::optimize(model, options);
  runtime::Session session = as_it_is ? tasks::open_session(path, options, session_options)
                                      : tasks::open_session(model, path, opset, session_options);
  Json operators = tasks::count_operators(*model.graph);
  return {std::move(model), opset, std::move(session), std::move(operators), tasks::bytes_on_disk(path), {}, {}};
}

std::vector<runtime::NamedTensor> feeds(const Arguments& arguments, const runtime::Session& session) {
  if (!arguments.inputs.empty()) return tasks::read_npz(arguments.inputs);
  const std::vector<ir::Tensor> random = tasks::random_feeds(session.inputs(), 1);
  std::vector<runtime::NamedTensor> tensors;
  for (size_t i = 0; i < random.size(); ++i) tensors.emplace_back(session.inputs()[i].name, random[i]);
  return tensors;
}

void take(Side& side, const std::vector<runtime::NamedTensor>& given) {
  for (auto& [name, tensor] : runtime::matched(side.session.inputs(), given, "input")) side.inputs.push_back(tensor);
}

std::vector<runtime::NamedTensor> run_once(Side& side) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<ir::Tensor> results = side.session.run(side.inputs);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  side.times.push_back(time.count());
  std::vector<runtime::NamedTensor> named;
  for (size_t i = 0; i < results.size(); ++i) named.emplace_back(side.session.outputs()[i].name, results[i]);
  return named;
}

double median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

Json to_json(const std::string& file, const Side& side) {
  return Json::object({{"file", file},
                       {"bytes", side.bytes},
                       {"median_milliseconds", median(side.times)},
                       {"operators", side.operators}});
}

// Operators whose numbers differ.
std::string operator_changes(const Json& a, const Json& b) {
  if (!a.is_object() || !b.is_object()) return "not told: an .ort file lists none";
  std::string text;
  const auto note = [&](const std::string& name) {
    const int64_t before = a.get(name, int64_t{0});
    const int64_t after = b.get(name, int64_t{0});
    if (before != after) text += fmt::format("{}{} {} -> {}", text.empty() ? "" : ", ", name, before, after);
  };
  for (const Json::Member& member : a.as_object()) note(member.first);
  for (const Json::Member& member : b.as_object()) {
    if (!a.contains(member.first)) note(member.first);
  }
  return text.empty() ? "the same" : text;
}

// What a comparison found; `tensors` is empty where nobody asked for them.
struct Findings {
  std::vector<runtime::Comparison> outputs;
  std::vector<TensorDifference> tensors;
};

void print_tensors(const std::vector<TensorDifference>& tensors) {
  std::vector<std::vector<std::string>> rows{{"tensor", "made by", "SQNR", "largest error"}};
  for (const TensorDifference& one : tensors) {
    const bool exact = one.sqnr >= quantize::Difference::kExact;
    rows.push_back({one.name, one.made_by, exact ? "exact" : fmt::format("{:.1f} dB", one.sqnr),
                    fmt::format("{:.3g}", one.largest_error)});
  }
  fmt::print("{} that both compute:\n{}", counted(tensors.size(), "tensor"), table(rows));
}

void print_text(const Arguments& arguments, const Side& a, const Side& b, const Findings& findings) {
  if (arguments.tensors) print_tensors(findings.tensors);
  std::vector<std::vector<std::string>> rows{{"output", "values", "differing", "largest error"}};
  for (const runtime::Comparison& one : findings.outputs) {
    rows.push_back({one.output, std::to_string(one.values), std::to_string(one.differing),
                    one.difference.empty() ? fmt::format("{:.3g}", one.largest_error) : one.difference});
  }
  fmt::print("outputs:\n{}", table(rows));
  fmt::print("size:      {} -> {} ({:.2f})\n", size_text(a.bytes), size_text(b.bytes),
             static_cast<double>(b.bytes) / static_cast<double>(std::max<size_t>(a.bytes, 1)));
  fmt::print("time:      {:.3f} ms -> {:.3f} ms (median of {}; {:.2f} times as fast)\n", median(a.times),
             median(b.times), arguments.runs, median(a.times) / median(b.times));
  fmt::print("operators: {}\n", operator_changes(a.operators, b.operators));
}

void print_json(const Arguments& arguments, const Side& a, const Side& b, const Findings& findings) {
  Json outputs = Json::array();
  for (const runtime::Comparison& one : findings.outputs) {
    outputs.push(Json::object({{"name", one.output},
                               {"agrees", one.difference.empty()},
                               {"values", one.values},
                               {"differing", one.differing},
                               {"largest_error", one.largest_error},
                               {"difference", one.difference}}));
  }
  Json::Object all{{"a", to_json(arguments.a, a)}, {"b", to_json(arguments.b, b)}, {"outputs", outputs}};
  if (arguments.tensors) {
    Json tensors = Json::array();
    for (const TensorDifference& one : findings.tensors) {
      tensors.push(Json::object(
          {{"name", one.name}, {"operator", one.made_by}, {"sqnr", one.sqnr}, {"largest_error", one.largest_error}}));
    }
    all.emplace_back("tensors", std::move(tensors));
  }
  fmt::print("{}\n", Json::object(std::move(all)).dump(2));
}

void compare_inside(Side& a, Side& b, const Arguments& arguments, Findings& findings) {
  const runtime::SessionOptions session{.custom_ops = arguments.custom_ops};
  findings.tensors = compare_tensors({*a.model, a.opset, session}, a.inputs, {*b.model, b.opset, session}, b.inputs);
}

void run(const Arguments& arguments) {
  convert::Options options;
  options.import = arguments.import.options();
  const runtime::SessionOptions session{.custom_ops = arguments.custom_ops};
  Side a = load(arguments.a, options, session);
  Side b = load(arguments.b, options, session);
  if (arguments.tensors && (!a.model || !b.model)) {
    fail_usage("--tensors can't look into an .ort file", "compare the .onnx file that it was made of");
  }
  const std::vector<runtime::NamedTensor> given = feeds(arguments, a.session);
  take(a, given);
  take(b, given);
  std::vector<runtime::NamedTensor> expected;
  std::vector<runtime::NamedTensor> got;
  // In turns, so that what else the machine does touches both alike; the first run of each warms up.
  for (int i = 0; i <= arguments.runs; ++i) {
    expected = run_once(a);
    got = run_once(b);
  }
  for (Side* side : {&a, &b}) side->times.erase(side->times.begin());
  const auto aligned = runtime::matched(b.session.outputs(), expected, "output");
  Findings findings;
  for (size_t i = 0; i < got.size(); ++i) {
    findings.outputs.push_back(runtime::compare(got[i].first, got[i].second, aligned[i].second, arguments.tolerance));
  }
  if (arguments.tensors) compare_inside(a, b, arguments, findings);
  arguments.json ? print_json(arguments, a, b, findings) : print_text(arguments, a, b, findings);
  for (const runtime::Comparison& one : findings.outputs) {
    if (one.difference.empty()) continue;
    fail_data(
        fmt::format("{} and {} do not agree: output \"{}\": {}", arguments.a, arguments.b, one.output, one.difference),
        "--rtol and --atol set other tolerances");
  }
}

}  // namespace

void add_compare(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("compare", "Run two models on the same inputs: outputs, size, speed, operators");
  verb.footer(
      "Example:\n"
      "  onward compare Model.keras Model.onnx\n"
      "Inputs are random (the same every time) unless --inputs gives recorded ones. Exits with 1 when outputs differ.");
  verb.add_option("A", arguments->a, "A model file or SavedModel folder, of any supported format")->required();
  verb.add_option("B", arguments->b, "Another one; inputs and outputs are matched by name, else by position")
      ->required();
  verb.add_option("--inputs", arguments->inputs, "The inputs, one array each")->type_name("I.npz");
  verb.add_option("--rtol", arguments->tolerance.rtol, "Relative tolerance")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--atol", arguments->tolerance.atol, "Absolute tolerance")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--runs", arguments->runs, "How often each model runs for its median time")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  verb.add_flag("--tensors", arguments->tensors,
                "Also compare the tensors inside that both compute under one name, in order: where do they part?");
  verb.add_flag("--json", arguments->json, "Print JSON");
  add_custom_ops(verb, arguments->custom_ops);
  arguments->import.add_dims_to(verb, "--dims");
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
