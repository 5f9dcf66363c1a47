#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "onward/onward.h"
#include "onward/onward.hpp"

struct onward_status {
  onward::Status status;
  std::string name;
};

struct onward_model {
  struct Value {
    onward::ValueInfo info;
    onward::Dims dims;
  };
  explicit onward_model(onward::Model given) : model(std::move(given)) {
    for (const onward::ValueInfo& info : model.inputs()) inputs.push_back(described(info));
    for (const onward::ValueInfo& info : model.outputs()) outputs.push_back(described(info));
  }
  static Value described(const onward::ValueInfo& info) {
    Value value{info, {}};
    for (const onward::Dim& dim : info.shape) value.dims.push_back(dim.size);
    return value;
  }

  onward::Model model;
  std::vector<Value> inputs;
  std::vector<Value> outputs;
};

struct onward_answer {
  std::vector<onward::Tensor> tensors;
};

struct onward_server {
  onward::Server server;
};

namespace {

using onward::Status;
using onward::StatusCode;

// What there is no memory to tell.
onward_status& out_of_memory() {
  static onward_status status{Status(StatusCode::kResourceExhausted, "out of memory"), "RESOURCE_EXHAUSTED"};
  return status;
}

// NULL where `work()` gives an ok Status.
template <class Work>
onward_status* guarded(const Work& work) noexcept {
  try {
    Status status = work();
    if (status.ok()) return nullptr;
    std::string name(onward::status_code_name(status.code()));
    return new onward_status{std::move(status), std::move(name)};
  } catch (...) {
    return &out_of_memory();
  }
}

Status invalid(std::string what) { return Status(StatusCode::kInvalidArgument, std::move(what)); }

// As many members as the caller's version of the struct has; those of a later version keep their defaults.
template <class Options>
Options taken(const Options* given, Options defaults) {
  if (given != nullptr) std::memcpy(&defaults, given, std::min(given->size, sizeof(Options)));
  return defaults;
}

std::string text(const char* given) { return given == nullptr ? std::string() : std::string(given); }

onward::ConvertOptions to_cpp(const onward_convert_options* given) {
  const onward_convert_options options = taken(given, ONWARD_CONVERT_OPTIONS_INIT);
  onward::ConvertOptions result;
  if (options.opset != 0) result.opset = options.opset;
  if (options.nchw != 0) result.layout = onward::Layout::kNchw;
  result.import.signature = text(options.signature);
  for (size_t i = 0; i < options.input_shape_count; ++i) {
    const onward_input_shape& one = options.input_shapes[i];
    onward::Shape& shape = result.import.input_shapes[text(one.name)];
    for (size_t k = 0; k < one.rank; ++k) shape.push_back({one.dims[k], {}});
  }
  return result;
}

Status describe(const std::vector<onward_model::Value>& values, size_t index, onward_value_info* info) {
  if (index >= values.size()) return invalid("there is no such input or output: " + std::to_string(index));
  const onward_model::Value& value = values[index];
  *info = {value.info.name.c_str(), static_cast<onward_dtype>(value.info.dtype), value.dims.size(), value.dims.data()};
  return Status();
}

onward::Result<onward::Tensor> to_cpp(const onward_tensor& tensor) {
  return onward::Tensor::borrow(static_cast<onward::DType>(tensor.dtype),
                                onward::Dims(tensor.dims, tensor.dims + tensor.rank),
                                {static_cast<const std::byte*>(tensor.data), tensor.bytes});
}

}  // namespace

// --- errors ----------------------------------------------------------------------------------------------------------

int onward_status_code(const onward_status* status) {
  return status == nullptr ? 0 : static_cast<int>(status->status.code());
}
const char* onward_status_name(const onward_status* status) { return status == nullptr ? "OK" : status->name.c_str(); }
const char* onward_status_message(const onward_status* status) {
  return status == nullptr ? "" : status->status.message().c_str();
}
const char* onward_status_hint(const onward_status* status) {
  return status == nullptr ? "" : status->status.hint().c_str();
}
void onward_status_free(onward_status* status) {
  if (status != &out_of_memory()) delete status;
}

