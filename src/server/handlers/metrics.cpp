#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "server/handlers/handlers.h"

namespace onward::server {
namespace {

using serving::ModelPtr;
using serving::Totals;

struct Observed {
  ModelPtr model;
  Totals totals;
};

std::string labels(const std::string& model, int64_t version) {
  std::string name;
  for (const char c : model) {
    if (c == '\\' || c == '"') name += '\\';
    name += c;
  }
  return fmt::format(R"(model="{}",version="{}")", name, version);
}

std::string labels(const serving::Model& model) { return labels(model.name(), model.version()); }

class Page {
 public:
  std::string text;

  void describe(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(text), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <class T>
  void sample(std::string_view name, std::string_view label, T value) {
    if (label.empty()) {
      fmt::format_to(std::back_inserter(text), "{} {}\n", name, value);
    } else {
      fmt::format_to(std::back_inserter(text), "{}{{{}}} {}\n", name, label, value);
    }
  }
};

template <class Value>
void per_model(Page& page, const std::vector<Observed>& models, std::string_view name, std::string_view type,
               std::string_view help, const Value& value) {
  page.describe(name, type, help);
  for (const Observed& each : models) page.sample(name, labels(*each.model), value(each));
}

void latency(Page& page, const std::vector<Observed>& models) {
  constexpr std::string_view kName = "onward_request_duration_seconds";
  page.describe(kName, "histogram", "Time from a request's arrival in the queue to its result");
  for (const Observed& each : models) {
    const std::string label = labels(*each.model);
    uint64_t count = 0;
    for (size_t i = 0; i < serving::kLatencyBounds.size(); ++i) {
      count += each.totals.latency[i];
      page.sample(fmt::format("{}_bucket", kName), fmt::format("{},le=\"{}\"", label, serving::kLatencyBounds[i]),
                  count);
    }
    count += each.totals.latency.back();
    page.sample(fmt::format("{}_bucket", kName), label + ",le=\"+Inf\"", count);
    page.sample(fmt::format("{}_sum", kName), label, static_cast<double>(each.totals.success.ns) * 1e-9);
    page.sample(fmt::format("{}_count", kName), label, count);
  }
}

// The names that dashboards made for Triton look for.
void triton_names(Page& page, const std::vector<Observed>& models) {
  const auto add = [&](std::string_view name, std::string_view type, std::string_view help, const auto& value) {
    per_model(page, models, name, type, help, value);
  };
  const auto us = [](const serving::DurationSum& sum) { return sum.ns / 1000; };
  add("nv_inference_request_success", "counter", "Requests that succeeded",
      [](const Observed& each) { return each.totals.success.count; });
  add("nv_inference_request_failure", "counter", "Requests that failed",
      [](const Observed& each) { return each.totals.fail.count; });
  add("nv_inference_count", "counter", "Inferences (a batch of N counts N)",
      [](const Observed& each) { return each.totals.inferences; });
  add("nv_inference_exec_count", "counter", "Runs of the model",
      [](const Observed& each) { return each.totals.executions; });
  add("nv_inference_pending_request_count", "gauge", "Requests waiting",
      [](const Observed& each) { return each.model->statistics().pending.load(); });
  add("nv_inference_request_duration_us", "counter", "Time of whole requests",
      [us](const Observed& each) { return us(each.totals.success); });
  add("nv_inference_queue_duration_us", "counter", "Time in the queue",
      [us](const Observed& each) { return us(each.totals.queue); });
  add("nv_inference_compute_input_duration_us", "counter", "Time putting batches together",
      [us](const Observed& each) { return us(each.totals.compute_input); });
  add("nv_inference_compute_infer_duration_us", "counter", "Time running",
      [us](const Observed& each) { return us(each.totals.compute_infer); });
  add("nv_inference_compute_output_duration_us", "counter", "Time taking batches apart",
      [us](const Observed& each) { return us(each.totals.compute_output); });
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

uint64_t resident_bytes() {
  uint64_t total = 0;
  uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

void metrics(const Call& call) {
  std::vector<Observed> models;
  for (const ModelPtr& model : call.context.repository.all_versions()) {
    models.push_back({model, model->statistics().totals()});
  }
  Page page;
  page.describe("onward_http_requests_total", "counter", "HTTP requests of all kinds");
  page.sample("onward_http_requests_total", "", call.context.requests.load());
  page.describe("onward_grpc_calls_total", "counter", "gRPC calls of all kinds");
  page.sample("onward_grpc_calls_total", "", call.context.grpc_calls.load());
  page.describe("onward_model_ready", "gauge", "1 where a model version takes requests, else 0");
  for (const serving::IndexEntry& entry : call.context.repository.index()) {
    page.sample("onward_model_ready", labels(entry.name, entry.version), entry.state == serving::State::kReady ? 1 : 0);
  }
  page.describe("onward_model_bytes", "gauge", "What a loaded model takes of the memory budget");
  for (const Observed& each : models) page.sample("onward_model_bytes", labels(*each.model), each.model->bytes());
  page.describe("process_cpu_seconds_total", "counter", "CPU time used");
  page.sample("process_cpu_seconds_total", "", cpu_seconds());
  page.describe("onward_in_flight", "gauge", "Inferences waiting or running");
  page.sample("onward_in_flight", "", call.context.scheduler.in_flight());
  page.describe("process_resident_memory_bytes", "gauge", "Resident memory");
  page.sample("process_resident_memory_bytes", "", resident_bytes());
  page.describe("onward_uptime_seconds", "gauge", "Time since the start");
  page.sample("onward_uptime_seconds", "",
              std::chrono::duration<double>(serving::Clock::now() - call.context.started).count());
  per_model(page, models, "onward_rejected_total", "counter", "Requests refused because the queue was full",
            [](const Observed& each) { return each.totals.rejected; });
  per_model(page, models, "onward_cancelled_total", "counter", "Requests whose client went away",
            [](const Observed& each) { return each.totals.cancelled; });
  latency(page, models);
  triton_names(page, models);
  call.respond(http::text_response(std::move(page.text), "text/plain; version=0.0.4; charset=utf-8"));
}

}  // namespace onward::server
