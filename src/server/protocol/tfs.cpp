#include "server/protocol/tfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "server/protocol/json_reader.h"
#include "server/protocol/json_tensor.h"

namespace onward::server::tfs {
namespace {

using ir::Dims;
using ir::DType;
using ir::Tensor;
using runtime::ValueInfo;

Tensor read_input(JsonReader& reader, const ValueInfo& info) {
  return read_tensor(reader, info.dtype, "input \"" + info.name + "\"");
}

// {"name": value, …}
Row read_named(JsonReader& reader, const serving::Model& model) {
  Row row;
  std::string name;
  reader.open_object();
  while (reader.next_key(name)) {
    const ValueInfo& info = model.session().inputs()[model.session().input_index(name)];
    if (!row.emplace(name, read_input(reader, info)).second) reader.fail("\"" + name + "\" was given twice");
  }
  return row;
}

// An object that is not a {"b64": …} string.
bool is_named(JsonReader reader) {
  if (reader.peek() != JsonReader::Kind::kObject) return false;
  std::string key;
  reader.open_object();
  return reader.next_key(key) && key != "b64";
}

const ValueInfo& only_input(const serving::Model& model) {
  const auto& inputs = model.session().inputs();
  if (inputs.size() != 1) {
    fail_invalid(fmt::format("model \"{}\" has {} inputs: each must be named", model.name(), inputs.size()),
                 R"(send objects: {"input name": value, …})");
  }
  return inputs.front();
}

// One tensor of all rows' tensors, which must be alike.
Tensor join_rows(const std::string& name, const std::vector<Row>& rows) {
  std::vector<std::byte> bytes;
  std::vector<std::string> strings;
  const Tensor& first = rows.front().at(name);
  for (const Row& row : rows) {
    const Tensor& tensor = row.at(name);
    if (tensor.dims() != first.dims()) {
      fail_invalid(fmt::format("the instances of \"{}\" differ in shape: {} and {}", name,
                               ir::shape_text(ir::to_shape(first.dims())),
                               ir::shape_text(ir::to_shape(tensor.dims()))));
    }
    if (tensor.dtype() == DType::kString) {
      strings.insert(strings.end(), tensor.strings().begin(), tensor.strings().end());
    } else {
      bytes.insert(bytes.end(), tensor.bytes().view().begin(), tensor.bytes().view().end());
    }
  }
  Dims dims = first.dims();
  dims.insert(dims.begin(), static_cast<int64_t>(rows.size()));
  if (first.dtype() == DType::kString) return Tensor::of_strings(std::move(dims), std::move(strings));
  return Tensor(first.dtype(), std::move(dims), Bytes::from_vector(std::move(bytes)));
}

std::vector<Tensor> read_instances(JsonReader& reader, const serving::Model& model) {
  JsonReader ahead = reader;
  if (ahead.peek() != JsonReader::Kind::kArray) reader.fail("\"instances\" must be a list");
  ahead.open_array();
  if (!ahead.next_item()) reader.fail("\"instances\" is empty");
  if (!is_named(ahead)) return {read_input(reader, only_input(model))};
  std::vector<Row> rows;
  reader.open_array();
  while (reader.next_item()) rows.push_back(read_named(reader, model));
  return join(model, rows);
}

std::vector<Tensor> read_columns(JsonReader& reader, const serving::Model& model) {
  if (!is_named(reader)) return {read_input(reader, only_input(model))};
  Row row = read_named(reader, model);
  std::vector<Tensor> inputs;
  for (const ValueInfo& info : model.session().inputs()) {
    const auto given = row.find(info.name);
    if (given == row.end()) fail_invalid(fmt::format("input \"{}\" is missing", info.name));
    inputs.push_back(std::move(given->second));
  }
  return inputs;
}

// Element `row` of dim 0, as a value of its own.
void write_row(std::string& out, const Tensor& tensor, int64_t row) {
  const Dims inner(tensor.dims().begin() + 1, tensor.dims().end());
  const auto count = static_cast<size_t>(ir::element_count(inner));
  const auto first = static_cast<size_t>(row) * count;
  if (tensor.dtype() == DType::kString) {
    const auto start = tensor.strings().begin() + static_cast<ptrdiff_t>(first);
    return write_tensor(out, Tensor::of_strings(inner, {start, start + static_cast<ptrdiff_t>(count)}));
  }
  const size_t size = ir::dtype_bytes(tensor.dtype(), count);
  write_tensor(out, Tensor(tensor.dtype(), inner, tensor.bytes().slice(static_cast<size_t>(row) * size, size)));
}

void write_named_rows(std::string& out, const serving::Model& model, const std::vector<Tensor>& outputs) {
  for (const Tensor& output : outputs) {
    if (output.rank() > 0 && output.dims()[0] == outputs.front().dims()[0]) continue;
    fail_invalid("the outputs differ in their first dimension, so they have no rows", R"(send "inputs" instead)");
  }
  out += '[';
  for (int64_t row = 0; row < outputs.front().dims()[0]; ++row) {
    out += row == 0 ? "{" : ",{";
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (i > 0) out += ',';
      write_json_string(out, model.session().outputs()[i].name);
      out += ':';
      write_row(out, outputs[i], row);
    }
    out += '}';
  }
  out += ']';
}

void write_named_columns(std::string& out, const serving::Model& model, const std::vector<Tensor>& outputs) {
  out += '{';
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (i > 0) out += ',';
    write_json_string(out, model.session().outputs()[i].name);
    out += ':';
    write_tensor(out, outputs[i]);
  }
  out += '}';
}

