#include "import/keras/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "import/keras/context.h"
#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

constexpr const char* kCustomHint =
    "Layers of your own, and Lambda layers, hold Python code that a model file does not carry in a usable form. Either "
    "export the "
    "model as a SavedModel (model.export(\"folder\")) and convert that, or let your own Python do it: onward convert "
    "weights.h5 "
    "--class module:function";

Error unknown_layer(const Layer& layer) {
  if (layer.class_name == "Lambda") {
    return Error(Code::kUnimplemented, "a Lambda layer holds Python bytecode, which is never run", kCustomHint);
  }
  const bool custom = !layer.registered_name.empty() || layer.module.rfind("keras", 0) != 0;
  return Error(Code::kUnimplemented,
               fmt::format("{} is {}", layer.class_name, custom ? "a custom layer" : "a layer that is not supported"),
               kCustomHint);
}

// The references of a call's arguments.
void collect_refs(const Json& json, std::vector<TensorRef>& refs) {
  if (is_tensor(json)) {
    refs.push_back(read_tensor_ref(json));
  } else if (json.is_array()) {
    for (const Json& item : json.as_array()) collect_refs(item, refs);
  } else if (json.is_object()) {
    for (const Json::Member& member : json.as_object()) collect_refs(member.second, refs);
  }
}

using Key = std::pair<std::string, size_t>;  // layer and call

struct Pending {
  const Layer* layer;
  const Call* call;
  Key key;
  std::vector<TensorRef> needs;
};

}  // namespace

ir::Values GraphBuilder::build(const Model& model, const ir::Values& inputs, const std::string& path) {
  return model.kind == Model::Kind::kSequential ? build_sequential(model, inputs, path)
                                                : build_functional(model, inputs, path);
}

ir::Values GraphBuilder::block(const Layer& layer, const std::string& path, const Error& error) {
  const ir::Origin origin{layer.class_name, layer_path(path, layer), ""};
  blockers_.add(origin, error);
  return b_.foreign("keras", layer.class_name, {}, 1);
}

ir::Values GraphBuilder::call(const Layer& layer, const Call& call, const std::string& path, const Resolve& resolve) {
  std::vector<TensorRef> needs;
  collect_refs(call.args, needs);
  collect_refs(call.kwargs, needs);
  ir::Values given;
  for (const TensorRef& ref : needs) given.push_back(resolve(ref));
  const std::string own = layer_path(path, layer);
  b_.set_origin(std::make_shared<ir::Origin>(ir::Origin{layer.class_name, own, ""}));
  if (layer.model) return build(*layer.model, given, own);
  const LayerOp* op = op_table().find(layer.class_name);
  const bool foreign_class = !layer.registered_name.empty() && layer.module.rfind("keras", 0) != 0;
  if (op == nullptr || foreign_class) return block(layer, path, unknown_layer(layer));
  if (depends_on_untranslated(given)) return b_.foreign("keras", layer.class_name, given, 1);
  try {
    Context context(b_, layer, call, own, weights_, weight_values_, resolve);
    return op->translate(context);
  } catch (const Error& error) {
    return block(layer, path, error);
  }
}

ir::Values GraphBuilder::build_sequential(const Model& model, const ir::Values& inputs, const std::string& path) {
  ir::Values values = inputs;
  for (const Layer& layer : model.layers) {
    if (layer.class_name == "InputLayer") continue;
    Json refs = Json::array();
    for (size_t i = 0; i < values.size(); ++i) {
      refs.push(
          Json::object({{"class_name", "__keras_tensor__"},
                        {"config", Json::object({{"keras_history", Json::array({"", 0, static_cast<int64_t>(i)})}})}}));
    }
    const Call step{Json::array({values.size() == 1 ? refs[0] : refs}), Json::object()};
    const ir::Values previous = values;
    values = call(layer, step, path, [&previous](const TensorRef& ref) { return previous.at(ref.tensor); });
  }
  return values;
}

ir::Values GraphBuilder::build_functional(const Model& model, const ir::Values& inputs, const std::string& path) {
  std::map<Key, ir::Values> known;
  if (inputs.size() != model.inputs.size()) {
    fail_data(fmt::format("model \"{}\" is called with {} inputs where it has {}", model.name, inputs.size(),
                          model.inputs.size()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) known[{model.inputs[i].layer, model.inputs[i].call}] = {inputs[i]};
  const Resolve resolve = [&](const TensorRef& ref) -> ir::Value* {
    const auto found = known.find({ref.layer, ref.call});
    if (found == known.end() || ref.tensor >= found->second.size()) {
      fail_data(fmt::format("tensor {} of call {} of layer \"{}\" is never computed", ref.tensor, ref.call, ref.layer));
    }
    return found->second[ref.tensor];
  };
  std::vector<Pending> pending;
  for (const Layer& layer : model.layers) {
    for (size_t i = 0; i < layer.calls.size(); ++i) {
      Pending task{&layer, &layer.calls[i], {layer.name, i}, {}};
      collect_refs(layer.calls[i].args, task.needs);
      collect_refs(layer.calls[i].kwargs, task.needs);
      if (known.count(task.key) == 0) pending.push_back(std::move(task));
    }
  }
  while (!pending.empty()) {
    std::vector<Pending> later;
    for (Pending& task : pending) {
      const bool ready = std::all_of(task.needs.begin(), task.needs.end(), [&](const TensorRef& ref) {
        return known.count({ref.layer, ref.call}) > 0;
      });
      if (ready) {
        known[task.key] = call(*task.layer, *task.call, path, resolve);
      } else {
        later.push_back(std::move(task));
      }
    }
    if (later.size() == pending.size()) break;  // what is left belongs to calls outside this model
    pending = std::move(later);
  }
  ir::Values outputs;
  for (const TensorRef& ref : model.outputs) {
    const auto found = known.find({ref.layer, ref.call});
    const bool blocked = found != known.end() && !found->second.empty() && is_untranslated(found->second.front());
    outputs.push_back(blocked ? found->second.front() : resolve(ref));
  }
  return outputs;
}

}  // namespace onward::importer::keras
