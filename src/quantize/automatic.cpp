#include "quantize/automatic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "ir/clone.h"
#include "quantize/sensitivity.h"

namespace onward::quantize {
namespace {

// What medians of interleaved runs differ by though the work is the same.
constexpr double kTimingNoise = 1.03;
constexpr double kDefaultDrop = 0.005;

struct Trial {
  Recipe recipe;
  ir::Model model;
  std::optional<runtime::Session> session;
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
    measure_times();
    return take_best();
  }

 private:
  bool has_products() const {
    return std::any_of(bench_.layers().begin(), bench_.layers().end(),
                       [](const Layer& layer) { return layer.node->is("MatMul") || layer.node->is("Gemm"); });
  }

  void add_float() {
    Trial trial;
    trial.recipe.what = "float";
    trial.model = ir::clone(bench_.model());
    trials_.push_back(std::move(trial));
    finish(trials_.back());
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

  void add(Recipe recipe) {
    Trial trial;
    trial.model = bench_.make(recipe);
    trial.recipe = std::move(recipe);
    trials_.push_back(std::move(trial));
    finish(trials_.back());
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

  void finish(Trial& trial) {
    trial.result.what = trial.recipe.what;
    trial.result.bytes = bench_.host().size(trial.model);
    trial.session = bench_.host().open(trial.model);
    if (trials_.size() == 1) return;  // the float model answers like itself
    trial.result.fidelity =
        measure(bench_.reference(), *trial.session, bench_.samples(), bench_.options().check_samples);
  }

  void measure_times() {
    std::vector<const runtime::Session*> sessions;
    for (const Trial& trial : trials_) sessions.push_back(&*trial.session);
    const std::vector<double> times = time_sessions(sessions, bench_.samples(), bench_.options().runs);
    for (size_t i = 0; i < trials_.size(); ++i) trials_[i].result.milliseconds = times[i];
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
  bool confirm(Trial& trial) {
    const std::vector<double> times =
        time_sessions({&*trials_.front().session, &*trial.session}, bench_.samples(), bench_.options().runs);
    report_.milliseconds_before = times[0];
    report_.milliseconds_after = times[1];
    if (times[1] <= times[0] * kTimingNoise) return true;
    trial.result.verdict = fmt::format("{:.2f} times as slow when timed again", times[1] / times[0]);
    return false;
  }

  Trial& best() {
    std::vector<Trial*> better;
    for (Trial& trial : trials_) {
      trial.result.verdict = refusal(trial.result);
      if (trial.result.verdict.empty() && cost(trial.result) < 1) better.push_back(&trial);
    }
    std::stable_sort(better.begin(), better.end(),
                     [&](const Trial* a, const Trial* b) { return cost(a->result) < cost(b->result); });
    for (Trial* trial : better) {
      if (confirm(*trial)) return *trial;
    }
    return trials_.front();
  }

  Choice take_best() {
    Trial& chosen = best();
    for (Trial& trial : trials_) {
      if (&trial == &chosen) {
        trial.result.verdict = "chosen";
      } else if (trial.result.verdict.empty()) {
        trial.result.verdict = "gains less";
      }
      report_.candidates.push_back(trial.result);
    }
    if (&chosen == &trials_.front()) {
      report_.notes.emplace_back("nothing helped here: the float model is written");
      report_.milliseconds_before = report_.milliseconds_after = chosen.result.milliseconds;
    }
    return {std::move(chosen.model), std::move(chosen.recipe)};
  }

  Workbench& bench_;
  Report& report_;
  double limit_;
  std::vector<Trial> trials_;
};

}  // namespace

Choice choose(Workbench& bench, Report& report) { return Chooser(bench, report).run(); }

}  // namespace onward::quantize
