// TensorFlow Serving's REST bodies; KServe's first protocol is the same "instances" form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "serving/model.h"

namespace onward::server::tfs {

struct PredictRequest {
  std::vector<ir::Tensor> inputs;  // in the model's order
  bool by_row = true;              // "instances" came, not "inputs"
};

// {"instances": [row, …]} or {"inputs": columns}; a row or the columns may be an object by input name. Throws
// Error(kInvalidArgument).
PredictRequest read_predict(const serving::Model& model, std::string_view body);
// {"predictions": …} or {"outputs": …}: an output alone stands without its name.
std::string write_predict(const serving::Model& model, const std::vector<ir::Tensor>& outputs, bool by_row);

// {"examples": [{feature: value, …}, …], "context": {…}}: features are inputs by name; the context's hold for all.
std::vector<ir::Tensor> read_examples(const serving::Model& model, std::string_view body);
// {"results": [[[label, score], …], …]}, and {"results": [number, …]}.
std::string write_classes(const serving::Model& model, const ir::Tensor& scores);
std::string write_regression(const ir::Tensor& values);

Json metadata(const serving::Model& model);

}  // namespace onward::server::tfs
