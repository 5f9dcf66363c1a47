#include "quantize/automatic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/clone.h"
#include "quantize/sensitivity.h"

namespace onward::quantize {
namespace {

// What medians of interleaved runs differ by though the work is the same.
constexpr double kTimingNoise = 1.03;
constexpr double kDefaultDrop = 0.005;

// Its model is made again when it is chosen: one candidate at a time is in memory.
struct Trial {
  Recipe recipe;
  Candidate result;
};

class Chooser {
 public:
  Chooser(Workbench& bench, Report& report)
      : bench_(bench),
        report_(report),
        limit_(bench.options().max_drop >= 0 ? bench.options().max_drop : kDefaultDrop) {}

  Choice run() {
    add_float();
    add("int8 weights", Form::kStored, 8);
    if (has_products()) {
      add("8-bit weights in blocks", Form::kBlocks, 8);
      add("4-bit weights in blocks", Form::kBlocks, 4);
      add("dynamic int8", Form::kDynamic, 8);
    }
    add_static();
    scale_times();
    return take_best();
  }

 private:
  bool has_products() const {
    return std::any_of(bench_.layers().begin(), bench_.layers().end(),
                       [](const Layer& layer) { return layer.node->is("MatMul") || layer.node->is("Gemm"); });
  }

  void add_float() {
    Trial trial;
    trial.result.what = "float";
    trial.result.bytes = bench_.float_bytes();
    trials_.push_back(std::move(trial));
  }

  void add(const char* what, Form form, int bits) {
    Recipe recipe;
    recipe.what = what;
    recipe.layers = plan_layers(bench_.layers(), form, bench_.options().selection, true);
    recipe.integers = bench_.options().integers;
    recipe.blocks = {bits, bench_.options().block};
    if (form == Form::kBlocks && bits == 4) bench_.statistics();
    add(std::move(recipe));
  }

  // Those whose answers are too far off are not timed.
  void add(Recipe recipe) {
    ir::Model model = bench_.make(recipe);
    Trial trial;
    trial.result.what = recipe.what;
    trial.result.bytes = bench_.host().size(model);
    trial.recipe = std::move(recipe);
    const runtime::Session session = bench_.host().open(model);
    trial.result.fidelity = measure(bench_.reference(), session, bench_.samples(), bench_.options().check_samples);
    if (trial.result.fidelity.drop() <= limit_) trial.result.milliseconds = relative_time(session);
    trials_.push_back(std::move(trial));
  }

  // Of the float model's time, which is run in turns with it.
  double relative_time(const runtime::Session& session) {
    const std::vector<double> times =
        time_sessions({&bench_.reference().session(), &session}, bench_.samples(), bench_.options().runs);
    float_times_.push_back(times[0]);
    return times[1] / std::max(times[0], 1e-6);
  }

  void add_static() {
    Recipe recipe;
    recipe.layers = plan_layers(bench_.layers(), Form::kInteger, bench_.options().selection, true);
    const auto integer = [](const auto& entry) { return entry.second.form == Form::kInteger; };
    if (std::none_of(recipe.layers.begin(), recipe.layers.end(), integer)) return;
    if (report_.random_samples) {
      report_.notes.push_back("integer activations were not tried: that needs --calibration DIR");
      return;
    }
    bench_.statistics();
    recipe.what = "static int8";
    recipe.integers = bench_.options().integers;
    recipe.integers = best_integers(bench_, recipe);
    recipe = keep_drop(bench_, recipe, limit_);
    add(recipe);
    for (const int64_t channels : {16, 32, 64}) add_wide_only(recipe, channels);
  }

  // ONNX Runtime's integer convolution gathers its input first, which only many results for each input pay for.
  void add_wide_only(Recipe recipe, int64_t channels) {
    size_t left = 0;
    bool changed = false;
    for (const Layer& layer : bench_.layers()) {
      if (recipe.layers.at(layer.name()).form != Form::kInteger) continue;
      if (layer.weight().dims()[layer.channel_axis] >= channels) {
        ++left;
      } else {
        take_out(recipe, layer.name(), fmt::format("fewer than {} channels", channels));
        changed = true;
      }
    }
    if (!changed || left == 0) return;
    recipe.what = fmt::format("static int8 from {} channels", channels);
    add(std::move(recipe));
  }

