#include "cli/remote_model.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "server/protocol/oip.h"

namespace onward::cli {
namespace {

constexpr std::chrono::seconds kPatience{60};

std::string checked(const client::Answer& answer, const std::string& what) {
  if (answer.status == 200) return answer.body;
  constexpr size_t kMostWords = 500;
  throw Error(
      Code::kFailedPrecondition,
      fmt::format("{}: the server answered {}: {}", what, answer.status, answer.body.substr(0, kMostWords)),
      answer.status == 401 || answer.status == 403 ? "give the key with --header 'Authorization: Bearer KEY'" : "");
}

runtime::ValueInfo input_of(const Json& described) {
  runtime::ValueInfo info;
  info.name = described.at("name").as_string();
  const std::string datatype = described.at("datatype").as_string();
  const std::optional<ir::DType> dtype = server::oip::dtype_of(datatype);
  if (!dtype) fail_unsupported(fmt::format("input \"{}\" has the unknown datatype {}", info.name, datatype));
  info.dtype = *dtype;
  for (const int64_t dim : described.at("shape").as_ints()) info.shape.push_back(dim < 0 ? ir::Dim() : ir::Dim(dim));
  return info;
}

}  // namespace

RemoteModel::RemoteModel(const std::string& url, client::Headers headers)
    : url_(client::parse_url(url)), headers_(std::move(headers)) {
  const std::unique_ptr<client::Connection> connection = connect();
  if (url_.path == "/") url_.path = "/v2/models/" + only_model(*connection);
  const std::string text = checked(connection->exchange("GET", url_.path, {}, headers_), url_.path);
  const Json metadata = Json::parse(text);
  if (metadata.find("inputs") == nullptr) {
    fail_invalid(url + " describes no model's inputs", "give http://HOST:PORT/v2/models/NAME");
  }
  for (const Json& input : metadata.at("inputs").as_array()) inputs_.push_back(input_of(input));
}

std::string RemoteModel::only_model(client::Connection& connection) const {
  const std::string path = "/v2/repository/index";
  const Json index = Json::parse(checked(connection.exchange("POST", path, "{}", headers_), path));
  std::vector<std::string> names;
  for (const Json& model : index.as_array()) {
    const std::string name = model.at("name").as_string();
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (names.size() != 1) {
    fail_invalid(fmt::format("the server offers {} models: {}", names.size(), fmt::join(names, ", ")),
                 "name one: http://HOST:PORT/v2/models/NAME");
  }
  return names[0];
}

std::unique_ptr<client::Connection> RemoteModel::connect() const {
  return std::make_unique<client::Connection>(url_, kPatience);
}

RemoteModel::Request RemoteModel::request(const std::vector<ir::Tensor>& inputs) const {
  Json described = Json::array();
  std::string tensors;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Bytes binary = server::oip::to_binary(inputs[i]);
    Json dims = Json::array();
    for (const int64_t dim : inputs[i].dims()) dims.push(dim);
    described.push(Json::object({{"name", inputs_[i].name},
                                 {"datatype", std::string(server::oip::datatype(inputs[i].dtype()))},
                                 {"shape", dims},
                                 {"parameters", Json::object({{"binary_data_size", binary.size()}})}}));
    tensors += binary.text();
  }
  const Json parameters = Json::object({{"binary_data_output", true}});
  const std::string header = Json::object({{"inputs", described}, {"parameters", parameters}}).dump();
  client::Headers headers = headers_;
  headers["Content-Type"] = "application/octet-stream";
  headers["Inference-Header-Content-Length"] = std::to_string(header.size());
  return {header + tensors, std::move(headers)};
}

void RemoteModel::predict(client::Connection& connection, const Request& request) const {
  checked(connection.exchange("POST", url_.path + "/infer", request.body, request.headers), url_.path + "/infer");
}

}  // namespace onward::cli
