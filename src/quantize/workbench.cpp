#include "quantize/workbench.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "quantize/qdq_plan.h"

namespace onward::quantize {
namespace {

// Small models run more often, for a steadier median.
constexpr int kMostRuns = 500;
constexpr std::chrono::milliseconds kTimingBudget{500};

}  // namespace

Workbench::Workbench(ir::Model& model, const Options& options, const Samples& samples, const Host& host)
    : model_(model), options_(options), samples_(samples), host_(host) {
  check_not_quantized(model);
  float_bytes_ = host.size(model);
  layers_ = find_layers(*model.graph, true);
  if (layers_.empty() && options.mode != Mode::kHalf) {
    throw Error(Code::kFailedPrecondition, "the model has no float32 weights to quantize",
                "there is nothing to gain; onward optimize may still make it smaller");
  }
  check_patterns(options.selection, layers_);
}

Reference& Workbench::reference() {
  if (!reference_) reference_.emplace(session_.emplace(host_.open(model_)));
  return *reference_;
}

const std::map<std::string, Statistics>& Workbench::statistics() {
  if (statistics_) return *statistics_;
  std::vector<Layer> integer;
  Watched watched;
  for (const Layer& layer : layers_) {
    const bool product = layer.node->is("MatMul") || layer.node->is("Gemm");
    if ((product || layer.node->is("Conv")) && refuse_integers(layer).empty()) integer.push_back(layer);
  }
  watched = watched_values(*model_.graph, integer);
  const bool ends_only =
      options_.mode == Mode::kStatic && !options_.search && options_.integers.method == Method::kMinMax;
  return *(statistics_ = calibrate(model_, watched, samples_, host_, !ends_only));
}

ir::Model Workbench::make(const Recipe& recipe) {
  static const std::map<std::string, Statistics> kNone;
  return apply(recipe, {model_, statistics_ ? *statistics_ : kNone, host_.inference});
}

Fidelity Workbench::fidelity(ir::Model& candidate) {
  return measure(reference(), host_.open(candidate), samples_, options_.check_samples);
}

std::vector<double> time_sessions(const std::vector<const runtime::Session*>& sessions, const Samples& samples,
                                  int runs) {
  using Clock = std::chrono::steady_clock;
  const std::vector<ir::Tensor> inputs = samples.inputs(0);
  std::vector<std::vector<double>> times(sessions.size());
  const Clock::time_point begin = Clock::now();
  // The first run of each warms up.
  for (int run = 0; run <= runs || (run < kMostRuns && Clock::now() - begin < kTimingBudget); ++run) {
    for (size_t i = 0; i < sessions.size(); ++i) {
      const std::vector<ir::Tensor> own = inputs_for(*sessions[i], inputs);
      const Clock::time_point start = Clock::now();
      sessions[i]->run(own);
      const std::chrono::duration<double, std::milli> time = Clock::now() - start;
      if (run > 0) times[i].push_back(time.count());
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& one : times) {
    std::sort(one.begin(), one.end());
    medians.push_back(one[one.size() / 2]);
  }
  return medians;
}

}  // namespace onward::quantize
