#include "quantize/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>

namespace onward::quantize {
namespace {

// Enough to tell methods and layers apart; the drop is measured on more.
constexpr size_t kSearchSamples = 4;

double sqnr_of(Workbench& bench, const Recipe& recipe) {
  ir::Model model = bench.make(recipe);
  return measure(bench.reference(), bench.host().open(model), bench.samples(), kSearchSamples).sqnr;
}

double drop_of(Workbench& bench, const Recipe& recipe) {
  ir::Model model = bench.make(recipe);
  return bench.fidelity(model).drop();
}

Recipe without(const Recipe& recipe, const std::vector<std::pair<std::string, double>>& harm, size_t count) {
  Recipe fewer = recipe;
  for (size_t i = 0; i < count; ++i) {
    take_out(fewer, harm[i].first, fmt::format("8 bits harm it most (alone {:.1f} dB)", harm[i].second));
  }
  return fewer;
}

}  // namespace

void take_out(Recipe& recipe, const std::string& layer, const std::string& reason) {
  LayerPlan& plan = recipe.layers.at(layer);
  plan.form = Form::kStored;
  plan.reason = reason;
}

StaticOptions best_integers(Workbench& bench, const Recipe& recipe) {
  Recipe trial = recipe;
  StaticOptions best = recipe.integers;
  double most = -Difference::kExact - 1;
  const auto attempt = [&](Method method, bool correct_bias) {
    trial.integers.method = method;
    trial.integers.correct_bias = correct_bias;
    if (const double sqnr = sqnr_of(bench, trial); sqnr > most) {
      most = sqnr;
      best = trial.integers;
    }
  };
  for (const Method method : {Method::kMse, Method::kMinMax, Method::kPercentile, Method::kEntropy}) {
    attempt(method, false);
  }
  attempt(best.method, true);
  return best;
}

std::vector<std::pair<std::string, double>> layer_harm(Workbench& bench, const Recipe& recipe) {
  std::vector<std::pair<std::string, double>> harm;
  for (const auto& [name, plan] : recipe.layers) {
    if (plan.form != Form::kInteger && plan.form != Form::kDynamic) continue;
    Recipe alone = recipe;
    for (auto& [other, other_plan] : alone.layers) {
      if (other != name) other_plan.form = Form::kFloat;
    }
    harm.emplace_back(name, sqnr_of(bench, alone));
  }
  std::stable_sort(harm.begin(), harm.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return harm;
}

Recipe keep_drop(Workbench& bench, const Recipe& recipe, double limit) {
  if (drop_of(bench, recipe) <= limit) return recipe;
  const auto harm = layer_harm(bench, recipe);
  const auto keeps = [&](size_t count) { return drop_of(bench, without(recipe, harm, count)) <= limit; };
  // How many must go: doubled until it is enough, then halved in between.
  size_t enough = 1;
  while (enough < harm.size() && !keeps(enough)) enough *= 2;
  enough = std::min(enough, harm.size());
  size_t too_few = enough / 2;
  while (enough - too_few > 1) {
    const size_t middle = too_few + (enough - too_few) / 2;
    (keeps(middle) ? enough : too_few) = middle;
  }
  return without(recipe, harm, enough);
}

}  // namespace onward::quantize
