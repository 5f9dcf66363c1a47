#include "server/protocol/generate.h"

#include "server/handlers/handlers.h"
#include "server/handlers/submit.h"

namespace onward::server {
namespace {

using Write = http::Response (*)(std::string json);

void run(const Call& call, Write write) {
  const serving::ModelPtr model = call.context.repository.find(call.param("model"), call.param("version"));
  auto request = std::make_shared<generate::Request>(generate::read(*model, call.request->body.text()));
  serving::Job job{.model = model, .inputs = std::move(request->inputs)};
  submit(call, std::move(job), [model, request, write](const std::vector<ir::Tensor>& outputs) {
    return write(generate::write(*model, *request, outputs));
  });
}

}  // namespace

void generate_once(const Call& call) {
  run(call, [](std::string json) { return http::text_response(std::move(json), "application/json"); });
}

// As server-sent events. An ONNX model answers once, so there is one.
void generate_stream(const Call& call) {
  run(call, [](std::string json) {
    return http::text_response("data: " + json + "\n\n", "text/event-stream; charset=utf-8");
  });
}

}  // namespace onward::server
