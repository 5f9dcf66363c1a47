#include "server/handlers/handlers.h"

namespace onward::server {
namespace {

using serving::DurationSum;
using serving::ModelPtr;

Json duration(uint64_t count, uint64_t ns) {
  return Json::object({{"count", static_cast<int64_t>(count)}, {"ns", static_cast<int64_t>(ns)}});
}

Json duration(const DurationSum& sum) { return duration(sum.count.load(), sum.ns.load()); }

Json statistics_of(const serving::Model& model) {
  const serving::Statistics& statistics = model.statistics();
  Json batches = Json::array();
  for (const auto& [size, counts] : statistics.batches()) {
    batches.push(Json::object({{"batch_size", static_cast<int64_t>(size)},
                               {"compute_input", duration(counts.executions, counts.input_ns)},
                               {"compute_infer", duration(counts.executions, counts.infer_ns)},
                               {"compute_output", duration(counts.executions, counts.output_ns)}}));
  }
  return Json::object({{"name", model.name()},
                       {"version", model.version_text()},
                       {"last_inference", statistics.last_inference_ms.load()},
                       {"inference_count", static_cast<int64_t>(statistics.inferences.load())},
                       {"execution_count", static_cast<int64_t>(statistics.executions.load())},
                       {"inference_stats", Json::object({{"success", duration(statistics.success)},
                                                         {"fail", duration(statistics.fail)},
                                                         {"queue", duration(statistics.queue)},
                                                         {"compute_input", duration(statistics.compute_input)},
                                                         {"compute_infer", duration(statistics.compute_infer)},
                                                         {"compute_output", duration(statistics.compute_output)},
                                                         {"cache_hit", duration(0, 0)},
                                                         {"cache_miss", duration(0, 0)}})},
                       {"batch_stats", std::move(batches)},
                       {"memory_usage", Json::array()}});
}

}  // namespace

void model_statistics(const Call& call) {
  const serving::Repository& repository = call.context.repository;
  std::vector<ModelPtr> models;
  if (call.param("model").empty()) {
    for (const ModelPtr& model : repository.models()) {
      for (const ModelPtr& version : repository.versions(model->name())) models.push_back(version);
    }
  } else if (call.param("version").empty()) {
    models = repository.versions(call.param("model"));
  } else {
    models.push_back(repository.find(call.param("model"), call.param("version")));
  }
  Json list = Json::array();
  for (const ModelPtr& model : models) list.push(statistics_of(*model));
  call.respond(http::json_response(Json::object({{"model_stats", std::move(list)}})));
}

}  // namespace onward::server
