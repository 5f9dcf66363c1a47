#include <fmt/format.h>

#include "server/grpc/handlers/handlers.h"
#include "server/grpc/proto/inference.pb.h"
#include "server/protocol/oip.h"

namespace onward::server::grpc {
namespace {

using inference::InferParameter;
using inference::InferTensorContents;
using inference::ModelInferRequest;
using inference::ModelInferResponse;
using ir::Dims;
using ir::DType;
using ir::Tensor;
using RequestPtr = std::shared_ptr<const ModelInferRequest>;
using Parameters = google::protobuf::Map<std::string, InferParameter>;

std::string label(const std::string& name) { return "input \"" + name + "\""; }

int64_t whole_number(const Parameters& parameters, const char* name, int64_t most) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return 0;
  const InferParameter& value = found->second;
  const bool is_unsigned = value.has_uint64_param() && value.uint64_param() <= static_cast<uint64_t>(most);
  const int64_t number = is_unsigned ? static_cast<int64_t>(value.uint64_param()) : value.int64_param();
  if ((!is_unsigned && !value.has_int64_param()) || number < 0 || number > most) {
    fail_invalid(fmt::format("parameter \"{}\" must be a whole number from 0 to {}", name, most));
  }
  return number;
}

bool flag(const Parameters& parameters, const char* name) {
  const auto found = parameters.find(name);
  return found != parameters.end() && found->second.bool_param();
}

// The values lie in the request, which the tensor keeps alive.
template <class T, class Field>
Tensor shared(const Field& field, Dims dims, const RequestPtr& request, DType dtype, const std::string& what) {
  const ByteView view = std::as_bytes(std::span(field.data(), static_cast<size_t>(field.size())));
  return oip::from_binary(dtype, std::move(dims), Bytes(view, request), what);
}

template <class T, class Field>
Tensor narrowed(const Field& field, Dims dims, DType dtype, const std::string& what) {
  std::vector<T> values;
  values.reserve(static_cast<size_t>(field.size()));
  for (const auto value : field) {
    if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
      fail_invalid(fmt::format("{}: {} does not fit {}", what, value, ir::dtype_name(dtype)));
    }
    values.push_back(static_cast<T>(value));
  }
  const Bytes bytes = Bytes::copy_of(std::as_bytes(std::span(values)));
  return oip::from_binary(dtype, std::move(dims), bytes, what);
}

Tensor from_contents(DType dtype, Dims dims, const InferTensorContents& contents, const RequestPtr& request,
                     const std::string& what) {
  switch (dtype) {
    case DType::kBool:
      return shared<bool>(contents.bool_contents(), std::move(dims), request, dtype, what);
    case DType::kInt8:
      return narrowed<int8_t>(contents.int_contents(), std::move(dims), dtype, what);
    case DType::kInt16:
      return narrowed<int16_t>(contents.int_contents(), std::move(dims), dtype, what);
    case DType::kInt32:
      return shared<int32_t>(contents.int_contents(), std::move(dims), request, dtype, what);
    case DType::kInt64:
      return shared<int64_t>(contents.int64_contents(), std::move(dims), request, dtype, what);
    case DType::kUInt8:
      return narrowed<uint8_t>(contents.uint_contents(), std::move(dims), dtype, what);
    case DType::kUInt16:
      return narrowed<uint16_t>(contents.uint_contents(), std::move(dims), dtype, what);
    case DType::kUInt32:
      return shared<uint32_t>(contents.uint_contents(), std::move(dims), request, dtype, what);
    case DType::kUInt64:
      return shared<uint64_t>(contents.uint64_contents(), std::move(dims), request, dtype, what);
    case DType::kFloat:
      return shared<float>(contents.fp32_contents(), std::move(dims), request, dtype, what);
    case DType::kDouble:
      return shared<double>(contents.fp64_contents(), std::move(dims), request, dtype, what);
    case DType::kString:
      break;
    default:
      fail_invalid(fmt::format("{}: {} can only be sent in raw_input_contents", what, oip::datatype(dtype)));
  }
  const auto& texts = contents.bytes_contents();
  if (texts.size() != ir::element_count(dims)) {
    fail_invalid(fmt::format("{} has {} strings, its shape {} wants {}", what, texts.size(),
                             ir::shape_text(ir::to_shape(dims)), ir::element_count(dims)));
  }
  return Tensor::of_strings(std::move(dims), {texts.begin(), texts.end()});
}

Tensor read_input(const RequestPtr& request, int index) {
  const ModelInferRequest::InferInputTensor& input = request->inputs(index);
  const auto dtype = oip::dtype_of(input.datatype());
  if (!dtype) fail_invalid(fmt::format("{} has the unknown datatype \"{}\"", label(input.name()), input.datatype()));
  const Dims dims = oip::checked_dims({input.shape().begin(), input.shape().end()}, label(input.name()));
  if (request->raw_input_contents_size() == 0) {
    return from_contents(*dtype, dims, input.contents(), request, label(input.name()));
  }
  if (input.has_contents()) fail_invalid(label(input.name()) + " has contents beside raw_input_contents");
  const std::string& raw = request->raw_input_contents(index);
  return oip::from_binary(*dtype, dims, Bytes(as_bytes(raw), request), label(input.name()));
}

