#include "quantize/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ir/clone.h"
#include "quantize/automatic.h"
#include "quantize/layer_report.h"
#include "quantize/marks.h"
#include "quantize/sensitivity.h"
#include "quantize/workbench.h"

namespace onward::quantize {
namespace {

struct Made {
  ir::Model model;
  Recipe recipe;
};

Recipe start_recipe(const Workbench& bench, Form wanted) {
  Recipe recipe;
  recipe.layers = plan_layers(bench.layers(), wanted, bench.options().selection, true);
  recipe.integers = bench.options().integers;
  recipe.blocks.block = bench.options().block;
  return recipe;
}

Made make_half(Workbench& bench, Report& report) {
  Watched all;
  for (const ir::Value& value : bench.model().graph->values()) {
    if (!value.is_constant() && value.dtype == ir::DType::kFloat && !value.uses().empty())
      all[value.name] = std::nullopt;
  }
  std::map<std::string, float> largest;
  for (const auto& [name, seen] : calibrate(bench.model(), all, bench.samples(), bench.host())) {
    largest[name] = std::max(std::abs(seen.values.min()), std::abs(seen.values.max()));
  }
  Made made{ir::clone(bench.model()), {}};
  const auto kept = to_half(*made.model.graph, largest, {bench.options().selection, bench.options().half_interface});
  for (const KeptFloat& one : kept) {
    LayerReport layer;
    layer.name = one.name;
    layer.op = one.op;
    layer.form = "float";
    layer.reason = one.reason;
    report.layers.push_back(layer);
  }
  return made;
}

void check_applied(const Workbench& bench, const Recipe& recipe, const char* mode) {
  const auto applied = [](const auto& entry) { return entry.second.form != Form::kFloat; };
  if (std::any_of(recipe.layers.begin(), recipe.layers.end(), applied)) return;
  const LayerPlan& first = recipe.layers.begin()->second;
  throw Error(
      Code::kFailedPrecondition,
      fmt::format("no layer can be quantized in mode {}: {} ({})", mode, bench.layers().front().name(), first.reason),
      "try --mode weights8, which takes all kinds of layers");
}

Made make(Workbench& bench, Form form, int bits, const char* mode) {
  Recipe recipe = start_recipe(bench, form);
  recipe.blocks.bits = bits;
  check_applied(bench, recipe, mode);
  // The inputs' magnitudes say which weights count most.
  if (form == Form::kBlocks && bits == 4 && bench.samples().count > 0) bench.statistics();
  ir::Model model = bench.make(recipe);
  return {std::move(model), std::move(recipe)};
}

Made make_static(Workbench& bench) {
  bench.statistics();
  Recipe recipe = start_recipe(bench, Form::kInteger);
  check_applied(bench, recipe, "static");
  if (bench.options().search) recipe.integers = best_integers(bench, recipe);
  if (bench.options().max_drop >= 0) recipe = keep_drop(bench, recipe, bench.options().max_drop);
  ir::Model model = bench.make(recipe);
  return {std::move(model), std::move(recipe)};
}

const char* mode_name(Mode mode) {
  switch (mode) {
    case Mode::kWeights8:
      return "weights8";
    case Mode::kWeights4:
      return "weights4";
    case Mode::kHalf:
      return "fp16";
    case Mode::kDynamic:
      return "dynamic";
    case Mode::kStatic:
      return "static";
    default:
      return "auto";
  }
}

Made make_mode(Workbench& bench, Report& report) {
  switch (bench.options().mode) {
    case Mode::kWeights8:
      return make(bench, Form::kBlocks, 8, "weights8");
    case Mode::kWeights4:
      return make(bench, Form::kBlocks, 4, "weights4");
    case Mode::kHalf:
      return make_half(bench, report);
    case Mode::kDynamic:
      return make(bench, Form::kDynamic, 8, "dynamic");
    case Mode::kStatic:
      return make_static(bench);
    default: {
      auto [model, recipe] = choose(bench, report);
      return {std::move(model), std::move(recipe)};
    }
  }
}

bool uses_integers(const Recipe& recipe) {
  return std::any_of(recipe.layers.begin(), recipe.layers.end(),
                     [](const auto& entry) { return entry.second.form == Form::kInteger; });
}

std::string method_text(const StaticOptions& options) {
  static const std::map<Method, const char*> kNames{{Method::kMinMax, "minmax"},
                                                    {Method::kPercentile, "percentile"},
                                                    {Method::kEntropy, "entropy"},
                                                    {Method::kMse, "mse"}};
  static const std::map<WeightType, const char*> kWeights{
      {WeightType::kInt7, "7-bit weights"}, {WeightType::kInt8, "int8 weights"}, {WeightType::kUInt8, "uint8 weights"}};
  return fmt::format("{} scales, {}{}", kNames.at(options.method), kWeights.at(options.weights),
                     options.correct_bias ? ", bias corrected" : "");
}

// A score wants all of them; how far answers differ shows on a few.
bool labelled(const Samples& samples) { return samples.count > 0 && samples.labels && !samples.labels(0).empty(); }

void note_times(Workbench& bench, const runtime::Session& session, Report& report) {
  constexpr double kWorthSaying = 1.1;
  const std::vector<double> times =
      time_sessions({&bench.reference().session(), &session}, bench.samples(), bench.options().runs);
  report.milliseconds_before = times[0];
  report.milliseconds_after = times[1];
  if (times[1] <= times[0] * kWorthSaying) return;
  report.notes.emplace_back(bench.options().mode == Mode::kHalf
                                ? "slower here: this CPU has few float16 kernels; float16 is for GPUs and phones"
                                : "slower than the float model on this machine; --mode auto finds what is not");
}

void check_drop(const Options& options, const Report& report) {
  // What was measured is a matter of rounding beyond that.
  constexpr double kSlack = 1e-9;
  if (options.max_drop >= 0 && report.fidelity.drop() > options.max_drop + kSlack) {
    throw Error(Code::kFailedPrecondition,
                fmt::format("the answers drop by {:.2f}%, more than --max-drop {:.2f}%", report.fidelity.drop() * 100,
                            options.max_drop * 100),
                "try --mode auto, which finds what keeps it, or leave layers out with --exclude");
  }
}

void check_size(const Options& options, const Report& report) {
  if (options.max_bytes != 0 && report.bytes_after > options.max_bytes) {
    throw Error(
        Code::kFailedPrecondition,
        fmt::format("the result takes {} bytes, more than --max-size {}", report.bytes_after, options.max_bytes),
        "try --mode weights4, or allow a larger file");
  }
}

void measure_result(Workbench& bench, Made& made, Report& report) {
  const Options& options = bench.options();
  const Samples& samples = bench.samples();
  const runtime::Session quantized = bench.host().open(made.model);
  report.checked = labelled(samples) ? samples.count : std::min(samples.count, options.check_samples);
  report.fidelity = measure(bench.reference(), quantized, samples, report.checked);
  if (options.mode != Mode::kAuto) note_times(bench, quantized, report);
  check_drop(options, report);
}

void check_measure(const Options& options) {
  const bool chooses =
      options.mode == Mode::kAuto || options.max_drop >= 0 || (options.mode == Mode::kStatic && options.search);
  if (options.measure || !chooses) return;
  fail_invalid("mode auto, the search for a method and a limit to the drop choose by what they measure",
               "name a mode, a method where it is static, and no limit; or let it measure");
}

}  // namespace

Result quantize(ir::Model& model, const Options& options, const Samples& samples, const Host& host) {
  check_measure(options);
  Workbench bench(model, options, samples, host);
  Report report;
  report.mode = mode_name(options.mode);
  report.samples = samples.count;
  report.random_samples = options.random_samples;
  report.measured = options.measure;
  report.bytes_before = bench.float_bytes();
  Made made = make_mode(bench, report);
  const bool unchanged = made.recipe.layers.empty() && options.mode == Mode::kAuto;
  if (!unchanged) made.model.metadata[kQuantizedMark] = report.mode;
  report.bytes_after = host.size(made.model);
  if (uses_integers(made.recipe)) report.method = method_text(made.recipe.integers);
  check_size(options, report);
  if (options.measure) measure_result(bench, made, report);
  list_layers(bench, made.recipe, report);
  if (options.measure) measure_layers(bench, made.model, report);
  return {std::move(made.model), std::move(report)};
}

}  // namespace onward::quantize
