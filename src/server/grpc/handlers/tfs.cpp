#include "server/protocol/tfs.h"

#include <fmt/format.h>

#include "server/grpc/handlers/handlers.h"
#include "server/grpc/tfs_tensor.h"
#include "server/protocol/json_tensor.h"

namespace onward::server::grpc {
namespace {

namespace tf = tensorflow::serving;
using ir::Tensor;
using serving::ModelPtr;

ModelPtr find(const Context& context, const tf::ModelSpec& spec) {
  tfs::check_signature(spec.signature_name());
  std::string version = spec.version_label();
  if (spec.has_version()) version = std::to_string(spec.version().value());
  return context.repository.find(spec.name(), version);
}

void fill(tf::ModelSpec& spec, const serving::Model& model) {
  spec.set_name(model.name());
  spec.mutable_version()->set_value(model.version());
  spec.set_signature_name(std::string(tfs::kSignature));
}

// Runs the model; `answer` makes the response of its outputs and what it throws ends the call.
void run(const CallPtr& call, serving::Job job, std::function<Message(const std::vector<Tensor>&)> answer) {
  job.deadline = call->deadline;
  job.cancellation = call->cancellation;
  job.done = [call, answer = std::move(answer)](const serving::Outcome& outcome) {
    if (outcome.error) return call->fail(*outcome.error);
    try {
      call->answer(answer(outcome.outputs));
    } catch (const Error& error) {
      call->fail(error);
    }
  };
  call->context.scheduler.submit(std::move(job));
}

// What the values of a feature are, in the shape of one row of the input.
Tensor shaped(const Tensor& values, const runtime::ValueInfo& info) {
  if (info.shape.empty()) fail_invalid(fmt::format("input \"{}\" is a scalar: it takes no examples", info.name));
  ir::Dims dims;
  std::optional<size_t> open;
  int64_t known = 1;
  for (size_t i = 1; i < info.shape.size(); ++i) {
    if (!info.shape[i].is_known()) open = dims.size();
    dims.push_back(info.shape[i].is_known() ? info.shape[i].value() : 1);
    known *= dims.back();
  }
  const auto count = static_cast<int64_t>(values.count());
  if (open && known > 0 && count % known == 0) dims[*open] = count / known;
  if (ir::element_count(dims) != count) {
    fail_invalid(fmt::format("feature \"{}\" has {} values, input {} wants {}", info.name, count,
                             ir::shape_text(info.shape), ir::element_count(dims)));
  }
  return values.reshaped(std::move(dims));
}

Tensor read_feature(const tf::Feature& feature, const runtime::ValueInfo& info) {
  const std::string what = "feature \"" + info.name + "\"";
  Tensor values;
  if (feature.has_float_list()) {
    const auto& list = feature.float_list().value();
    values = Tensor::of<float>({list.size()}, {list.begin(), list.end()});
  } else if (feature.has_int64_list()) {
    const auto& list = feature.int64_list().value();
    values = Tensor::of<int64_t>({list.size()}, {list.begin(), list.end()});
  } else {
    const auto& list = feature.bytes_list().value();
    values = Tensor::of_strings({list.size()}, {list.begin(), list.end()});
  }
  return shaped(convert_exactly(values, info.dtype, what), info);
}

tfs::Row read_example(const tf::Example& example, const serving::Model& model) {
  tfs::Row row;
  for (const auto& [name, feature] : example.features().feature()) {
    row.emplace(name, read_feature(feature, model.session().inputs()[model.session().input_index(name)]));
  }
  return row;
}

std::vector<Tensor> read_examples(const tf::Input& input, const serving::Model& model) {
  const bool with_context = input.has_example_list_with_context();
  const auto& examples = with_context ? input.example_list_with_context().examples() : input.example_list().examples();
  if (examples.empty()) fail_invalid("the request has no examples");
  tfs::Row context;
  if (with_context) context = read_example(input.example_list_with_context().context(), model);
  std::vector<tfs::Row> rows;
  for (const tf::Example& example : examples) {
    rows.push_back(read_example(example, model));
    rows.back().insert(context.begin(), context.end());
  }
  return tfs::join(model, rows);
}

void fill(tf::ClassificationResult& result, const serving::Model& model, const Tensor& scores, size_t examples) {
  const size_t width = tfs::values_of_each(scores, examples, false);
  const std::vector<double> values = scores.doubles();
  for (size_t row = 0; row < examples; ++row) {
    tf::Classifications& classes = *result.add_classifications();
    for (size_t column = 0; column < width; ++column) {
      tf::Class& one = *classes.add_classes();
      one.set_label(tfs::class_label(model, column));
      one.set_score(static_cast<float>(values[row * width + column]));
    }
  }
}

void fill(tf::RegressionResult& result, const serving::Model&, const Tensor& values, size_t examples) {
  tfs::values_of_each(values, examples, true);
  for (const double value : values.doubles()) result.add_regressions()->set_value(static_cast<float>(value));
}

template <class Request, class Response>
void run_examples(const CallPtr& call, const Incoming& message) {
  Request request;
  message.parse(request);
  const ModelPtr model = find(call->context, request.model_spec());
  const std::vector<Tensor> inputs = read_examples(request.input(), *model);
  run(call, {.model = model, .inputs = inputs, .outputs = {0}},
      [model, examples = tfs::examples_of(inputs)](const std::vector<Tensor>& outputs) {
        Response response;
        fill(*response.mutable_result(), *model, outputs.front(), examples);
        fill(*response.mutable_model_spec(), *model);
        return serialized(response);
      });
}

std::vector<Tensor> read_inputs(const std::shared_ptr<const tf::PredictRequest>& request, const serving::Model& model) {
  std::vector<Tensor> inputs;
  for (const auto& [name, proto] : request->inputs()) model.session().input_index(name);
  for (const runtime::ValueInfo& info : model.session().inputs()) {
    const auto given = request->inputs().find(info.name);
    if (given == request->inputs().end()) fail_invalid(fmt::format("input \"{}\" is missing", info.name));
    inputs.push_back(from_proto(given->second, request, "input \"" + info.name + "\""));
  }
  return inputs;
}

}  // namespace

void tfs_predict(const CallPtr& call, const Incoming& message) {
  const auto request = std::make_shared<tf::PredictRequest>();
  message.parse(*request);
  const ModelPtr model = find(call->context, request->model_spec());
  serving::Job job{.model = model, .inputs = read_inputs(request, *model)};
  for (const std::string& name : request->output_filter()) job.outputs.push_back(model->session().output_index(name));
  const std::vector<size_t> wanted = job.outputs;
  run(call, std::move(job), [model, wanted](const std::vector<Tensor>& outputs) {
    tf::PredictResponse response;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::string& name = model->session().outputs()[wanted.empty() ? i : wanted[i]].name;
      to_proto(outputs[i], (*response.mutable_outputs())[name]);
    }
    fill(*response.mutable_model_spec(), *model);
    return serialized(response);
  });
}

