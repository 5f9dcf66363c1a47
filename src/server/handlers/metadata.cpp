#include "server/handlers/handlers.h"
#include "server/protocol/management.h"
#include "server/protocol/oip.h"

namespace onward::server {

void server_metadata(const Call& call) { call.respond(http::json_response(oip::server_metadata())); }

void list_models(const Call& call) {
  Json names = Json::array();
  for (const serving::ModelPtr& model : call.context.repository.models()) names.push(model->name());
  call.respond(http::json_response(Json::object({{"models", std::move(names)}})));
}

void model_metadata(const Call& call) {
  call.respond(
      http::json_response(oip::model_metadata(call.context.repository, call.param("model"), call.param("version"))));
}

void model_config(const Call& call) {
  call.respond(http::json_response(
      oip::model_config(*call.context.repository.find(call.param("model"), call.param("version")))));
}

}  // namespace onward::server
