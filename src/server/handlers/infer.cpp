#include "server/handlers/handlers.h"
#include "server/http/server_timing.h"
#include "server/protocol/oip.h"

namespace onward::server {

// KServe Open Inference Protocol v2: POST /v2/models/M[/versions/V]/infer.
void infer(const Call& call) {
  const serving::ModelPtr model = call.context.repository.find(call.param("model"), call.param("version"));
  auto request = std::make_shared<oip::InferRequest>(
      oip::read_infer(*model, call.request->body, call.request->header("Inference-Header-Content-Length")));
  serving::Job job;
  job.model = model;
  job.inputs = std::move(request->inputs);
  for (const oip::WantedOutput& output : request->outputs) job.outputs.push_back(output.index);
  job.priority = request->priority;
  if (request->timeout.count() > 0) job.deadline = serving::Clock::now() + request->timeout;
  job.cancellation = call.request->cancellation;
  job.done = [model, request, respond = call.respond](serving::Outcome outcome) {
    if (outcome.error) return respond(http::error_response(*outcome.error));
    try {
      http::Response response = oip::write_infer(*model, *request, outcome.outputs);
      http::add_server_timing(response, outcome.timing);
      respond(std::move(response));
    } catch (const Error& error) {
      respond(http::error_response(error));
    }
  };
  call.context.scheduler.submit(std::move(job));
}

}  // namespace onward::server