void tfs_classify(const CallPtr& call, const Incoming& message) {
  run_examples<tf::ClassificationRequest, tf::ClassificationResponse>(call, message);
}

void tfs_regress(const CallPtr& call, const Incoming& message) {
  run_examples<tf::RegressionRequest, tf::RegressionResponse>(call, message);
}

// All tasks must name one model: the input is run once.
void tfs_multi_inference(const CallPtr& call, const Incoming& message) {
  const auto request = std::make_shared<tf::MultiInferenceRequest>();
  message.parse(*request);
  if (request->tasks().empty()) fail_invalid("the request has no tasks");
  const ModelPtr model = find(call->context, request->tasks(0).model_spec());
  for (const tf::InferenceTask& task : request->tasks()) {
    if (find(call->context, task.model_spec()) != model) fail_invalid("all tasks must be for one model");
    const std::string& method = task.method_name();
    if (method != "tensorflow/serving/classify" && method != "tensorflow/serving/regress") {
      fail_unsupported("a task's method must be tensorflow/serving/classify or regress, got \"" + method + "\"");
    }
  }
  const std::vector<Tensor> inputs = read_examples(request->input(), *model);
  run(call, {.model = model, .inputs = inputs, .outputs = {0}},
      [model, request, examples = tfs::examples_of(inputs)](const std::vector<Tensor>& outputs) {
        tf::MultiInferenceResponse response;
        for (const tf::InferenceTask& task : request->tasks()) {
          tf::InferenceResult& result = *response.add_results();
          fill(*result.mutable_model_spec(), *model);
          if (task.method_name() == "tensorflow/serving/classify") {
            fill(*result.mutable_classification_result(), *model, outputs.front(), examples);
          } else {
            fill(*result.mutable_regression_result(), *model, outputs.front(), examples);
          }
        }
        return serialized(response);
      });
}

void tfs_model_metadata(const CallPtr& call, const Incoming& message) {
  tf::GetModelMetadataRequest request;
  message.parse(request);
  const ModelPtr model = find(call->context, request.model_spec());
  for (const std::string& field : request.metadata_field()) {
    if (field != "signature_def") fail_invalid("there is no metadata \"" + field + "\", only signature_def");
  }
  tf::SignatureDefMap signatures;
  tf::SignatureDef& signature = (*signatures.mutable_signature_def())[std::string(tfs::kSignature)];
  for (const auto& info : model->session().inputs()) describe(info, (*signature.mutable_inputs())[info.name]);
  for (const auto& info : model->session().outputs()) describe(info, (*signature.mutable_outputs())[info.name]);
  signature.set_method_name("tensorflow/serving/predict");
  tf::GetModelMetadataResponse response;
  fill(*response.mutable_model_spec(), *model);
  (*response.mutable_metadata())["signature_def"].PackFrom(signatures);
  call->answer(serialized(response));
}

void tfs_model_status(const CallPtr& call, const Incoming& message) {
  tf::GetModelStatusRequest request;
  message.parse(request);
  const tf::ModelSpec& spec = request.model_spec();
  const bool one = spec.has_version() || !spec.version_label().empty();
  const int64_t version = one ? find(call->context, spec)->version() : 0;
  tf::GetModelStatusResponse response;
  for (const serving::IndexEntry& entry : call->context.repository.index()) {
    if (entry.name != spec.name() || (one && entry.version != version)) continue;
    tf::ModelVersionStatus& status = *response.add_model_version_status();
    status.set_version(entry.version);
    const bool ready = entry.state == serving::State::kReady;
    const bool loading = entry.state == serving::State::kLoading;
    status.set_state(ready     ? tf::ModelVersionStatus::AVAILABLE
                     : loading ? tf::ModelVersionStatus::LOADING
                               : tf::ModelVersionStatus::END);
    status.mutable_status()->set_error_code(static_cast<int>(ready || loading ? Code::kOk : Code::kUnknown));
    status.mutable_status()->set_error_message(entry.reason);
  }
  if (response.model_version_status().empty()) fail_not_found("there is no model \"" + spec.name() + "\"");
  call->answer(serialized(response));
}

// A configuration names folders of the server's machine, which no request may.
void tfs_reload(const CallPtr&, const Incoming&) {
  fail_unsupported("models can't be configured by request",
                   "put them into the repository's folder and serve it with --poll SECONDS, or load them by "
                   "RepositoryModelLoad");
}

}  // namespace onward::server::grpc
