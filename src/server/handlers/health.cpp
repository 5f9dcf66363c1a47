#include "server/handlers/handlers.h"

namespace onward::server {

// KServe's client reads the JSON, Triton's only the status.
void health_live(const Call& call) { call.respond(http::json_response(Json::object({{"live", true}}))); }

void health_ready(const Call& call) {
  const bool ready = call.context.ready();
  call.respond(http::json_response(Json::object({{"live", true}, {"ready", ready}}), ready ? 200 : 503));
}

void model_ready(const Call& call) {
  const std::string name(call.param("model"));
  const bool ready = call.context.repository.serves(name, call.param("version"));
  call.respond(http::json_response(Json::object({{"name", name}, {"ready", ready}}), ready ? 200 : 503));
}

}  // namespace onward::server
