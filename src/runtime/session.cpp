#include "runtime/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/mapped_file.h"
#include "base/temporary_folder.h"
#include "runtime/ort.h"
#include "runtime/prepared_run.h"
#include "runtime/profile.h"
#include "runtime/watch.h"

namespace onward::runtime {
namespace {

// ONNX Runtime numbers element types as ONNX does.
ir::DType dtype_of(ONNXTensorElementDataType type) { return static_cast<ir::DType>(type); }
ONNXTensorElementDataType ort_type(ir::DType dtype) { return static_cast<ONNXTensorElementDataType>(dtype); }

ValueInfo describe(std::string name, const Ort::TypeInfo& type) {
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) {
    fail_unsupported(fmt::format("\"{}\" is a sequence, map or optional, not a tensor", name),
                     "only models with tensors as inputs and outputs can run");
  }
  const auto tensor = type.GetTensorTypeAndShapeInfo();
  const std::vector<int64_t> dims = tensor.GetShape();
  std::vector<const char*> symbols(dims.size());
  if (!dims.empty()) tensor.GetSymbolicDimensions(symbols.data(), symbols.size());
  ValueInfo info{std::move(name), dtype_of(tensor.GetElementType()), {}};
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] >= 0) {
      info.shape.emplace_back(dims[i]);
    } else if (symbols[i] != nullptr && *symbols[i] != '\0') {
      info.shape.emplace_back(std::string(symbols[i]));
    } else {
      info.shape.emplace_back();
    }
  }
  return info;
}

GraphOptimizationLevel optimization_level(Rewrites rewrites) {
  switch (rewrites) {
    case Rewrites::kNone:
      return ORT_DISABLE_ALL;
    case Rewrites::kFusions:
      return ORT_ENABLE_EXTENDED;
    default:
      return ORT_ENABLE_ALL;
  }
}

Ort::SessionOptions session_options(const SessionOptions& options) {
  Ort::SessionOptions ort;
  ort.DisablePerSessionThreads();
  ort.SetGraphOptimizationLevel(optimization_level(options.rewrites));
  // Memory patterns keep one plan per shape: with variable shapes they only grow.
  ort.DisableMemPattern();
  ort.AddConfigEntry("session.use_env_allocators", "1");
  ort.AddConfigEntry("session.use_device_allocator_for_initializers", "1");
  ort.SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
  for (const std::filesystem::path& library : options.custom_ops) register_custom_ops(ort, library);
  return ort;
}

// A tensor that is not aligned for its elements must be copied before ONNX Runtime may read it.
Bytes aligned(const ir::Tensor& tensor) {
  const size_t element = std::max<size_t>(1, ir::dtype_bits(tensor.dtype()) / 8);
  const size_t alignment = std::min<size_t>(element, 8);
  if (reinterpret_cast<uintptr_t>(tensor.bytes().data()) % alignment == 0) return tensor.bytes();
  return Bytes::copy_of(tensor.bytes().view());
}

const Ort::MemoryInfo& cpu_memory() {
  static const Ort::MemoryInfo info = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  return info;
}

Ort::Value string_value(const ir::Tensor& tensor) {
  Ort::AllocatorWithDefaultOptions allocator;
  Ort::Value value = Ort::Value::CreateTensor(allocator, tensor.dims().data(), tensor.dims().size(),
                                              ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  for (size_t i = 0; i < tensor.strings().size(); ++i) {
    const std::string& text = tensor.strings()[i];
    std::copy(text.begin(), text.end(), value.GetResizedStringTensorElementBuffer(i, text.size()));
  }
  return value;
}

// `keep` holds what the value points into until the run is over.
Ort::Value to_value(const ir::Tensor& tensor, std::vector<Bytes>& keep) {
  if (tensor.dtype() == ir::DType::kString) return string_value(tensor);
  static std::byte nothing{};
  keep.push_back(aligned(tensor));
  const Bytes& bytes = keep.back();
  // ONNX Runtime does not write to inputs.
  std::byte* data = bytes.empty() ? &nothing : const_cast<std::byte*>(bytes.data());
  return Ort::Value::CreateTensor(cpu_memory(), data, bytes.size(), tensor.dims().data(), tensor.dims().size(),
                                  ort_type(tensor.dtype()));
}

void add_weights(Ort::SessionOptions& ort, const std::vector<NamedTensor>& weights, std::vector<Bytes>& keep) {
  std::vector<std::string> names;
  std::vector<Ort::Value> values;
  for (const auto& [name, tensor] : weights) {
    names.push_back(name);
    values.push_back(to_value(tensor, keep));
  }
  if (!names.empty()) ort.AddExternalInitializers(names, values);
}

// An answer's memory belongs to the environment.
struct Answer {
  std::shared_ptr<Ort::Env> env;
  Ort::Value value;
};

ir::Tensor to_tensor(Ort::Value&& value, const std::shared_ptr<Ort::Env>& env) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  ir::Dims dims = info.GetShape();
  const ir::DType dtype = dtype_of(info.GetElementType());
  if (dtype == ir::DType::kString) {
    std::vector<std::string> strings;
    const size_t count = info.GetElementCount();
    strings.reserve(count);
    for (size_t i = 0; i < count; ++i) strings.push_back(value.GetStringTensorElement(i));
    return ir::Tensor::of_strings(std::move(dims), std::move(strings));
  }
  const size_t size = ir::dtype_bytes(dtype, info.GetElementCount());
  const auto owner = std::make_shared<Answer>(Answer{env, std::move(value)});
  const auto* data = static_cast<const std::byte*>(owner->value.GetTensorRawData());
  return ir::Tensor(dtype, std::move(dims), Bytes({data, size}, owner));
}

