#include "quantize/report.h"

namespace onward::quantize {
namespace {

Json fidelity_json(const Fidelity& fidelity) {
  Json json = Json::object({{"sqnr_db", fidelity.sqnr}, {"cosine", fidelity.cosine}, {"drop", fidelity.drop()}});
  if (!fidelity.metric.empty()) {
    json.set("metric", fidelity.metric);
    json.set("score", fidelity.score);
    json.set("float_score", fidelity.float_score);
  }
  return json;
}

Json layers_json(const Report& report) {
  Json layers = Json::array();
  for (const LayerReport& layer : report.layers) {
    Json one = Json::object({{"name", layer.name}, {"op", layer.op}, {"form", layer.form}, {"weights", layer.weights}});
    if (!layer.reason.empty()) one.set("reason", layer.reason);
    one.set("sqnr_db", layer.sqnr);
    one.set("milliseconds", Json::object({{"before", layer.milliseconds_before}, {"after", layer.milliseconds_after}}));
    layers.push(std::move(one));
  }
  return layers;
}

Json candidates_json(const Report& report) {
  Json candidates = Json::array();
  for (const Candidate& one : report.candidates) {
    candidates.push(Json::object({{"what", one.what},
                                  {"bytes", one.bytes},
                                  {"milliseconds", one.milliseconds},
                                  {"fidelity", fidelity_json(one.fidelity)},
                                  {"verdict", one.verdict}}));
  }
  return candidates;
}

}  // namespace

Json to_json(const Report& report) {
  Json notes = Json::array();
  for (const std::string& note : report.notes) notes.push(note);
  return Json::object(
      {{"source", report.source},
       {"output", report.output},
       {"mode", report.mode},
       {"method", report.method},
       {"command", report.command},
       {"samples", report.random_samples ? Json("random") : Json(report.samples)},
       {"checked_samples", report.checked},
       {"bytes", Json::object({{"before", report.bytes_before}, {"after", report.bytes_after}})},
       {"milliseconds", Json::object({{"before", report.milliseconds_before}, {"after", report.milliseconds_after}})},
       {"fidelity", fidelity_json(report.fidelity)},
       {"layers", layers_json(report)},
       {"candidates", candidates_json(report)},
       {"notes", std::move(notes)}});
}

}  // namespace onward::quantize
