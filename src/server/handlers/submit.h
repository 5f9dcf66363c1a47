// Running one model for one request.
#pragma once

#include <utility>
#include <vector>

#include "server/router.h"

namespace onward::server {

// The answer that `write` makes of an outcome's outputs (an Error that it throws becomes the error answer), with the
// Server-Timing header.
template <class Write>
http::Response answer_of(const serving::Outcome& outcome, const Write& write) {
  if (outcome.error) return http::error_response(*outcome.error);
  try {
    http::Response response = write(outcome.outputs);
    response.headers.emplace_back("Server-Timing", http::server_timing(outcome.timing));
    return response;
  } catch (const Error& error) {
    return http::error_response(error);
  }
}

// Runs the job, at once or when its turn comes, with the request's cancellation, and answers with what `write` makes of
// its outputs.
template <class Write>
void submit(const Call& call, serving::Job job, Write write) {
  if (const auto outcome = call.context.scheduler.run_now(job)) return call.respond(answer_of(*outcome, write));
  job.cancellation = call.request->cancellation;
  job.done = [respond = call.respond, write = std::move(write)](const serving::Outcome& outcome) {
    respond(answer_of(outcome, write));
  };
  call.context.scheduler.submit(std::move(job));
}

}  // namespace onward::server
