// The float model, its samples and what was measured of it: what all modes work with.
#pragma once

#include <optional>

#include "quantize/fidelity.h"
#include "quantize/quantize.h"

namespace onward::quantize {

class Workbench {
 public:
  // Checks that there is something to quantize.
  Workbench(ir::Model& model, const Options& options, const Samples& samples, const Host& host);

  const Options& options() const { return options_; }
  const Samples& samples() const { return samples_; }
  const Host& host() const { return host_; }
  const ir::Model& model() const { return model_; }
  // Opens the float model the first time.
  Reference& reference();
  const std::vector<Layer>& layers() const { return layers_; }
  size_t float_bytes() const { return float_bytes_; }

  // Runs over the samples the first time.
  const std::map<std::string, Statistics>& statistics();
  bool has_statistics() const { return statistics_.has_value(); }

  ir::Model make(const Recipe& recipe);
  Fidelity fidelity(ir::Model& candidate);

 private:
  ir::Model& model_;
  const Options& options_;
  const Samples& samples_;
  const Host& host_;
  std::optional<runtime::Session> session_;
  std::optional<Reference> reference_;
  std::vector<Layer> layers_;
  size_t float_bytes_ = 0;
  std::optional<std::map<std::string, Statistics>> statistics_;
};

// Median milliseconds of each session on the first sample, run in turns so that what else the machine does touches all
// alike. At least `runs` times.
std::vector<double> time_sessions(const std::vector<const runtime::Session*>& sessions, const Samples& samples,
                                  int runs);

}  // namespace onward::quantize
