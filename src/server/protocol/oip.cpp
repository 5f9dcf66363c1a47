#include "server/protocol/oip.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <numeric>

#include "server/protocol/json_reader.h"
#include "server/protocol/json_tensor.h"

namespace onward::server::oip {
namespace {

using ir::Dims;
using ir::DType;
using ir::Tensor;

constexpr std::array<std::pair<DType, std::string_view>, 14> kTypes = {{{DType::kBool, "BOOL"},
                                                                        {DType::kUInt8, "UINT8"},
                                                                        {DType::kUInt16, "UINT16"},
                                                                        {DType::kUInt32, "UINT32"},
                                                                        {DType::kUInt64, "UINT64"},
                                                                        {DType::kInt8, "INT8"},
                                                                        {DType::kInt16, "INT16"},
                                                                        {DType::kInt32, "INT32"},
                                                                        {DType::kInt64, "INT64"},
                                                                        {DType::kFloat16, "FP16"},
                                                                        {DType::kBFloat16, "BF16"},
                                                                        {DType::kFloat, "FP32"},
                                                                        {DType::kDouble, "FP64"},
                                                                        {DType::kString, "BYTES"}}};

Json describe(const std::vector<runtime::ValueInfo>& infos) {
  Json list = Json::array();
  for (const runtime::ValueInfo& info : infos) {
    Json shape = Json::array();
    for (const ir::Dim& dim : info.shape) shape.push(dim.is_known() ? dim.value() : int64_t{-1});
    list.push(Json::object({{"name", info.name}, {"datatype", datatype(info.dtype)}, {"shape", std::move(shape)}}));
  }
  return list;
}

Json describe_for_config(const std::vector<runtime::ValueInfo>& infos, bool without_batch) {
  Json list = Json::array();
  for (const runtime::ValueInfo& info : infos) {
    Json dims = Json::array();
    for (size_t i = without_batch ? 1 : 0; i < info.shape.size(); ++i) {
      dims.push(info.shape[i].is_known() ? info.shape[i].value() : int64_t{-1});
    }
    const std::string type = info.dtype == DType::kString ? "STRING" : std::string(datatype(info.dtype));
    list.push(Json::object({{"name", info.name}, {"data_type", "TYPE_" + type}, {"dims", std::move(dims)}}));
  }
  return list;
}

size_t header_size(std::string_view text, size_t body) {
  size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size() || size > body) {
    fail_invalid(fmt::format("Inference-Header-Content-Length is \"{}\", the body has {} bytes", text, body));
  }
  return size;
}

// The parameters that mean something here; others are the client's own business.
struct Parameters {
  std::optional<uint64_t> binary_data_size;
  std::optional<bool> binary_data;
  bool binary_data_output = false;
  int64_t classification = 0;
  int64_t priority = 0;
  int64_t timeout = 0;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  std::string_view key;
  reader.open_object();
  while (reader.next_key(key)) {
    if (key == "binary_data_size") {
      parameters.binary_data_size = reader.unsigned_integer();
    } else if (key == "binary_data") {
      parameters.binary_data = reader.boolean();
    } else if (key == "binary_data_output") {
      parameters.binary_data_output = reader.boolean();
    } else if (key == "classification") {
      parameters.classification = reader.integer();
      if (parameters.classification < 1) reader.fail("classification must be at least 1");
    } else if (key == "priority") {
      parameters.priority = reader.integer();
      if (parameters.priority < 0 || parameters.priority > 1'000'000) reader.fail("priority must be 0 to 1000000");
    } else if (key == "timeout") {
      parameters.timeout = reader.integer();
      if (parameters.timeout < 0 || parameters.timeout > 86'400'000'000) reader.fail("timeout is out of range");
    } else {
      reader.skip();
    }
  }
  return parameters;
}

class InferReader {
 public:
  InferReader(const serving::Model& model, std::string_view json, const Bytes& body)
      : model_(model), reader_(json), body_(body), binary_at_(json.size()), given_(model.session().inputs().size()) {}

  InferRequest read() {
    std::string_view key;
    reader_.open_object();
    while (reader_.next_key(key)) {
      if (key == "id") {
        request_.id = reader_.peek() == JsonReader::Kind::kString ? reader_.string() : std::string(reader_.skip());
      } else if (key == "inputs") {
        reader_.open_array();
        while (reader_.next_item()) read_input();
      } else if (key == "outputs") {
        reader_.open_array();
        while (reader_.next_item()) read_output();
      } else if (key == "parameters") {
        parameters_ = read_parameters(reader_);
      } else {
        reader_.skip();
      }
    }
    reader_.finish();
    return finish();
  }

