#include <algorithm>
#include <optional>
#include <thread>

#include "server/grpc/handlers/handlers.h"
#include "server/grpc/proto/health.pb.h"

namespace onward::server::grpc {
namespace {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

// Of "", a gRPC service, or a model.
HealthCheckResponse::ServingStatus status_of(const Context& context, const std::string& service) {
  const bool is_service = service.empty() || std::any_of(methods().begin(), methods().end(), [&](const Method& method) {
                            return method.path.substr(1, method.path.rfind('/') - 1) == service;
                          });
  if (is_service) return context.ready() ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  try {
    const bool serves = context.repository.serves(service) && !context.draining;
    return serves ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  } catch (const Error&) {
    return HealthCheckResponse::SERVICE_UNKNOWN;
  }
}

Message response_of(HealthCheckResponse::ServingStatus status) {
  HealthCheckResponse response;
  response.set_status(status);
  return serialized(response);
}

std::string requested(const Incoming& message) {
  HealthCheckRequest request;
  message.parse(request);
  return request.service();
}

}  // namespace

void health_check(const CallPtr& call, const Incoming& message) {
  const std::string service = requested(message);
  const auto status = status_of(call->context, service);
  if (status == HealthCheckResponse::SERVICE_UNKNOWN) fail_not_found("there is no service \"" + service + "\"");
  call->answer(response_of(status));
}

// Sends the state now and whenever it changes, until the client goes away.
void health_watch(const CallPtr& call, const Incoming& message) {
  const std::string service = requested(message);
  using Status = HealthCheckResponse::ServingStatus;
  call->context.watchers.add([call, service, last = std::optional<Status>()]() mutable {
    const Status now = status_of(call->context, service);
    if (now != last) call->send(response_of(now));
    last = now;
    // A watch never ends by itself and would hold up the stop.
    if (call->context.draining) call->fail(Error(Code::kUnavailable, "the server is stopping"));
    return !call->over();
  });
}

}  // namespace onward::server::grpc
