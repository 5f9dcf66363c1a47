#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "server/handlers/handlers.h"
#include "server/protocol/fanout.h"

namespace onward::server {
namespace {

using ir::Tensor;
using serving::ModelPtr;

// Waits for the outcomes of all models; the last one sends the answer.
class Collector {
 public:
  Collector(fanout::Request request, std::vector<fanout::Part> parts, http::Respond respond)
      : request_(std::move(request)), parts_(std::move(parts)), left_(parts_.size()), respond_(std::move(respond)) {}

  void add(size_t index, serving::Outcome outcome) {
    {
      const std::lock_guard lock(mutex_);
      parts_[index].outcome = std::move(outcome);
      if (--left_ > 0) return;
    }
    try {
      respond_(fanout::answer(request_, parts_));
    } catch (const Error& error) {
      respond_(http::error_response(error));
    }
  }

 private:
  const fanout::Request request_;
  std::mutex mutex_;
  std::vector<fanout::Part> parts_;
  size_t left_;
  http::Respond respond_;
};

struct Accepting {
  ModelPtr model;
  std::vector<Tensor> inputs;
};

// Models that the client named must all accept; otherwise those that do.
std::vector<Accepting> accepting_models(const std::vector<ModelPtr>& models, const fanout::Request& request) {
  std::vector<Accepting> accepting;
  std::string refusals;
  for (const ModelPtr& model : models) {
    try {
      accepting.push_back({model, fanout::inputs_for(*model, request)});
    } catch (const Error& error) {
      if (!request.models.empty()) throw error.within(fmt::format("model \"{}\" does not accept this", model->name()));
      refusals += fmt::format("{}\"{}\": {}", refusals.empty() ? "" : "; ", model->name(), error.message());
    }
  }
  if (accepting.empty()) fail_invalid("no served model accepts this input: " + refusals);
  return accepting;
}

std::vector<ModelPtr> asked_models(const serving::Repository& repository, const std::vector<std::string>& names) {
  if (names.empty()) {
    // Whether a parked model accepts the input shows only when it is loaded.
    if (const auto parked = repository.parked(); !parked.empty()) throw parked.front();
    return repository.models();
  }
  std::vector<ModelPtr> models;
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) != name) fail_invalid(fmt::format("model \"{}\" is named twice", *name));
    models.push_back(repository.find(*name));
  }
  return models;
}

}  // namespace

// POST /predict {"input": …} → {"<name>_prediction": …} of every model that accepts the input.
void predict(const Call& call) {
  const std::vector<ModelPtr> models = asked_models(call.context.repository, fanout::named_models(*call.request));
  fanout::Request request = fanout::read(*call.request, models);
  std::vector<Accepting> accepting = accepting_models(models, request);
  std::vector<fanout::Part> parts;
  for (const Accepting& each : accepting) parts.push_back({each.model, {}});
  const auto timeout = request.timeout;
  const auto collector = std::make_shared<Collector>(std::move(request), std::move(parts), call.respond);
  for (size_t i = 0; i < accepting.size(); ++i) {
    serving::Job job{.model = accepting[i].model, .inputs = std::move(accepting[i].inputs)};
    job.cancellation = call.request->cancellation;
    if (timeout.count() > 0) job.deadline = call.request->arrived + timeout;
    job.done = [collector, i](serving::Outcome outcome) { collector->add(i, std::move(outcome)); };
    call.context.scheduler.submit(std::move(job));
  }
}

}  // namespace onward::server
