#include "server/handlers/submit.h"

#include <fmt/format.h>

namespace onward::server {
namespace {

void add_server_timing(http::Response& response, const serving::Timing& timing) {
  const auto ms = [](serving::Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
  };
  response.headers.emplace_back("Server-Timing",
                                fmt::format("queue;dur={:.3f}, infer;dur={:.3f}", ms(timing.queue), ms(timing.infer)));
}

}  // namespace

void submit(const Call& call, serving::Job job, std::function<http::Response(const std::vector<ir::Tensor>&)> write) {
  job.cancellation = call.request->cancellation;
  job.done = [respond = call.respond, write = std::move(write)](const serving::Outcome& outcome) {
    if (outcome.error) return respond(http::error_response(*outcome.error));
    try {
      http::Response response = write(outcome.outputs);
      add_server_timing(response, outcome.timing);
      respond(std::move(response));
    } catch (const Error& error) {
      respond(http::error_response(error));
    }
  };
  call.context.scheduler.submit(std::move(job));
}

}  // namespace onward::server
