#include "server/protocol/fanout.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "formats/image/image.h"
#include "formats/npy.h"
#include "runtime/arrays.h"
#include "server/protocol/json_reader.h"
#include "server/protocol/json_tensor.h"
#include "serving/layout.h"

namespace onward::server::fanout {
namespace {

using ir::DType;
using ir::Tensor;
using serving::ModelPtr;

// The type to read numbers as: what all candidates want, else doubles, from which each model's are made.
DType reading_type(JsonReader reader, const std::vector<ModelPtr>& models) {
  while (reader.peek() == JsonReader::Kind::kArray) {
    reader.open_array();
    if (!reader.next_item()) break;
  }
  if (reader.peek() == JsonReader::Kind::kString || reader.peek() == JsonReader::Kind::kObject) return DType::kString;
  std::set<DType> types;
  for (const ModelPtr& model : models) {
    for (const runtime::ValueInfo& input : model->session().inputs()) {
      if (input.dtype != DType::kString) types.insert(input.dtype);
    }
  }
  return types.size() == 1 ? *types.begin() : DType::kDouble;
}

std::vector<std::string> read_names(JsonReader& reader) {
  std::vector<std::string> names;
  reader.open_array();
  while (reader.next_item()) names.push_back(reader.string());
  return names;
}

constexpr int64_t kDay = 86'400'000;

serving::Combine read_combine(std::string_view text) {
  const auto how = serving::combine_of(text);
  if (!how) fail_invalid(fmt::format("combine is \"mean\" or \"vote\", not \"{}\"", text));
  return *how;
}

std::chrono::milliseconds read_timeout(int64_t ms) {
  if (ms < 0 || ms > kDay) fail_invalid("timeout_ms is out of range");
  return std::chrono::milliseconds(ms);
}

void read_option(JsonReader& reader, const std::string& key, Request& request) {
  if (key == "models") {
    request.models = read_names(reader);
  } else if (key == "timeout_ms") {
    request.timeout = read_timeout(reader.integer());
  } else if (key == "partial") {
    request.partial = reader.boolean();
  } else if (key == "status") {
    request.status = reader.boolean();
  } else if (key == "combine") {
    request.combine = read_combine(reader.string());
  } else {
    reader.fail(fmt::format(
        "unknown key \"{}\"; there are input, inputs, models, timeout_ms, partial, status and combine", key));
  }
}

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) names.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return names;
}

serving::PixelRange read_pixels(const std::string& text) {
  if (text == "raw") return serving::PixelRange::kRaw;
  if (text == "unit") return serving::PixelRange::kUnit;
  if (text == "signed") return serving::PixelRange::kSigned;
  fail_invalid("pixels is \"raw\" (0 to 255), \"unit\" (0 to 1) or \"signed\" (-1 to 1), not \"" + text + "\"");
}

bool read_flag(const std::string& key, const std::string& text) {
  if (text != "true" && text != "false") fail_invalid(key + " is true or false, not \"" + text + "\"");
  return text == "true";
}

// The options of a request whose body is a file.
Request read_query(const http::Request& http_request) {
  Request request;
  for (const auto& [key, value] : http::query_values(http_request.query())) {
    if (key == "models") {
      request.models = split_names(value);
    } else if (key == "timeout_ms") {
      JsonReader reader(value);
      request.timeout = read_timeout(reader.integer());
      reader.finish();
    } else if (key == "partial") {
      request.partial = read_flag(key, value);
    } else if (key == "status") {
      request.status = read_flag(key, value);
    } else if (key == "combine") {
      request.combine = read_combine(value);
    } else if (key == "pixels") {
      request.pixels = read_pixels(value);
    } else {
      fail_invalid("unknown option \"" + key + "\"; there are models, timeout_ms, partial, status, combine and pixels");
    }
  }
  return request;
}

bool is_file(const Bytes& body) { return image::looks_like(body.view()) || npy::looks_like(body.view()); }

Request read_file(const http::Request& http_request) {
  Request request = read_query(http_request);
  try {
    if (image::looks_like(http_request.body.view())) {
      request.picture = image::read(http_request.body, "the body");
    } else {
      request.input = runtime::to_tensor(npy::read(http_request.body, "the body"), "the body");
    }
  } catch (const Error& error) {
    if (error.code() != Code::kDataLoss) throw;
    fail_invalid(error.message(), error.hint());
  }
  return request;
}

Tensor suited(const Tensor& tensor, const runtime::ValueInfo& wanted) {
  const auto fitted = serving::fit(tensor, wanted.shape);
  if (!fitted) {
    fail_invalid(fmt::format("its input \"{}\" has shape {}, got {}", wanted.name, ir::shape_text(wanted.shape),
                             ir::shape_text(ir::to_shape(tensor.dims()))));
  }
  return convert_exactly(*fitted, wanted.dtype, "its input \"" + wanted.name + "\"");
}

void write_outputs(std::string& out, const serving::Model& model, const std::vector<Tensor>& outputs) {
  if (outputs.size() == 1) return write_tensor(out, outputs.front());
  for (size_t i = 0; i < outputs.size(); ++i) {
    out += i == 0 ? "{" : ",";
    write_json_string(out, model.session().outputs()[i].name);
    out += ':';
    write_tensor(out, outputs[i]);
  }
  out += '}';
}