 private:
  Dims read_shape() {
    Dims dims;
    dims.reserve(4);
    reader_.open_array();
    while (reader_.next_item()) dims.push_back(reader_.integer());
    return checked_dims(std::move(dims), "the tensor");
  }

  DType read_datatype() {
    const std::string_view text = reader_.string_view();
    const auto dtype = dtype_of(text);
    if (!dtype) reader_.fail(fmt::format("unknown datatype \"{}\"", text));
    return *dtype;
  }

  void read_input() {
    std::optional<std::string> name;
    std::optional<Dims> dims;
    std::optional<DType> dtype;
    std::optional<size_t> data_at;
    std::optional<Tensor> tensor;
    Parameters parameters;
    std::string_view key;
    reader_.open_object();
    while (reader_.next_key(key)) {
      if (key == "name") {
        name = reader_.string();
      } else if (key == "shape") {
        dims = read_shape();
      } else if (key == "datatype") {
        dtype = read_datatype();
      } else if (key == "parameters") {
        parameters = read_parameters(reader_);
      } else if (key == "data" && dims && dtype) {
        tensor = read_tensor(reader_, *dtype, *dims, label(name));
      } else if (key == "data") {
        reader_.peek();
        data_at = reader_.offset();
        reader_.skip();
      } else {
        reader_.skip();
      }
    }
    if (!name) reader_.fail("an input without a name");
    if (!dims || !dtype) reader_.fail(label(name) + " lacks its shape or datatype");
    if (data_at) {
      JsonReader again = reader_;
      again.rewind(*data_at);
      tensor = read_tensor(again, *dtype, *dims, label(name));
    }
    if (parameters.binary_data_size) {
      if (tensor) reader_.fail(label(name) + " has both data and binary_data_size");
      tensor = take_binary(*parameters.binary_data_size, *dtype, *dims, label(name));
    }
    if (!tensor) reader_.fail(label(name) + " has no data");
    auto& slot = given_[model_.session().input_index(*name)];
    if (slot) reader_.fail(label(name) + " was given twice");
    slot = std::move(tensor);
  }

  static std::string label(const std::optional<std::string>& name) {
    return name ? "input \"" + *name + "\"" : std::string("an input");
  }

  Tensor take_binary(uint64_t size, DType dtype, const Dims& dims, const std::string& what) {
    if (size > body_.size() - binary_at_) {
      fail_invalid(
          fmt::format("{} is said to have {} bytes, the body has {} left", what, size, body_.size() - binary_at_));
    }
    const Bytes data = body_.slice(binary_at_, size);
    binary_at_ += size;
    return from_binary(dtype, dims, data, what);
  }

  void read_output() {
    std::optional<std::string> name;
    Parameters parameters;
    std::string_view key;
    reader_.open_object();
    while (reader_.next_key(key)) {
      if (key == "name") {
        name = reader_.string();
      } else if (key == "parameters") {
        parameters = read_parameters(reader_);
      } else {
        reader_.skip();
      }
    }
    if (!name) reader_.fail("an output without a name");
    WantedOutput wanted{model_.session().output_index(*name), false, parameters.classification};
    if (parameters.binary_data) {
      wanted.binary = *parameters.binary_data;
    } else {
      by_default_.push_back(request_.outputs.size());
    }
    request_.outputs.push_back(wanted);
  }

  InferRequest finish() {
    if (binary_at_ != body_.size()) {
      fail_invalid(fmt::format("{} bytes follow the last binary tensor", body_.size() - binary_at_));
    }
    request_.inputs = all_given(model_, std::move(given_));
    if (request_.outputs.empty()) {
      request_.outputs.reserve(model_.session().outputs().size());
      for (size_t i = 0; i < model_.session().outputs().size(); ++i) {
        request_.outputs.push_back({i, parameters_.binary_data_output, 0});
      }
    }
    for (const size_t i : by_default_) request_.outputs[i].binary = parameters_.binary_data_output;
    request_.priority = static_cast<int>(parameters_.priority);
    request_.timeout = std::chrono::microseconds(parameters_.timeout);
    return std::move(request_);
  }

