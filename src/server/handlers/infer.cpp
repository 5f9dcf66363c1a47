#include "server/handlers/handlers.h"
#include "server/handlers/submit.h"
#include "server/protocol/oip.h"

namespace onward::server {

// KServe Open Inference Protocol v2: POST /v2/models/M[/versions/V]/infer.
void infer(const Call& call) {
  serving::ModelPtr found = call.context.repository.find(call.param("model"), call.param("version"));
  const serving::Model& model = *found;
  oip::InferRequest request =
      oip::read_infer(model, call.request->body, call.request->header("Inference-Header-Content-Length"));
  serving::Job job{.model = std::move(found), .inputs = std::move(request.inputs), .priority = request.priority};
  job.outputs.reserve(request.outputs.size());
  for (const oip::WantedOutput& output : request.outputs) job.outputs.push_back(output.index);
  if (request.timeout.count() > 0) job.deadline = call.request->arrived + request.timeout;
  // The job keeps the model until it is answered.
  submit(call, std::move(job), [&model, request = std::move(request)](const std::vector<ir::Tensor>& outputs) {
    return oip::write_infer(model, request, outputs);
  });
}

}  // namespace onward::server
