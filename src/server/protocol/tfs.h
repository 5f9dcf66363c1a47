// TensorFlow Serving's REST bodies; KServe's first protocol is the same "instances" form.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "serving/model.h"

namespace onward::server::tfs {

// The only signature there is.
constexpr std::string_view kSignature = "serving_default";
// Throws Error(kNotFound) for another one; empty is fine.
void check_signature(std::string_view name);

// One example: its values by input name.
using Row = std::map<std::string, ir::Tensor>;
// All rows' values one after another, for each input in the model's order. Throws Error(kInvalidArgument) where a row
// lacks an input or shapes differ.
std::vector<ir::Tensor> join(const serving::Model& model, const std::vector<Row>& rows);
// What class `index` of the first output is called: by model.yaml, else its number.
std::string class_label(const serving::Model& model, size_t index);

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
// How many examples these are, as join() put them together.
size_t examples_of(const std::vector<ir::Tensor>& inputs);
// How many values the model gave for each example. Throws Error(kInvalidArgument) where they are no numbers, not as
// many for each, or several for each of a regression.
size_t values_of_each(const ir::Tensor& output, size_t examples, bool regression);
// {"results": [[[label, score], …], …]}, and {"results": [number, …]}; throw as values_of_each.
std::string write_classes(const serving::Model& model, const ir::Tensor& scores, size_t examples);
std::string write_regression(const ir::Tensor& values, size_t examples);

Json metadata(const serving::Model& model);

}  // namespace onward::server::tfs