  const serving::Model& model_;
  JsonReader reader_;
  const Bytes& body_;
  size_t binary_at_;
  std::vector<std::optional<Tensor>> given_;
  std::vector<size_t> by_default_;
  Parameters parameters_;
  InferRequest request_;
};

// The one input's dims for a raw body: one free dimension follows from its size; a second free one, the batch, is 1.
Dims raw_dims(const runtime::ValueInfo& info, size_t size) {
  Dims dims;
  std::vector<size_t> free;
  for (const ir::Dim& dim : info.shape) {
    if (!dim.is_known()) free.push_back(dims.size());
    dims.push_back(dim.is_known() ? dim.value() : 1);
  }
  if (free.size() == 2 && free.front() == 0) free.erase(free.begin());
  if (free.size() > 1) {
    fail_invalid(fmt::format("a raw body needs a shape with one free dimension at most; input \"{}\" has {}", info.name,
                             ir::shape_text(info.shape)));
  }
  if (info.dtype == DType::kString) {
    if (!free.empty()) dims[free.front()] = 1;
    return dims;
  }
  const size_t row = ir::dtype_bytes(info.dtype, static_cast<size_t>(ir::element_count(dims)));
  if (!free.empty() && row > 0 && size % row == 0) dims[free.front()] = static_cast<int64_t>(size / row);
  return dims;
}

InferRequest read_raw(const serving::Model& model, const Bytes& body) {
  const auto& inputs = model.session().inputs();
  if (inputs.size() != 1) {
    fail_invalid(fmt::format("a raw body serves models of one input; \"{}\" has {}", model.name(), inputs.size()));
  }
  InferRequest request;
  const runtime::ValueInfo& info = inputs.front();
  const bool one_string = info.dtype == DType::kString;
  const Dims dims = raw_dims(info, body.size());
  if (one_string && ir::element_count(dims) == 1) {
    request.inputs.push_back(Tensor::of_strings(dims, {std::string(body.text())}));
  } else {
    request.inputs.push_back(from_binary(info.dtype, dims, body, "input \"" + info.name + "\""));
  }
  for (size_t i = 0; i < model.session().outputs().size(); ++i) request.outputs.push_back({i, true, 0});
  return request;
}

}  // namespace

std::string_view datatype(DType dtype) {
  for (const auto& [type, name] : kTypes) {
    if (type == dtype) return name;
  }
  return "UNKNOWN";
}

std::optional<DType> dtype_of(std::string_view datatype) {
  for (const auto& [type, name] : kTypes) {
    if (name == datatype) return type;
  }
  return std::nullopt;
}

Json server_metadata() {
  Json extensions = Json::array();
  for (const char* name : {"classification", "model_configuration", "model_repository", "schedule_policy", "statistics",
                           "binary_tensor_data", "parameters", "logging", "trace", "generate"}) {
    extensions.push(name);
  }
  return Json::object({{"name", "onward"}, {"version", ONWARD_VERSION}, {"extensions", std::move(extensions)}});
}

Json model_metadata(const serving::Model& model, Json versions) {
  return Json::object({{"name", model.name()},
                       {"versions", std::move(versions)},
                       {"platform", "onnxruntime_onnx"},
                       {"inputs", describe(model.session().inputs())},
                       {"outputs", describe(model.session().outputs())}});
}

Json model_config(const serving::Model& model) {
  const bool batches = model.batches();
  return Json::object({{"name", model.name()},
                       {"platform", "onnxruntime_onnx"},
                       {"backend", "onnxruntime"},
                       {"max_batch_size", static_cast<int64_t>(batches ? model.config().max_batch : 0)},
                       {"input", describe_for_config(model.session().inputs(), batches)},
                       {"output", describe_for_config(model.session().outputs(), batches)}});
}

InferRequest read_infer(const serving::Model& model, const Bytes& body, std::string_view header_length) {
  const size_t json = header_length.empty() ? body.size() : header_size(header_length, body.size());
  if (!header_length.empty() && json == 0) return read_raw(model, body);
  return InferReader(model, body.text().substr(0, json), body).read();
}

http::Response write_infer(const serving::Model& model, const InferRequest& request,
                           const std::vector<Tensor>& outputs) {
  std::string json;
  json.reserve(256);
  json += R"({"model_name":)";
  write_json_string(json, model.name());
  json.append(R"(,"model_version":")").append(model.version_text()).append("\"");
  if (!request.id.empty()) {
    json += R"(,"id":)";
    write_json_string(json, request.id);
  }
  json += R"(,"outputs":[)";
  std::vector<Bytes> binary;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const WantedOutput& wanted = request.outputs[i];
    const std::string& name = model.session().outputs()[wanted.index].name;
    const Tensor classes = wanted.classes > 0 ? wanted_tensor(model, wanted, outputs[i]) : Tensor();
    const Tensor& tensor = wanted.classes > 0 ? classes : outputs[i];
    json += i > 0 ? R"(,{"name":)" : R"({"name":)";
    write_json_string(json, name);
    json.append(R"(,"datatype":")").append(datatype(tensor.dtype())).append(R"(","shape":[)");
    for (size_t j = 0; j < tensor.rank(); ++j) {
      if (j > 0) json += ',';
      const fmt::format_int digits(tensor.dims()[j]);
      json.append(digits.data(), digits.size());
    }
    json += ']';
    if (wanted.binary) {
      binary.push_back(to_binary(tensor));
      fmt::format_to(std::back_inserter(json), R"(,"parameters":{{"binary_data_size":{}}})", binary.back().size());
    } else {
      json += R"(,"data":)";
      write_flat(json, tensor);
    }
    json += '}';
  }
  json += "]}";
  http::Response response;
  if (!binary.empty()) {
    response.content_type = "application/octet-stream";
    response.headers.emplace_back("Inference-Header-Content-Length", std::to_string(json.size()));
  }
  response.body.push_back(Bytes::from_string(std::move(json)));
  std::move(binary.begin(), binary.end(), std::back_inserter(response.body));
  return response;
}

