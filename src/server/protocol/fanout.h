// POST /predict: one input for several models, one answer of them all.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/http/message.h"
#include "serving/combine.h"
#include "serving/images.h"
#include "serving/repository.h"

namespace onward::server::fanout {

struct Request {
  std::optional<ir::Tensor> input;
  std::optional<Array> picture;  // the input as PNG or JPEG gave it
  serving::PixelRange pixels = serving::PixelRange::kAuto;
  std::map<std::string, ir::Tensor> named;  // "inputs": by input name
  std::vector<std::string> models;          // empty: every one that accepts the input
  std::chrono::milliseconds timeout{0};     // 0: none
  bool partial = false;                     // answer with what was done in time
  bool status = false;                      // tell how each model did
  std::optional<serving::Combine> combine;
};

// The models that the request names, before the rest is read; none where the body is damaged, which read() tells.
std::vector<std::string> named_models(const http::Request& request);

// Reads a JSON body, {"input": …} or {"inputs": {…}} with its options; or a PNG, JPEG or .npy file, whose options stand
// in the query. `models` are those that may be asked: numbers in JSON are read as the type they all want, else as
// doubles. Throws Error(kInvalidArgument).
Request read(const http::Request& request, const std::vector<serving::ModelPtr>& models);

// The request's tensors in the model's order, layouts and types adapted; throws Error(kInvalidArgument) with the reason
// when the model does not accept them.
std::vector<ir::Tensor> inputs_for(const serving::Model& model, const Request& request);

// How one model did.
struct Part {
  serving::ModelPtr model;
  serving::Outcome outcome;
};

// {"<name>_prediction": …, …}, and "combined" and "status" where they were asked for. An error answer where a model
// failed, unless the request takes partial results and there are some.
http::Response answer(const Request& request, const std::vector<Part>& parts);

}  // namespace onward::server::fanout
