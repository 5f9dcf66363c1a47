// The Open Inference Protocol v2 (KServe, Triton): types, requests and responses over REST.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "server/http/message.h"
#include "serving/model.h"

namespace onward::server::oip {

// "FP32", "BYTES" …
std::string_view datatype(ir::DType dtype);
std::optional<ir::DType> dtype_of(std::string_view datatype);

Json server_metadata();
Json model_metadata(const serving::Model& model, Json versions);

// As Triton describes a model: dims without the batch where requests may be put together.
Json model_config(const serving::Model& model);

struct WantedOutput {
  size_t index = 0;
  bool binary = false;
  int64_t classes = 0;  // 0: the tensor itself
};

struct InferRequest {
  std::string id;
  std::vector<ir::Tensor> inputs;  // in the model's order
  std::vector<WantedOutput> outputs;
  int priority = 0;
  std::chrono::microseconds timeout{0};
};

// Reads a body: JSON, JSON followed by binary tensors (`header_length` tells where they begin), or one raw tensor
// (`header_length` is "0"). Binary tensors share the body's bytes. Throws Error(kInvalidArgument) that names the
// tensor.
InferRequest read_infer(const serving::Model& model, const Bytes& body, std::string_view header_length);

// `outputs` as request.outputs lists them.
http::Response write_infer(const serving::Model& model, const InferRequest& request,
                           const std::vector<ir::Tensor>& outputs);

// Binary elements: little-endian; BYTES as a 32-bit length and the bytes. The inverse shares `data` where it can.
Bytes to_binary(const ir::Tensor& tensor);
ir::Tensor from_binary(ir::DType dtype, ir::Dims dims, const Bytes& data, std::string_view what);

// `dims` as they are; throws Error(kInvalidArgument) for a negative one or more elements than can be.
ir::Dims checked_dims(ir::Dims dims, std::string_view what);

// The inputs in the model's order; throws Error(kInvalidArgument) that names a missing one.
std::vector<ir::Tensor> all_given(const serving::Model& model, std::vector<std::optional<ir::Tensor>> given);

// An output as the request wants it: itself, or its classes.
ir::Tensor wanted_tensor(const serving::Model& model, const WantedOutput& wanted, const ir::Tensor& output);

// The `count` largest of each row as "value:index" or "value:index:label".
ir::Tensor classify(const ir::Tensor& scores, int64_t count, const std::vector<std::string>& labels);

}  // namespace onward::server::oip
