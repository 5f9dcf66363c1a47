// Looks at values inside a model while it runs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "quantize/host.h"

namespace onward::quantize {

class Probe {
 public:
  // `names` of values that the model computes; names it doesn't have are left out. Where a value was quantized, what is
  // read back of the integers is shown. `model` must have been opened once (its values have names); it is not changed.
  Probe(const ir::Model& model, const std::vector<std::string>& names, const Host& host);

  // Each value that there is, as soon as it is computed and only until `visit` returns: no more of them are in memory
  // than the model itself needs. What `visit` throws ends the visits, and is thrown when the run is over.
  using Visit = std::function<void(const std::string& name, const ir::Tensor& tensor)>;
  void run(const std::vector<ir::Tensor>& inputs, const Visit& visit) const;

 private:
  struct Watched;

  ir::Model model_;
  std::shared_ptr<Watched> watched_;
  std::optional<runtime::Session> session_;
};

// A value that both models have, on inputs that are the same for both. Copies of some values at a time are kept: the
// models run again for each 128 MiB.
using VisitPair = std::function<void(const std::string& name, const ir::Tensor& of_a, const ir::Tensor& of_b)>;
void visit_pairs(const Probe& a, const std::vector<ir::Tensor>& inputs_a, const Probe& b,
                 const std::vector<ir::Tensor>& inputs_b, const VisitPair& visit);

}  // namespace onward::quantize
