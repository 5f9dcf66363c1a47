// Triton's generate extension: one flat JSON object of inputs by name in, one of outputs by name out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serving/model.h"

namespace onward::server::generate {

struct Request {
  std::string id;
  std::vector<ir::Tensor> inputs;  // in the model's order
};

// {"<input>": value or list, "parameters": {"<input>": …, …}, "id": …}; a value alone or a list without the batch's
// dimension gets the dimensions that the input wants. Keys that name no input are the client's own business. Throws
// Error(kInvalidArgument).
Request read(const serving::Model& model, std::string_view body);

// {"model_name": …, "model_version": …, "<output>": value or list}.
std::string write(const serving::Model& model, const Request& request, const std::vector<ir::Tensor>& outputs);

}  // namespace onward::server::generate