Bytes to_binary(const Tensor& tensor) {
  if (tensor.dtype() != DType::kString) return tensor.bytes();
  std::string bytes;
  for (const std::string& text : tensor.strings()) {
    const auto length = static_cast<uint32_t>(text.size());
    bytes.append(reinterpret_cast<const char*>(&length), sizeof length).append(text);
  }
  return Bytes::from_string(std::move(bytes));
}

Tensor from_binary(DType dtype, Dims dims, const Bytes& data, std::string_view what) {
  const auto count = static_cast<size_t>(ir::element_count(dims));
  if (dtype == DType::kString) {
    std::vector<std::string> strings;
    ByteReader reader(data.view(), what);
    try {
      while (!reader.at_end() && strings.size() < count) {
        const auto length = reader.read<uint32_t>();
        strings.emplace_back(as_text(reader.take(length)));
      }
    } catch (const Error&) {
      fail_invalid(fmt::format("{}: a string's length reaches past its {} bytes", what, data.size()));
    }
    if (strings.size() != count || !reader.at_end()) {
      fail_invalid(fmt::format("{}: its bytes do not hold the {} strings of its shape", what, count));
    }
    return Tensor::of_strings(std::move(dims), std::move(strings));
  }
  // Dividing, not multiplying: a hostile shape must not overflow.
  const size_t element = ir::dtype_bits(dtype) / 8;
  if (data.size() % element != 0 || data.size() / element != count) {
    fail_invalid(fmt::format("{} has {} bytes, its shape {} of {} wants {} elements of {}", what, data.size(),
                             ir::shape_text(ir::to_shape(dims)), datatype(dtype), count, element));
  }
  return Tensor(dtype, std::move(dims), data);
}

Dims checked_dims(Dims dims, std::string_view what) {
  try {
    ir::element_count(dims);
  } catch (const Error& error) {
    fail_invalid(fmt::format("the shape of {} can't be: {}", what, error.message()));
  }
  return dims;
}

std::vector<Tensor> all_given(const serving::Model& model, std::vector<std::optional<Tensor>> given) {
  std::vector<Tensor> inputs;
  inputs.reserve(given.size());
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i]) fail_invalid(fmt::format("input \"{}\" is missing", model.session().inputs()[i].name));
    inputs.push_back(std::move(*given[i]));
  }
  return inputs;
}

Tensor wanted_tensor(const serving::Model& model, const WantedOutput& wanted, const Tensor& output) {
  if (wanted.classes == 0) return output;
  const auto labels = model.config().classes.find(model.session().outputs()[wanted.index].name);
  const bool named = labels != model.config().classes.end();
  return classify(output, wanted.classes, named ? labels->second : std::vector<std::string>());
}

Tensor classify(const Tensor& scores, int64_t count, const std::vector<std::string>& labels) {
  if (scores.dtype() == DType::kString) fail_invalid("only numbers can be classified, the output holds BYTES");
  const bool batched = scores.rank() > 1;
  const int64_t rows = batched ? scores.dims()[0] : 1;
  const Dims& dims_of_all = scores.dims();
  const auto width =
      static_cast<size_t>(ir::element_count({dims_of_all.begin() + (batched ? 1 : 0), dims_of_all.end()}));
  const size_t top = std::min(static_cast<size_t>(count), width);
  const std::vector<double> values = scores.doubles();
  std::vector<std::string> texts;
  std::vector<size_t> order(width);
  for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
    const double* const line = values.data() + row * width;
    std::iota(order.begin(), order.end(), size_t{0});
    std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(top), order.end(),
                      [line](size_t a, size_t b) { return line[a] > line[b] || (line[a] == line[b] && a < b); });
    for (size_t i = 0; i < top; ++i) {
      texts.push_back(fmt::format("{:f}:{}", line[order[i]], order[i]));
      if (order[i] < labels.size()) texts.back() += ":" + labels[order[i]];
    }
  }
  Dims dims = batched ? Dims{rows, static_cast<int64_t>(top)} : Dims{static_cast<int64_t>(top)};
  return Tensor::of_strings(std::move(dims), std::move(texts));
}

}  // namespace onward::server::oip
