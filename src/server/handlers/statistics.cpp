#include "server/handlers/handlers.h"
#include "server/protocol/management.h"

namespace onward::server {

void model_statistics(const Call& call) {
  call.respond(
      http::json_response(oip::model_statistics(call.context.repository, call.param("model"), call.param("version"))));
}

}  // namespace onward::server
