#include "server/handlers/handlers.h"

namespace onward::server {
namespace {

Json changes_in(const Call& call) {
  Json changes = Json::parse(call.request->body.text());
  if (!changes.is_object()) fail_invalid("the body must be an object of settings");
  return changes;
}

}  // namespace

void log_settings(const Call& call) { call.respond(http::json_response(call.context.log.settings())); }

void change_log_settings(const Call& call) {
  call.context.log.change(changes_in(call));
  log_settings(call);
}

void trace_settings(const Call& call) { call.respond(http::json_response(call.context.tracer.settings())); }

void change_trace_settings(const Call& call) {
  call.context.tracer.change(changes_in(call));
  trace_settings(call);
}

}  // namespace onward::server
