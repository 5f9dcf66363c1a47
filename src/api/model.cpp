#include "onward/model.h"

#include "api/guard.h"
#include "api/values.h"
#include "runtime/session.h"
#include "tasks/loading.h"

namespace onward {
namespace {

runtime::SessionOptions session_options(const LoadOptions& options) { return {.custom_ops = options.custom_ops}; }

std::vector<Tensor> to_public(const std::vector<ir::Tensor>& tensors) {
  std::vector<Tensor> all;
  all.reserve(tensors.size());
  for (const ir::Tensor& tensor : tensors) all.push_back(api::to_public(tensor));
  return all;
}

}  // namespace

struct Model::Impl {
  explicit Impl(runtime::Session opened)
      : session(std::move(opened)),
        inputs(api::to_public(session.inputs())),
        outputs(api::to_public(session.outputs())) {}

  runtime::Session session;
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
};

Model::Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Result<Model> Model::load(const std::filesystem::path& path, const LoadOptions& options) {
  return api::guarded([&] {
    return Model(std::make_shared<const Impl>(
        tasks::open_session(path, api::to_internal(options.convert), session_options(options))));
  });
}

Result<Model> Model::from_bytes(std::span<const std::byte> onnx, const LoadOptions& options) {
  return api::guarded([&] {
    return Model(std::make_shared<const Impl>(
        runtime::Session::from_bytes(Bytes(onnx, nullptr), "the model in memory", session_options(options))));
  });
}

const std::vector<ValueInfo>& Model::inputs() const { return impl_->inputs; }
const std::vector<ValueInfo>& Model::outputs() const { return impl_->outputs; }
const std::map<std::string, std::string>& Model::metadata() const { return impl_->session.metadata(); }

Result<std::vector<Tensor>> Model::predict(std::span<const Tensor> inputs) const {
  return api::guarded([&] {
    std::vector<ir::Tensor> given;
    given.reserve(inputs.size());
    for (const Tensor& input : inputs) given.push_back(api::to_internal(input));
    return to_public(impl_->session.run(given));
  });
}

Result<std::map<std::string, Tensor>> Model::predict(const std::map<std::string, Tensor>& inputs,
                                                     const std::vector<std::string>& outputs) const {
  return api::guarded([&] {
    std::vector<runtime::NamedTensor> given;
    for (const auto& [name, tensor] : inputs) given.emplace_back(name, api::to_internal(tensor));
    std::map<std::string, Tensor> results;
    for (const auto& [name, tensor] : impl_->session.run(given, outputs)) results.emplace(name, api::to_public(tensor));
    return results;
  });
}

Status set_threads(int threads) {
  return api::guarded([&] {
    if (threads < 0)
      fail_invalid("there can't be " + std::to_string(threads) + " threads", "0 is what the machine has");
    runtime::configure_environment({.threads = threads});
  });
}

std::string onnxruntime_version() { return runtime::onnxruntime_version(); }

}  // namespace onward
