#include "server/handlers/handlers.h"

namespace onward::server {

// KServe's client reads the JSON, Triton's only the status.
void health_live(const Call& call) { call.respond(http::json_response(Json::object({{"live", true}}))); }

void health_ready(const Call& call) {
  const bool ready = !call.context.draining && !call.context.repository.models().empty();
  call.respond(http::json_response(Json::object({{"live", true}, {"ready", ready}}), ready ? 200 : 503));
}

void model_ready(const Call& call) {
  const std::string name(call.param("model"));
  try {
    call.context.repository.find(name, call.param("version"));
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    call.respond(
        http::json_response(Json::object({{"name", name}, {"ready", false}, {"error", error.message()}}), 503));
    return;
  }
  call.respond(http::json_response(Json::object({{"name", name}, {"ready", true}})));
}

}  // namespace onward::server
