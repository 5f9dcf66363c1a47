#include "api/c_support.h"

using onward::Status;
using onward::StatusCode;
using namespace onward::c;

struct onward_model {
  explicit onward_model(onward::Model given)
      : model(std::move(given)), inputs(model.inputs()), outputs(model.outputs()) {}

  onward::Model model;
  Values inputs;
  Values outputs;
};

struct onward_answer {
  explicit onward_answer(std::vector<onward::Tensor> given) : tensors(std::move(given)), texts(tensors.size()) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].dtype() == onward::DType::kString) note_texts(i);
    }
  }
  // None where one of them can't be a C string.
  void note_texts(size_t index) {
    for (const std::string& one : tensors[index].strings()) {
      if (one.find('\0') != std::string::npos) return texts[index].clear();
      texts[index].push_back(one.c_str());
    }
  }

  std::vector<onward::Tensor> tensors;
  std::vector<std::vector<const char*>> texts;
};

struct onward_server {
  onward::Server server;
};

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
    wanted.custom_ops = texts<std::filesystem::path>(given.custom_ops, given.custom_op_count);
    onward::Result<onward::Model> loaded = onward::Model::load(text(path), wanted);
    if (!loaded.ok()) return loaded.status();
    *model = new onward_model(*std::move(loaded));
    return Status();
  });
}

void onward_model_free(onward_model* model) { delete model; }
size_t onward_model_input_count(const onward_model* model) { return model->inputs.size(); }
size_t onward_model_output_count(const onward_model* model) { return model->outputs.size(); }

onward_status* onward_model_input(const onward_model* model, size_t index, onward_value_info* info) {
  return guarded([&] { return model->inputs.describe(index, info); });
}

onward_status* onward_model_output(const onward_model* model, size_t index, onward_value_info* info) {
  return guarded([&] { return model->outputs.describe(index, info); });
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
    if (!outputs.ok()) return outputs.status();
    *answer = new onward_answer(*std::move(outputs));
    return Status();
  });
}

size_t onward_answer_count(const onward_answer* answer) { return answer->tensors.size(); }

onward_status* onward_answer_tensor(const onward_answer* answer, size_t index, onward_tensor* tensor) {
  return guarded([&] {
    if (index >= answer->tensors.size()) return invalid("there is no such output: " + std::to_string(index));
    const onward::Tensor& own = answer->tensors[index];
    if (own.dtype() == onward::DType::kString) {
      const std::vector<const char*>& texts = answer->texts[index];
      if (texts.size() != own.count()) {
        return Status(StatusCode::kUnimplemented, "a string of the output has a zero inside", "use the C++ API");
      }
      *tensor = {ONWARD_STRING, own.dims().size(), own.dims().data(), texts.data(), texts.size() * sizeof(const char*)};
      return Status();
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
    if (!started.ok()) return started.status();
    *server = new onward_server{*std::move(started)};
    return Status();
  });
}

onward_status* onward_server_add(onward_server* server, const char* name, const char* path) {
  return guarded([&] { return server->server.add(text(name), text(path)); });
}

uint16_t onward_server_port(const onward_server* server) { return server->server.port(); }
int onward_server_grpc_port(const onward_server* server) { return server->server.grpc_port(); }
void onward_server_stop(onward_server* server) { delete server; }