// --- converting ------------------------------------------------------------------------------------------------------

onward_status* onward_convert_file(const char* source, const char* target, const onward_convert_options* options) {
  return guarded([&] { return onward::convert_file(text(source), text(target), to_cpp(options)).status(); });
}

// --- predicting ------------------------------------------------------------------------------------------------------

onward_status* onward_model_load(const char* path, const onward_load_options* options, onward_model** model) {
  return guarded([&] {
    const onward_load_options given = taken(options, ONWARD_LOAD_OPTIONS_INIT);
    onward::LoadOptions wanted;
    if (given.convert != nullptr) wanted.convert = to_cpp(given.convert);
    for (size_t i = 0; i < given.custom_op_count; ++i) wanted.custom_ops.emplace_back(text(given.custom_ops[i]));
    onward::Result<onward::Model> loaded = onward::Model::load(text(path), wanted);
    if (loaded.ok()) *model = new onward_model(*std::move(loaded));
    return loaded.status();
  });
}

void onward_model_free(onward_model* model) { delete model; }
size_t onward_model_input_count(const onward_model* model) { return model->inputs.size(); }
size_t onward_model_output_count(const onward_model* model) { return model->outputs.size(); }

onward_status* onward_model_input(const onward_model* model, size_t index, onward_value_info* info) {
  return guarded([&] { return describe(model->inputs, index, info); });
}

onward_status* onward_model_output(const onward_model* model, size_t index, onward_value_info* info) {
  return guarded([&] { return describe(model->outputs, index, info); });
}

onward_status* onward_model_predict(const onward_model* model, const onward_tensor* inputs, size_t input_count,
                                    onward_answer** answer) {
  return guarded([&] {
    std::vector<onward::Tensor> tensors;
    for (size_t i = 0; i < input_count; ++i) {
      onward::Result<onward::Tensor> tensor = to_cpp(inputs[i]);
      if (!tensor.ok()) return tensor.status();
      tensors.push_back(*std::move(tensor));
    }
    onward::Result<std::vector<onward::Tensor>> outputs = model->model.predict(tensors);
    if (outputs.ok()) *answer = new onward_answer{*std::move(outputs)};
    return outputs.status();
  });
}

size_t onward_answer_count(const onward_answer* answer) { return answer->tensors.size(); }

onward_status* onward_answer_tensor(const onward_answer* answer, size_t index, onward_tensor* tensor) {
  return guarded([&] {
    if (index >= answer->tensors.size()) return invalid("there is no such output: " + std::to_string(index));
    const onward::Tensor& own = answer->tensors[index];
    if (own.dtype() == onward::DType::kString) {
      return Status(StatusCode::kUnimplemented, "the C API has no tensors of strings", "use the C++ API");
    }
    *tensor = {static_cast<onward_dtype>(own.dtype()), own.dims().size(), own.dims().data(), own.bytes().data(),
               own.bytes().size()};
    return Status();
  });
}

void onward_answer_free(onward_answer* answer) { delete answer; }

// --- serving ---------------------------------------------------------------------------------------------------------

onward_status* onward_server_start(const onward_server_options* options, onward_server** server) {
  return guarded([&] {
    const onward_server_options given = taken(options, ONWARD_SERVER_OPTIONS_INIT);
    onward::ServerOptions wanted;
    if (given.host != nullptr) wanted.host = given.host;
    wanted.port = given.port;
    wanted.grpc_port = given.grpc_port;
    onward::Result<onward::Server> started = onward::Server::start(wanted);
    if (started.ok()) *server = new onward_server{*std::move(started)};
    return started.status();
  });
}

onward_status* onward_server_add(onward_server* server, const char* name, const char* path) {
  return guarded([&] { return server->server.add(text(name), text(path)); });
}

uint16_t onward_server_port(const onward_server* server) { return server->server.port(); }
int onward_server_grpc_port(const onward_server* server) { return server->server.grpc_port(); }
void onward_server_stop(onward_server* server) { delete server; }
