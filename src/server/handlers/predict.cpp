#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "server/handlers/handlers.h"
#include "server/protocol/json_reader.h"
#include "server/protocol/json_tensor.h"
#include "serving/layout.h"

namespace onward::server {
namespace {

using ir::DType;
using ir::Tensor;
using serving::ModelPtr;

struct Fanout {
  std::optional<Tensor> input;
  std::map<std::string, Tensor> named;  // "inputs": by input name
  std::vector<std::string> models;      // empty: every one that accepts the input
  std::chrono::milliseconds timeout{0};
  bool partial = false;
};

// The type to read numbers as: what all candidates want, else doubles, from which each model's are made.
DType reading_type(JsonReader reader, const std::vector<ModelPtr>& models) {
  while (reader.peek() == JsonReader::Kind::kArray) {
    reader.open_array();
    if (!reader.next_item()) break;
  }
  if (reader.peek() == JsonReader::Kind::kString || reader.peek() == JsonReader::Kind::kObject) return DType::kString;
  std::set<DType> types;
  for (const ModelPtr& model : models) {
    for (const runtime::ValueInfo& input : model->session().inputs()) {
      if (input.dtype != DType::kString) types.insert(input.dtype);
    }
  }
  return types.size() == 1 ? *types.begin() : DType::kDouble;
}

Fanout read_fanout(const Bytes& body, const std::vector<ModelPtr>& models) {
  Fanout fanout;
  JsonReader reader(body.text());
  std::string key;
  reader.open_object();
  while (reader.next_key(key)) {
    if (key == "input") {
      fanout.input = read_tensor(reader, reading_type(reader, models), "\"input\"");
    } else if (key == "inputs") {
      std::string name;
      reader.open_object();
      while (reader.next_key(name)) {
        fanout.named[name] = read_tensor(reader, reading_type(reader, models), "input \"" + name + "\"");
      }
    } else if (key == "models") {
      reader.open_array();
      while (reader.next_item()) fanout.models.push_back(reader.string());
    } else if (key == "timeout_ms") {
      fanout.timeout = std::chrono::milliseconds(std::clamp<int64_t>(reader.integer(), 0, 86'400'000));
    } else if (key == "partial") {
      fanout.partial = reader.boolean();
    } else {
      reader.fail(fmt::format("unknown key \"{}\"; there are input, inputs, models, timeout_ms and partial", key));
    }
  }
  reader.finish();
  if (fanout.input.has_value() == !fanout.named.empty()) {
    fail_invalid(R"(the body needs either "input" or "inputs")", R"(send {"input": [[…]]})");
  }
  return fanout;
}

Tensor suited(const Tensor& tensor, const runtime::ValueInfo& wanted) {
  const auto fitted = serving::fit(tensor, wanted.shape);
  if (!fitted) {
    fail_invalid(fmt::format("its input \"{}\" has shape {}, got {}", wanted.name, ir::shape_text(wanted.shape),
                             ir::shape_text(ir::to_shape(tensor.dims()))));
  }
  return convert_exactly(*fitted, wanted.dtype, "its input \"" + wanted.name + "\"");
}

// The request's tensors in the model's order; throws Error with the reason when the model does not accept them.
std::vector<Tensor> inputs_for(const serving::Model& model, const Fanout& fanout) {
  const auto& infos = model.session().inputs();
  if (fanout.input) {
    if (infos.size() != 1) fail_invalid(fmt::format("it has {} inputs", infos.size()), "name them under \"inputs\"");
    return {suited(*fanout.input, infos.front())};
  }
  std::vector<Tensor> inputs;
  for (const runtime::ValueInfo& info : infos) {
    const auto given = fanout.named.find(info.name);
    if (given == fanout.named.end()) fail_invalid(fmt::format("its input \"{}\" is missing", info.name));
    inputs.push_back(suited(given->second, info));
  }
  if (fanout.named.size() != infos.size()) fail_invalid("it lacks some of the given inputs");
  return inputs;
}

// Collects the answers of all models; the last one sends them.
class Collector {
 public:
  Collector(size_t count, bool partial, http::Respond respond)
      : parts_(count), left_(count), partial_(partial), respond_(std::move(respond)) {}

