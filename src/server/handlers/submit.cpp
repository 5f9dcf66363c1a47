#include "server/handlers/submit.h"

namespace onward::server {

void submit(const Call& call, serving::Job job, std::function<http::Response(const std::vector<ir::Tensor>&)> write) {
  job.cancellation = call.request->cancellation;
  job.done = [respond = call.respond, write = std::move(write)](const serving::Outcome& outcome) {
    if (outcome.error) return respond(http::error_response(*outcome.error));
    try {
      http::Response response = write(outcome.outputs);
      response.headers.emplace_back("Server-Timing", http::server_timing(outcome.timing));
      respond(std::move(response));
    } catch (const Error& error) {
      respond(http::error_response(error));
    }
  };
  call.context.scheduler.submit(std::move(job));
}

}  // namespace onward::server