size_t index_of(const std::vector<ValueInfo>& infos, std::string_view name, std::string_view kind) {
  for (size_t i = 0; i < infos.size(); ++i) {
    if (infos[i].name == name) return i;
  }
  std::string names;
  for (const ValueInfo& info : infos) names += (names.empty() ? "\"" : ", \"") + info.name + "\"";
  fail_invalid(fmt::format("the model has no {} \"{}\"; it has {}", kind, name, names));
}

}  // namespace

struct RunControl::Impl {
  Ort::RunOptions options;
};

RunControl::RunControl() : impl_(std::make_unique<Impl>()) {}
RunControl::~RunControl() = default;
void RunControl::terminate() { impl_->options.SetTerminate(); }

struct Session::Impl {
  std::shared_ptr<Ort::Env> env = environment();
  std::optional<TemporaryFolder> profile;
  std::vector<Bytes> weights;
  std::optional<WatchOperator> watch;
  mutable Ort::Session session{nullptr};  // its Run is thread-safe, though not const
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
  std::vector<const char*> input_names;  // of the above
  std::vector<const char*> output_names;
  std::map<std::string, std::string> metadata;
  std::string producer;
  PreparedRuns prepared;

  bool all_outputs(std::span<const size_t> wanted) const {
    if (wanted.empty()) return true;
    if (wanted.size() != outputs.size()) return false;
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i] != i) return false;
    }
    return true;
  }

  // Nothing where these inputs are not prepared for, or where the run fails: then the general way tells why.
  std::optional<std::vector<ir::Tensor>> run_prepared(std::span<const ir::Tensor> tensors,
                                                      const Ort::RunOptions& options) {
    std::unique_ptr<PreparedRun> run = prepared.take(tensors);
    if (run == nullptr) return std::nullopt;
    try {
      std::vector<ir::Tensor> results = run->run(session, options, tensors);
      prepared.give_back(std::move(run));
      return results;
    } catch (const Ort::Exception&) {
      return std::nullopt;
    }
  }

  void describe_values() {
    const Ort::AllocatorWithDefaultOptions allocator;
    for (size_t i = 0; i < session.GetInputCount(); ++i) {
      inputs.push_back(describe(session.GetInputNameAllocated(i, allocator).get(), session.GetInputTypeInfo(i)));
    }
    for (size_t i = 0; i < session.GetOutputCount(); ++i) {
      outputs.push_back(describe(session.GetOutputNameAllocated(i, allocator).get(), session.GetOutputTypeInfo(i)));
    }
    for (const ValueInfo& input : inputs) input_names.push_back(input.name.c_str());
    for (const ValueInfo& output : outputs) output_names.push_back(output.name.c_str());
    const Ort::ModelMetadata model = session.GetModelMetadata();
    producer = model.GetProducerNameAllocated(allocator).get();
    for (const auto& key : model.GetCustomMetadataMapKeysAllocated(allocator)) {
      metadata[key.get()] = model.LookupCustomMetadataMapAllocated(key.get(), allocator).get();
    }
  }
};

namespace {

template <class Make>
Ort::Session make_session(const SessionOptions& options, const std::string& name,
                          std::optional<TemporaryFolder>& profile, const Make& make) {
  try {
    Ort::SessionOptions ort = session_options(options);
    if (options.profile) ort.EnableProfiling((profile.emplace().path() / "nodes").c_str());
    return make(ort);
  } catch (const Ort::Exception& error) {
    throw load_error(error, name);
  }
}

}  // namespace

Session Session::load(const std::filesystem::path& path, const SessionOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->session = make_session(options, path.string(), impl->profile, [&](Ort::SessionOptions& ort) {
    if (path.extension() == ".ort") {  // stays mapped, and its weights where they lie
      ort.AddConfigEntry("session.use_memory_mapped_ort_model", "1");
      ort.AddConfigEntry("session.use_ort_model_bytes_for_initializers", "1");
    }
    return Ort::Session(*impl->env, path.c_str(), ort);
  });
  impl->describe_values();
  return Session(std::move(impl));
}

