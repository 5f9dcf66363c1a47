#include "server/handlers/handlers.h"
#include "server/protocol/json_reader.h"

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

// No request may bring a model along: what is served comes from the repository.
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
      if (parameter == "config" || parameter.starts_with("file:")) {
        fail_unsupported("a load request can't bring \"" + parameter + "\" along",
                         "put the model and its model.yaml into the repository's folder");
      }
    }
  }
  reader.finish();
}

void in_background(const Call& call, void (serving::Repository::*action)(const std::string&)) {
  call.context.background.post(
      [&repository = call.context.repository, action, name = std::string(call.param("model")), respond = call.respond] {
        try {
          (repository.*action)(name);
          respond(http::json_response(Json::object()));
        } catch (const Error& error) {
          // A model that can't be loaded is the request's fault, as Triton's clients expect.
          http::Response response = http::error_response(error);
          if (response.status == 500) response.status = 400;
          respond(std::move(response));
        }
      });
}

}  // namespace

void repository_index(const Call& call) {
  const bool ready = only_ready(call.request->body);
  Json index = Json::array();
  for (const serving::IndexEntry& entry : call.context.repository.index()) {
    if (ready && entry.state != serving::State::kReady) continue;
    index.push(Json::object({{"name", entry.name},
                             {"version", std::to_string(entry.version)},
                             {"state", serving::state_name(entry.state)},
                             {"reason", entry.reason}}));
  }
  call.respond(http::json_response(index));
}

void repository_load(const Call& call) {
  refuse_overrides(call.request->body);
  in_background(call, &serving::Repository::load);
}

void repository_unload(const Call& call) { in_background(call, &serving::Repository::unload); }

}  // namespace onward::server
