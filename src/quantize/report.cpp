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

template <typename T>
Json before_after(T before, T after) {
  return Json::object({{"before", before}, {"after", after}});
}

Json layers_json(const Report& report) {
  Json layers = Json::array();
  for (const LayerReport& layer : report.layers) {
    Json one = Json::object({{"name", layer.name}, {"op", layer.op}, {"form", layer.form}, {"weights", layer.weights}});
    if (!layer.reason.empty()) one.set("reason", layer.reason);
    if (report.measured) {
      one.set("sqnr_db", layer.sqnr);
      one.set("milliseconds", before_after(layer.milliseconds_before, layer.milliseconds_after));
    }
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
  Json json = Json::object({{"source", report.source},
                            {"output", report.output},
                            {"mode", report.mode},
                            {"method", report.method},
                            {"command", report.command},
                            {"samples", report.random_samples ? Json("random") : Json(report.samples)},
                            {"bytes", before_after(report.bytes_before, report.bytes_after)}});
  if (report.measured) {
    json.set("checked_samples", report.checked);
    json.set("milliseconds", before_after(report.milliseconds_before, report.milliseconds_after));
    json.set("fidelity", fidelity_json(report.fidelity));
  }
  json.set("layers", layers_json(report));
  json.set("candidates", candidates_json(report));
  json.set("notes", std::move(notes));
  return json;
}

}  // namespace onward::quantize
