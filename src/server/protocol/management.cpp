#include "server/protocol/management.h"

#include "server/protocol/oip.h"

namespace onward::server::oip {
namespace {

using serving::DurationSum;
using serving::ModelPtr;

Json duration(uint64_t count, uint64_t ns) {
  return Json::object({{"count", static_cast<int64_t>(count)}, {"ns", static_cast<int64_t>(ns)}});
}

Json duration(const DurationSum& sum) { return duration(sum.count, sum.ns); }

Json statistics_of(const serving::Model& model) {
  const serving::Totals statistics = model.statistics().totals();
  Json batches = Json::array();
  for (const auto& [size, counts] : statistics.batches) {
    batches.push(Json::object({{"batch_size", static_cast<int64_t>(size)},
                               {"compute_input", duration(counts.executions, counts.input_ns)},
                               {"compute_infer", duration(counts.executions, counts.infer_ns)},
                               {"compute_output", duration(counts.executions, counts.output_ns)}}));
  }
  return Json::object(
      {{"name", model.name()},
       {"version", model.version_text()},
       {"last_inference", statistics.last_inference_ms},
       {"inference_count", static_cast<int64_t>(statistics.inferences)},
       {"execution_count", static_cast<int64_t>(statistics.executions)},
       {"inference_stats", Json::object({{"success", duration(statistics.success)},
                                         {"fail", duration(statistics.fail)},
                                         {"queue", duration(statistics.queue)},
                                         {"compute_input", duration(statistics.compute_input)},
                                         {"compute_infer", duration(statistics.compute_infer)},
                                         {"compute_output", duration(statistics.compute_output)},
                                         {"cache_hit", duration(0, 0)},
                                         {"cache_miss", duration(0, 0)}})},
       {"batch_stats", std::move(batches)},
       {"memory_usage", Json::array({Json::object(
                            {{"type", "CPU"}, {"id", 0}, {"byte_size", static_cast<int64_t>(model.bytes())}})})}});
}

void in_background(Context& context, const std::string& name, void (serving::Repository::*action)(const std::string&),
                   Managed done) {
  context.background.post([&repository = context.repository, action, name, done = std::move(done)] {
    try {
      (repository.*action)(name);
    } catch (const Error& error) {
      return done(&error);
    }
    done(nullptr);
  });
}

}  // namespace

Json model_metadata(const serving::Repository& repository, std::string_view name, std::string_view version) {
  const ModelPtr model = repository.find(name, version);
  Json versions = Json::array();
  for (const ModelPtr& each : repository.versions(model->name())) versions.push(each->version_text());
  return model_metadata(*model, std::move(versions));
}

Json model_statistics(const serving::Repository& repository, std::string_view name, std::string_view version) {
  std::vector<ModelPtr> models;
  if (name.empty()) {
    models = repository.all_versions();
  } else if (version.empty()) {
    models = repository.versions(name);
  } else {
    models.push_back(repository.find(name, version));
  }
  Json list = Json::array();
  for (const ModelPtr& model : models) list.push(statistics_of(*model));
  return Json::object({{"model_stats", std::move(list)}});
}

Json repository_index(const serving::Repository& repository, bool only_ready) {
  Json index = Json::array();
  for (const serving::IndexEntry& entry : repository.index()) {
    if (only_ready && entry.state != serving::State::kReady) continue;
    index.push(Json::object({{"name", entry.name},
                             {"version", std::to_string(entry.version)},
                             {"state", serving::state_name(entry.state)},
                             {"reason", entry.reason}}));
  }
  return index;
}

void refuse_override(std::string_view parameter) {
  if (parameter != "config" && !parameter.starts_with("file:")) return;
  fail_unsupported("a load request can't bring \"" + std::string(parameter) + "\" along",
                   "put the model and its model.yaml into the repository's folder");
}

void load(Context& context, const std::string& name, Managed done) {
  in_background(context, name, &serving::Repository::load, std::move(done));
}

void unload(Context& context, const std::string& name, Managed done) {
  in_background(context, name, &serving::Repository::unload, std::move(done));
}

}  // namespace onward::server::oip