Session Session::from_bytes(const Bytes& model, const std::string& name, const SessionOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->session = make_session(options, name, impl->profile, [&](Ort::SessionOptions& ort) {
    add_weights(ort, options.weights, impl->weights);
    if (!options.data_folder.empty())
      ort.AddConfigEntry("session.model_external_initializers_file_folder_path", options.data_folder.c_str());
    if (options.watch) impl->watch.emplace(options.watch).add_to(ort);
    return Ort::Session(*impl->env, model.data(), model.size(), ort);
  });
  impl->describe_values();
  return Session(std::move(impl));
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

std::map<std::string, std::vector<double>> Session::end_profile() {
  if (!impl_->profile) return {};
  const Ort::AllocatorWithDefaultOptions allocator;
  const std::filesystem::path file = impl_->session.EndProfilingAllocated(allocator).get();
  auto times = read_profile(map_file(file).text());
  impl_->profile.reset();
  return times;
}

const std::vector<ValueInfo>& Session::inputs() const { return impl_->inputs; }
const std::vector<ValueInfo>& Session::outputs() const { return impl_->outputs; }
const std::map<std::string, std::string>& Session::metadata() const { return impl_->metadata; }
const std::string& Session::producer() const { return impl_->producer; }

size_t Session::input_index(std::string_view name) const { return index_of(impl_->inputs, name, "input"); }
size_t Session::output_index(std::string_view name) const { return index_of(impl_->outputs, name, "output"); }

void Session::check_input(size_t index, const ir::Tensor& tensor) const {
  const ValueInfo& info = impl_->inputs.at(index);
  const auto refuse = [&](const std::string& why) {
    fail_invalid(fmt::format("input \"{}\" must be {} {}, got {} {}{}", info.name, ir::dtype_name(info.dtype),
                             ir::shape_text(info.shape), ir::dtype_name(tensor.dtype()),
                             ir::shape_text(ir::to_shape(tensor.dims())), why));
  };
  if (tensor.dtype() != info.dtype) refuse("");
  if (tensor.rank() != info.shape.size()) {
    // ONNX Runtime tells a scalar from a tensor of any rank by nothing.
    refuse(fmt::format(": {} dimensions instead of {}{}", tensor.rank(), info.shape.size(),
                       info.shape.empty()
                           ? fmt::format("; where the file leaves the rank open, convert its source with "
                                         "--input {}=DIMS (-1: varies)",
                                         info.name)
                           : ""));
  }
  for (size_t i = 0; i < info.shape.size(); ++i) {
    if (info.shape[i].is_known() && info.shape[i].value() != tensor.dims()[i]) {
      refuse(fmt::format(": dimension {} is {} instead of {}", i, tensor.dims()[i], info.shape[i].value()));
    }
  }
}

std::vector<ir::Tensor> Session::run(std::span<const ir::Tensor> inputs, std::span<const size_t> outputs,
                                     const RunControl* control) const {
  if (inputs.size() != impl_->inputs.size()) {
    fail_invalid(fmt::format("the model has {} inputs, {} were given", impl_->inputs.size(), inputs.size()));
  }
  static const Ort::RunOptions unstoppable;
  const Ort::RunOptions& options = control != nullptr ? control->impl_->options : unstoppable;
  const bool all = impl_->all_outputs(outputs);
  if (all) {
    if (auto results = impl_->run_prepared(inputs, options)) return std::move(*results);
  }
  std::vector<Ort::Value> values;
  std::vector<Bytes> keep;
  values.reserve(inputs.size());
  keep.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    check_input(i, inputs[i]);
    values.push_back(to_value(inputs[i], keep));
  }
  std::vector<const char*> chosen;
  for (const size_t index : outputs) chosen.push_back(impl_->output_names.at(index));
  const std::vector<const char*>& wanted = outputs.empty() ? impl_->output_names : chosen;
  try {
    std::vector<Ort::Value> results = impl_->session.Run(options, impl_->input_names.data(), values.data(),
                                                         values.size(), wanted.data(), wanted.size());
    std::vector<ir::Tensor> tensors;
    tensors.reserve(results.size());
    for (Ort::Value& result : results) tensors.push_back(to_tensor(std::move(result), impl_->env));
    if (all) impl_->prepared.learn(impl_->session, impl_->inputs, impl_->outputs, inputs, tensors);
    return tensors;
  } catch (const Ort::Exception& error) {
    throw run_error(error);
  }
}

std::vector<NamedTensor> Session::run(const std::vector<NamedTensor>& inputs,
                                      const std::vector<std::string>& output_names, const RunControl* control) const {
  std::vector<std::optional<ir::Tensor>> given(impl_->inputs.size());
  for (const auto& [name, tensor] : inputs) {
    std::optional<ir::Tensor>& slot = given[input_index(name)];
    if (slot) fail_invalid(fmt::format("input \"{}\" was given twice", name));
    slot = tensor;
  }
  std::vector<ir::Tensor> ordered;
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i]) fail_invalid(fmt::format("input \"{}\" is missing", impl_->inputs[i].name));
    ordered.push_back(std::move(*given[i]));
  }
  std::vector<size_t> outputs;
  for (const std::string& name : output_names) outputs.push_back(output_index(name));
  std::vector<ir::Tensor> results = run(ordered, outputs, control);
  std::vector<NamedTensor> named;
  for (size_t i = 0; i < results.size(); ++i) {
    named.emplace_back(impl_->outputs[outputs.empty() ? i : outputs[i]].name, std::move(results[i]));
  }
  return named;
}

}  // namespace onward::runtime
