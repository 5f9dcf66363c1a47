#include "server/handlers/handlers.h"
#include "server/handlers/submit.h"
#include "server/protocol/tfs.h"

namespace onward::server {
namespace {

serving::ModelPtr find(const Call& call) {
  return call.context.repository.find(call.param("model"), call.param("version"));
}

}  // namespace

void tfs_predict(const Call& call) {
  const serving::ModelPtr model = find(call);
  tfs::PredictRequest request = tfs::read_predict(*model, call.request->body.text());
  submit(call, {.model = model, .inputs = std::move(request.inputs)},
         [model, by_row = request.by_row](const std::vector<ir::Tensor>& outputs) {
           return http::text_response(tfs::write_predict(*model, outputs, by_row), "application/json");
         });
}

void tfs_classify(const Call& call) {
  const serving::ModelPtr model = find(call);
  auto inputs = tfs::read_examples(*model, call.request->body.text());
  submit(call, {.model = model, .inputs = inputs, .outputs = {0}},
         [model, examples = tfs::examples_of(inputs)](const std::vector<ir::Tensor>& outputs) {
           return http::text_response(tfs::write_classes(*model, outputs.front(), examples), "application/json");
         });
}

void tfs_regress(const Call& call) {
  const serving::ModelPtr model = find(call);
  auto inputs = tfs::read_examples(*model, call.request->body.text());
  submit(call, {.model = model, .inputs = inputs, .outputs = {0}},
         [examples = tfs::examples_of(inputs)](const std::vector<ir::Tensor>& outputs) {
           return http::text_response(tfs::write_regression(outputs.front(), examples), "application/json");
         });
}

void tfs_status(const Call& call) {
  const std::string name(call.param("model"));
  const bool one = !call.param("version").empty();
  const std::string version = one ? find(call)->version_text() : "";
  Json list = Json::array();
  for (const serving::IndexEntry& entry : call.context.repository.index()) {
    const std::string number = std::to_string(entry.version);
    if (entry.name != name || (one && number != version)) continue;
    const bool ready = entry.state == serving::State::kReady;
    const bool loading = entry.state == serving::State::kLoading;
    list.push(Json::object({{"version", number},
                            {"state", ready     ? "AVAILABLE"
                                      : loading ? "LOADING"
                                                : "END"},
                            {"status", Json::object({{"error_code", ready || loading ? "OK" : "UNKNOWN"},
                                                     {"error_message", entry.reason}})}}));
  }
  if (list.size() == 0) fail_not_found("there is no model \"" + name + "\"");
  // KServe's first protocol asks at the same path, for name and ready.
  call.respond(
      http::json_response(Json::object({{"model_version_status", std::move(list)},
                                        {"name", name},
                                        {"ready", call.context.repository.serves(name, call.param("version"))}})));
}

void tfs_metadata(const Call& call) { call.respond(http::json_response(tfs::metadata(*find(call)))); }

}  // namespace onward::server