oip::InferRequest read_request(const serving::Model& model, const RequestPtr& request) {
  constexpr int64_t kDay = 86'400'000'000;
  constexpr int64_t kLowest = 1'000'000;
  if (request->raw_input_contents_size() != 0 && request->raw_input_contents_size() != request->inputs_size()) {
    fail_invalid(fmt::format("there are {} inputs and {} raw_input_contents", request->inputs_size(),
                             request->raw_input_contents_size()));
  }
  const runtime::Session& session = model.session();
  oip::InferRequest read;
  read.id = request->id();
  read.priority = static_cast<int>(whole_number(request->parameters(), "priority", kLowest));
  read.timeout = std::chrono::microseconds(whole_number(request->parameters(), "timeout", kDay));
  std::vector<std::optional<Tensor>> given(session.inputs().size());
  for (int i = 0; i < request->inputs_size(); ++i) {
    auto& slot = given[session.input_index(request->inputs(i).name())];
    if (slot) fail_invalid(label(request->inputs(i).name()) + " was given twice");
    slot = read_input(request, i);
  }
  read.inputs = oip::all_given(model, std::move(given));
  for (const auto& output : request->outputs()) {
    const int64_t classes = whole_number(output.parameters(), "classification", kLowest);
    read.outputs.push_back({session.output_index(output.name()), true, classes});
  }
  for (size_t i = 0; read.outputs.size() < session.outputs().size() && request->outputs().empty(); ++i) {
    read.outputs.push_back({i, true, 0});
  }
  return read;
}

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

Bytes field_head(int number, size_t length) {
  constexpr unsigned kLengthDelimited = 2;
  std::string head;
  append_varint(head, static_cast<unsigned>(number) << 3 | kLengthDelimited);
  append_varint(head, length);
  return Bytes::from_string(std::move(head));
}

// The serialized ModelInferResponse, whose raw_output_contents are the tensors' own bytes.
Message write_response(const serving::Model& model, const oip::InferRequest& request,
                       const std::vector<Tensor>& outputs, bool is_final) {
  ModelInferResponse response;
  response.set_model_name(model.name());
  response.set_model_version(model.version_text());
  response.set_id(request.id);
  if (is_final) (*response.mutable_parameters())["triton_final_response"].set_bool_param(true);
  Message raw;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor tensor = oip::wanted_tensor(model, request.outputs[i], outputs[i]);
    ModelInferResponse::InferOutputTensor& output = *response.add_outputs();
    output.set_name(model.session().outputs()[request.outputs[i].index].name);
    output.set_datatype(std::string(oip::datatype(tensor.dtype())));
    for (const int64_t dim : tensor.dims()) output.add_shape(dim);
    Bytes bytes = oip::to_binary(tensor);
    raw.push_back(field_head(ModelInferResponse::kRawOutputContentsFieldNumber, bytes.size()));
    raw.push_back(std::move(bytes));
  }
  Message message = serialized(response);
  std::move(raw.begin(), raw.end(), std::back_inserter(message));
  return message;
}

// Submits one request; `done` gets the response or what went wrong.
void run(const CallPtr& call, const RequestPtr& request, std::function<void(Message, const Error*)> done) {
  const serving::ModelPtr model = call->context.repository.find(request->model_name(), request->model_version());
  const auto read = std::make_shared<oip::InferRequest>(read_request(*model, request));
  serving::Job job{.model = model, .inputs = std::move(read->inputs), .priority = read->priority};
  for (const oip::WantedOutput& output : read->outputs) job.outputs.push_back(output.index);
  job.deadline = call->deadline;
  if (read->timeout.count() > 0) {
    const auto due = serving::Clock::now() + read->timeout;
    job.deadline = job.deadline ? std::min(*job.deadline, due) : due;
  }
  job.cancellation = call->cancellation;
  const bool is_final = flag(request->parameters(), "triton_enable_empty_final_response");
  job.done = [model, read, is_final, done = std::move(done)](const serving::Outcome& outcome) {
    if (outcome.error) return done({}, &*outcome.error);
    Message message;
    try {
      message = write_response(*model, *read, outcome.outputs, is_final);
    } catch (const Error& error) {
      return done({}, &error);
    }
    done(std::move(message), nullptr);
  };
  call->context.scheduler.submit(std::move(job));
}

size_t size_of(const Message& message) {
  size_t size = 0;
  for (const Bytes& part : message) size += part.size();
  return size;
}

Message stream_error(const Error& error, const std::string& id) {
  inference::ModelStreamInferResponse response;
  response.set_error_message(error.message());
  response.mutable_infer_response()->set_id(id);
  return serialized(response);
}

}  // namespace

void model_infer(const CallPtr& call, const Incoming& message) {
  const auto request = std::make_shared<ModelInferRequest>();
  message.parse(*request);
  run(call, request, [call](Message response, const Error* error) {
    if (error != nullptr) return call->fail(*error);
    call->answer(std::move(response));
  });
}

// An answer that failed does not end the stream.
void model_stream_infer(const CallPtr& call, const Incoming& message) {
  const auto request = std::make_shared<ModelInferRequest>();
  message.parse(*request);
  const auto done = [call, id = request->id()](Message response, const Error* error) {
    if (error != nullptr) return call->answer(stream_error(*error, id));
    response.insert(response.begin(),
                    field_head(inference::ModelStreamInferResponse::kInferResponseFieldNumber, size_of(response)));
    call->answer(std::move(response));
  };
  try {
    run(call, request, done);
  } catch (const Error& error) {
    done({}, &error);
  }
}

}  // namespace onward::server::grpc