// Outputs go together by their places.
std::vector<Tensor> combined(serving::Combine how, const std::vector<const Part*>& done) {
  const size_t count = done.front()->outcome.outputs.size();
  std::vector<Tensor> results;
  for (size_t i = 0; i < count; ++i) {
    std::vector<Tensor> outputs;
    for (const Part* part : done) {
      if (part->outcome.outputs.size() != count) {
        fail_invalid(fmt::format("\"{}\" has {} outputs, \"{}\" has {}: they can't be combined",
                                 done.front()->model->name(), count, part->model->name(), part->outcome.outputs.size()),
                     "name models with like outputs under \"models\"");
      }
      outputs.push_back(part->outcome.outputs[i]);
    }
    results.push_back(serving::combine(outputs, how));
  }
  return results;
}

double milliseconds(serving::Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

Json status_of(const std::vector<Part>& parts) {
  Json status = Json::object();
  for (const Part& part : parts) {
    Json one = Json::object({{"version", part.model->version_text()},
                             {"code", code_name(part.outcome.error ? part.outcome.error->code() : Code::kOk)}});
    if (part.outcome.error) {
      one.set("error", part.outcome.error->message());
    } else {
      one.set("queue_ms", milliseconds(part.outcome.timing.queue));
      one.set("infer_ms", milliseconds(part.outcome.timing.infer));
    }
    status.set(part.model->name(), std::move(one));
  }
  return status;
}

std::string server_timing(const std::vector<const Part*>& done) {
  std::string text;
  for (const Part* part : done) {
    fmt::format_to(std::back_inserter(text), "{}{}", text.empty() ? "" : ", ",
                   http::server_timing(part->outcome.timing, part->model->name()));
  }
  return text;
}

}  // namespace

std::vector<std::string> named_models(const http::Request& request) {
  const Bytes& body = request.body;
  if (is_file(body)) return read_query(request).models;
  // Nearly no body names models: those are read only once.
  if (body.text().find("\"models\"") == std::string_view::npos) return {};
  try {
    JsonReader reader(body.text());
    std::string key;
    reader.open_object();
    while (reader.next_key(key)) {
      if (key == "models") return read_names(reader);
      reader.skip();
    }
  } catch (const Error&) {
  }
  return {};
}

Request read(const http::Request& http_request, const std::vector<ModelPtr>& models) {
  if (is_file(http_request.body)) return read_file(http_request);
  Request request;
  JsonReader reader(http_request.body.text());
  std::string key;
  reader.open_object();
  while (reader.next_key(key)) {
    if (key == "input") {
      request.input = read_tensor(reader, reading_type(reader, models), "\"input\"");
    } else if (key == "inputs") {
      std::string name;
      reader.open_object();
      while (reader.next_key(name)) {
        request.named[name] = read_tensor(reader, reading_type(reader, models), "input \"" + name + "\"");
      }
    } else {
      read_option(reader, key, request);
    }
  }
  reader.finish();
  if (request.input.has_value() == !request.named.empty()) {
    fail_invalid(R"(the body needs either "input" or "inputs")", R"(send {"input": [[…]]})");
  }
  return request;
}

std::vector<Tensor> inputs_for(const serving::Model& model, const Request& request) {
  const auto& infos = model.session().inputs();
  if (request.input || request.picture) {
    if (infos.size() != 1) fail_invalid(fmt::format("it has {} inputs", infos.size()), "name them under \"inputs\"");
    if (request.picture) return {serving::image_tensor(*request.picture, infos.front(), request.pixels)};
    return {suited(*request.input, infos.front())};
  }
  std::vector<Tensor> inputs;
  for (const runtime::ValueInfo& info : infos) {
    const auto given = request.named.find(info.name);
    if (given == request.named.end()) fail_invalid(fmt::format("its input \"{}\" is missing", info.name));
    inputs.push_back(suited(given->second, info));
  }
  if (request.named.size() != infos.size()) fail_invalid("it lacks some of the given inputs");
  return inputs;
}

http::Response answer(const Request& request, const std::vector<Part>& parts) {
  std::vector<const Part*> done;
  const Part* failed = nullptr;
  for (const Part& part : parts) {
    if (!part.outcome.error) done.push_back(&part);
    if (part.outcome.error && failed == nullptr) failed = &part;
  }
  if (failed != nullptr && !(request.partial && !done.empty())) {
    return http::error_response(failed->outcome.error->within(fmt::format("model \"{}\"", failed->model->name())));
  }
  http::Response response;
  response.headers.emplace_back("Server-Timing", server_timing(done));
  std::string text = "{";
  for (const Part* part : done) {
    if (text.size() > 1) text += ',';
    write_json_string(text, part->model->name() + "_prediction");
    text += ':';
    write_outputs(text, *part->model, part->outcome.outputs);
  }
  if (request.combine) {
    text += R"(,"combined":)";
    write_outputs(text, *done.front()->model, combined(*request.combine, done));
  }
  if (request.status || failed != nullptr) text += ",\"status\":" + status_of(parts).dump();
  response.body.push_back(Bytes::from_string(std::move(text) + "}"));
  return response;
}

}  // namespace onward::server::fanout