  void add(size_t index, const serving::Model& model, const serving::Outcome& outcome) {
    std::string part;
    if (!outcome.error) {
      part = index == 0 ? "" : ",";
      write_json_string(part, model.name() + "_prediction");
      part += ':';
      write_outputs(part, model, outcome.outputs);
    }
    std::unique_lock lock(mutex_);
    if (outcome.error) {
      errors_.set(model.name(), outcome.error->message());
      if (!first_error_) first_error_ = outcome.error->within(fmt::format("model \"{}\"", model.name()));
    }
    parts_[index] = std::move(part);
    if (--left_ > 0) return;
    lock.unlock();
    send();
  }

 private:
  static void write_outputs(std::string& out, const serving::Model& model, const std::vector<Tensor>& outputs) {
    if (outputs.size() == 1) return write_tensor(out, outputs.front());
    for (size_t i = 0; i < outputs.size(); ++i) {
      out += i == 0 ? "{" : ",";
      write_json_string(out, model.session().outputs()[i].name);
      out += ':';
      write_tensor(out, outputs[i]);
    }
    out += '}';
  }

  void send() {
    const bool any = std::any_of(parts_.begin(), parts_.end(), [](const std::string& part) { return !part.empty(); });
    if (first_error_ && !(partial_ && any)) return respond_(http::error_response(*first_error_));
    http::Response response;
    response.body.push_back(Bytes::from_string("{"));
    bool first = true;
    for (std::string& part : parts_) {
      if (part.empty()) continue;
      if (first && part.front() == ',') part.front() = ' ';
      first = false;
      response.body.push_back(Bytes::from_string(std::move(part)));
    }
    response.body.push_back(Bytes::from_string(first_error_ ? ",\"errors\":" + errors_.dump() + "}" : "}"));
    respond_(std::move(response));
  }

  std::mutex mutex_;
  std::vector<std::string> parts_;
  size_t left_;
  bool partial_;
  http::Respond respond_;
  Json errors_ = Json::object();
  std::optional<Error> first_error_;
};

struct Accepting {
  ModelPtr model;
  std::vector<Tensor> inputs;
};

// Models that the client named must all accept; otherwise those that do.
std::vector<Accepting> accepting_models(const serving::Repository& repository, const Fanout& fanout,
                                        std::vector<ModelPtr> models) {
  if (!fanout.models.empty()) {
    models.clear();
    for (const std::string& name : fanout.models) models.push_back(repository.find(name));
  }
  std::vector<Accepting> accepting;
  std::string refusals;
  for (const ModelPtr& model : models) {
    try {
      accepting.push_back({model, inputs_for(*model, fanout)});
    } catch (const Error& error) {
      if (!fanout.models.empty()) throw error.within(fmt::format("model \"{}\" does not accept this", model->name()));
      refusals += fmt::format("{}\"{}\": {}", refusals.empty() ? "" : "; ", model->name(), error.message());
    }
  }
  if (accepting.empty()) fail_invalid("no served model accepts this input: " + refusals);
  return accepting;
}

}  // namespace

// POST /predict {"input": …} → {"<name>_prediction": …} of every model that accepts the input.
void predict(const Call& call) {
  const std::vector<ModelPtr> models = call.context.repository.models();
  const Fanout fanout = read_fanout(call.request->body, models);
  std::vector<Accepting> accepting = accepting_models(call.context.repository, fanout, models);
  const auto collector = std::make_shared<Collector>(accepting.size(), fanout.partial, call.respond);
  for (size_t i = 0; i < accepting.size(); ++i) {
    serving::Job job;
    job.model = accepting[i].model;
    job.inputs = std::move(accepting[i].inputs);
    job.cancellation = call.request->cancellation;
    if (fanout.timeout.count() > 0) job.deadline = call.request->arrived + fanout.timeout;
    job.done = [collector, i, model = accepting[i].model](serving::Outcome outcome) {
      collector->add(i, *model, outcome);
    };
    call.context.scheduler.submit(std::move(job));
  }
}

}  // namespace onward::server