  // All candidates' times as if the float model had taken the same time beside each.
  void scale_times() {
    if (float_times_.empty()) return;
    std::sort(float_times_.begin(), float_times_.end());
    const double median = float_times_[float_times_.size() / 2];
    for (Trial& trial : trials_) trial.result.milliseconds *= median;
    trials_.front().result.milliseconds = median;
  }

  // Empty when it may be taken.
  std::string refusal(const Candidate& candidate) const {
    const double before = trials_.front().result.milliseconds;
    if (candidate.fidelity.drop() > limit_) {
      return fmt::format("drops {:.2f}%, more than {:.2f}%", candidate.fidelity.drop() * 100, limit_ * 100);
    }
    if (candidate.milliseconds > before * kTimingNoise) {
      return fmt::format("{:.2f} times as slow", candidate.milliseconds / before);
    }
    const size_t most = bench_.options().max_bytes;
    if (most != 0 && candidate.bytes > most) return "larger than --max-size";
    return {};
  }

  // Half the time counts as much as a quarter of the size.
  double cost(const Candidate& candidate) const {
    const Candidate& before = trials_.front().result;
    const double time = std::max(candidate.milliseconds, 1e-6) / std::max(before.milliseconds, 1e-6);
    return time * std::sqrt(static_cast<double>(candidate.bytes) / static_cast<double>(before.bytes));
  }

  // Times it once more beside the float model: of several candidates, the one that was lucky looks best.
  bool confirm(Trial& trial, ir::Model& model) {
    const runtime::Session session = bench_.host().open(model);
    const std::vector<double> times =
        time_sessions({&bench_.reference().session(), &session}, bench_.samples(), bench_.options().runs);
    report_.milliseconds_before = times[0];
    report_.milliseconds_after = times[1];
    if (times[1] <= times[0] * kTimingNoise) return true;
    trial.result.verdict = fmt::format("{:.2f} times as slow when timed again", times[1] / times[0]);
    return false;
  }

  // With its model.
  std::pair<Trial*, ir::Model> best() {
    std::vector<Trial*> better;
    for (size_t i = 1; i < trials_.size(); ++i) {
      Trial& trial = trials_[i];
      trial.result.verdict = refusal(trial.result);
      if (trial.result.verdict.empty() && cost(trial.result) < 1) better.push_back(&trial);
    }
    std::stable_sort(better.begin(), better.end(),
                     [&](const Trial* a, const Trial* b) { return cost(a->result) < cost(b->result); });
    for (Trial* trial : better) {
      ir::Model model = bench_.make(trial->recipe);
      if (confirm(*trial, model)) return {trial, std::move(model)};
    }
    return {&trials_.front(), ir::clone(bench_.model())};
  }

  Choice take_best() {
    auto [chosen, model] = best();
    for (Trial& trial : trials_) {
      if (&trial == chosen) {
        trial.result.verdict = "chosen";
      } else if (trial.result.verdict.empty()) {
        trial.result.verdict = "gains less";
      }
      report_.candidates.push_back(trial.result);
    }
    if (chosen == &trials_.front()) {
      report_.notes.emplace_back("nothing helped here: the float model is written");
      report_.milliseconds_before = report_.milliseconds_after = chosen->result.milliseconds;
    }
    return {std::move(model), std::move(chosen->recipe)};
  }

  Workbench& bench_;
  Report& report_;
  double limit_;
  std::vector<Trial> trials_;
  std::vector<double> float_times_;
};

}  // namespace

Choice choose(Workbench& bench, Report& report) { return Chooser(bench, report).run(); }

}  // namespace onward::quantize