std::string_view tf_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat:
      return "DT_FLOAT";
    case DType::kDouble:
      return "DT_DOUBLE";
    case DType::kInt32:
      return "DT_INT32";
    case DType::kUInt8:
      return "DT_UINT8";
    case DType::kInt16:
      return "DT_INT16";
    case DType::kInt8:
      return "DT_INT8";
    case DType::kString:
      return "DT_STRING";
    case DType::kInt64:
      return "DT_INT64";
    case DType::kBool:
      return "DT_BOOL";
    case DType::kUInt16:
      return "DT_UINT16";
    case DType::kFloat16:
      return "DT_HALF";
    case DType::kBFloat16:
      return "DT_BFLOAT16";
    case DType::kUInt32:
      return "DT_UINT32";
    case DType::kUInt64:
      return "DT_UINT64";
    default:
      return "DT_INVALID";
  }
}

// TensorFlow Serving spells keys as its messages do, OpenVINO's server as protobuf's JSON: clients of either are
// served.
Json describe(const std::vector<ValueInfo>& infos) {
  Json values = Json::object();
  for (const ValueInfo& info : infos) {
    Json dims = Json::array();
    for (const ir::Dim& dim : info.shape) {
      dims.push(Json::object({{"size", dim.is_known() ? std::to_string(dim.value()) : "-1"}, {"name", ""}}));
    }
    const Json shape = Json::object({{"dim", std::move(dims)}, {"unknown_rank", false}});
    values.set(
        info.name,
        Json::object(
            {{"dtype", tf_type(info.dtype)}, {"tensor_shape", shape}, {"tensorShape", shape}, {"name", info.name}}));
  }
  return values;
}

}  // namespace

void check_signature(std::string_view name) {
  if (name.empty() || name == kSignature) return;
  fail_not_found(fmt::format("there is no signature \"{}\"; the one served is \"{}\"", name, kSignature));
}

std::vector<Tensor> join(const serving::Model& model, const std::vector<Row>& rows) {
  std::vector<Tensor> inputs;
  for (const ValueInfo& info : model.session().inputs()) {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].count(info.name) == 0) fail_invalid(fmt::format("instance {} lacks input \"{}\"", i, info.name));
    }
    inputs.push_back(join_rows(info.name, rows));
  }
  return inputs;
}

std::string class_label(const serving::Model& model, size_t index) {
  const auto found = model.config().classes.find(model.session().outputs().front().name);
  const bool named = found != model.config().classes.end() && index < found->second.size();
  return named ? found->second[index] : std::to_string(index);
}

