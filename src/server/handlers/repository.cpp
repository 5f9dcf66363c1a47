#include "server/handlers/handlers.h"
#include "server/protocol/json_reader.h"
#include "server/protocol/management.h"

namespace onward::server {
namespace {

// {"ready": true} lists only what is served.
bool only_ready(const Bytes& body) {
  if (body.empty()) return false;
  bool ready = false;
  JsonReader reader(body.text());
  std::string key;
  reader.open_object();
  while (reader.next_key(key)) {
    if (key == "ready") {
      ready = reader.boolean();
    } else {
      reader.skip();
    }
  }
  reader.finish();
  return ready;
}

void refuse_overrides(const Bytes& body) {
  if (body.empty()) return;
  JsonReader reader(body.text());
  std::string key;
  reader.open_object();
  while (reader.next_key(key)) {
    if (key != "parameters") {
      reader.skip();
      continue;
    }
    std::string parameter;
    reader.open_object();
    while (reader.next_key(parameter)) {
      reader.skip();
      oip::refuse_override(parameter);
    }
  }
  reader.finish();
}

oip::Managed answer_with(const Call& call) {
  return [respond = call.respond](const Error* error) {
    if (error == nullptr) return respond(http::json_response(Json::object()));
    // A model that can't be loaded is the request's fault, as Triton's clients expect.
    http::Response response = http::error_response(*error);
    if (response.status == 500) response.status = 400;
    respond(std::move(response));
  };
}

}  // namespace

void repository_index(const Call& call) {
  call.respond(http::json_response(oip::repository_index(call.context.repository, only_ready(call.request->body))));
}

void repository_load(const Call& call) {
  refuse_overrides(call.request->body);
  oip::load(call.context, std::string(call.param("model")), answer_with(call));
}

void repository_unload(const Call& call) {
  oip::unload(call.context, std::string(call.param("model")), answer_with(call));
}

}  // namespace onward::server