PredictRequest read_predict(const serving::Model& model, std::string_view body) {
  JsonReader reader(body);
  std::optional<PredictRequest> request;
  std::string signature;
  std::string key;
  reader.open_object();
  while (reader.next_key(key)) {
    if (key == "signature_name") {
      signature = reader.string();
    } else if (key == "instances" || key == "inputs") {
      if (request) reader.fail("not both \"instances\" and \"inputs\"");
      const bool by_row = key == "instances";
      request = PredictRequest{by_row ? read_instances(reader, model) : read_columns(reader, model), by_row};
    } else {
      reader.skip();
    }
  }
  reader.finish();
  check_signature(signature);
  if (!request) fail_invalid("Missing 'inputs' or 'instances' key");
  return std::move(*request);
}

std::string write_predict(const serving::Model& model, const std::vector<Tensor>& outputs, bool by_row) {
  std::string out = by_row ? R"({"predictions":)" : R"({"outputs":)";
  if (outputs.size() == 1) {
    write_tensor(out, outputs.front());
  } else if (by_row) {
    write_named_rows(out, model, outputs);
  } else {
    write_named_columns(out, model, outputs);
  }
  out += '}';
  return out;
}

std::vector<Tensor> read_examples(const serving::Model& model, std::string_view body) {
  JsonReader reader(body);
  std::vector<Row> rows;
  Row context;
  std::string signature;
  std::string key;
  reader.open_object();
  while (reader.next_key(key)) {
    if (key == "signature_name") {
      signature = reader.string();
    } else if (key == "context") {
      context = read_named(reader, model);
    } else if (key == "examples") {
      reader.open_array();
      while (reader.next_item()) rows.push_back(read_named(reader, model));
    } else {
      reader.skip();
    }
  }
  reader.finish();
  check_signature(signature);
  if (rows.empty()) fail_invalid("Missing 'examples' key, or no example in it");
  for (Row& row : rows) row.insert(context.begin(), context.end());
  return join(model, rows);
}

size_t examples_of(const std::vector<Tensor>& inputs) {
  return inputs.empty() ? 0 : static_cast<size_t>(inputs.front().dims().at(0));
}

size_t values_of_each(const Tensor& output, size_t examples, bool regression) {
  const size_t count = output.count();
  const bool even = examples > 0 && count % examples == 0;
  if (output.dtype() == ir::DType::kString || !even || (regression && count != examples)) {
    fail_invalid(fmt::format("the model's first output, {} {}, is no {} of {} example{}",
                             ir::dtype_name(output.dtype()), ir::shape_text(ir::to_shape(output.dims())),
                             regression ? "regression" : "classification", examples, examples == 1 ? "" : "s"),
                 "use predict");
  }
  return count / examples;
}

std::string write_classes(const serving::Model& model, const Tensor& scores, size_t examples) {
  const size_t width = values_of_each(scores, examples, false);
  std::string out = R"({"results":[)";
  for (size_t i = 0; i < scores.count(); ++i) {
    const size_t column = i % width;
    if (column == 0) out += i == 0 ? "[" : ",[";
    out += column == 0 ? "[" : ",[";
    write_json_string(out, class_label(model, column));
    out += ',';
    write_element(out, scores, i);
    out += column + 1 == width ? "]]" : "]";
  }
  return out + "]}";
}

std::string write_regression(const Tensor& values, size_t examples) {
  values_of_each(values, examples, true);
  std::string out = R"({"results":)";
  write_flat(out, values);
  return out + "}";
}

Json metadata(const serving::Model& model) {
  const Json signature = Json::object({{"inputs", describe(model.session().inputs())},
                                       {"outputs", describe(model.session().outputs())},
                                       {"method_name", "tensorflow/serving/predict"}});
  const Json by_name = Json::object({{kSignature.data(), signature}});
  const Json definitions = Json::object({{"signature_def", by_name}, {"signatureDef", by_name}});
  const Json spec = Json::object({{"name", model.name()}, {"signature_name", ""}, {"version", model.version_text()}});
  return Json::object(
      {{"model_spec", spec}, {"modelSpec", spec}, {"metadata", Json::object({{"signature_def", definitions}})}});
}

}  // namespace onward::server::tfs
