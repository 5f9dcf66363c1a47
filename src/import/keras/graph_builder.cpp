#include "import/keras/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "import/keras/custom.h"
#include "import/keras/operations.h"
#include "import/keras/refused.h"

namespace onward::importer::keras {
namespace {

constexpr const char* kCustomHint =
    "Layers of your own, and Lambda layers, hold Python code that a model file does not carry in a usable form. Either "
    "export the model as a SavedModel (model.export(\"folder\")) and convert that, or let your own Python do it: "
    "onward "
    "convert weights.h5 --class module:function";

Error unknown_layer(const Layer& layer) {
  const auto refused = refused_layers().find(layer.class_name);
  if (refused != refused_layers().end()) {
    return Error(Code::kUnimplemented, fmt::format("{} {}", layer.class_name, refused->second), kCustomHint);
  }
  const bool custom = !layer.registered_name.empty() || layer.module.rfind("keras", 0) != 0;
  return Error(Code::kUnimplemented,
               fmt::format("{} is {}", layer.class_name, custom ? "a custom layer" : "a layer that is not supported"),
               kCustomHint);
}

// For an index or a size that the layer's own code did not expect.
Error contradiction(const Layer& layer) {
  return Error(Code::kUnimplemented, fmt::format("[{}] its config and weights do not fit its inputs", layer.class_name),
               "load the model in Keras to see whether the file is sound; sizes that are not known can be given with "
               "--input NAME=DIMS");
}

using Key = std::pair<std::string, size_t>;  // layer and call

struct Pending {
  const Layer* layer;
  const Call* call;
  Key key;
  std::vector<TensorRef> needs;
};

std::vector<TensorRef> needs_of(const Call& call) {
  std::vector<TensorRef> needs;
  const auto add = [&](const TensorRef& ref) { needs.push_back(ref); };
  for_each_tensor(call.args, add);
  for_each_tensor(call.kwargs, add);
  return needs;
}

// The leaves of a structure of masks, null where one is None.
void flatten_masks(const Json& json, const Resolve& resolve, ir::Values& masks) {
  if (json.is_array()) {
    for (const Json& item : json.as_array()) flatten_masks(item, resolve, masks);
  } else {
    masks.push_back(is_tensor(json) ? resolve(read_tensor_ref(json)) : nullptr);
  }
}

// A dict of arguments whose keys are the model's inputs, in the model's order.
const Json& ordered(const Json& argument, const Model& model, Json& store) {
  if (!argument.is_object() || is_tensor(argument) || !model.input_keys.empty()) return argument;
  store = Json::array();
  for (const TensorRef& input : model.inputs) {
    if (!argument.contains(input.layer)) return argument;
    store.push(argument[input.layer]);
  }
  return store;
}

}  // namespace

ir::Values GraphBuilder::build(const Model& model, const ir::Values& inputs, const std::string& path) {
  return model.kind == Model::Kind::kSequential ? build_sequential(model, inputs, path)
                                                : build_functional(model, inputs, path);
}

ir::Values GraphBuilder::block(const Layer& layer, const std::string& path, const Error& error) {
  const ir::Origin origin{layer.class_name, path, ""};
  session_.blockers.add(origin, error);
  return b_.foreign("keras", layer.class_name, {}, 1);
}

ir::Values GraphBuilder::call_model(const Layer& layer, const Call& call, const std::string& path,
                                    const Resolve& resolve) {
  ir::Values given;
  Json store;
  const Json& argument = call.args.size() > 0     ? call.args[0]
                         : call.kwargs.size() > 0 ? call.kwargs.as_object().front().second
                                                  : call.args;
  for_each_tensor(ordered(argument, *layer.model, store), [&](const TensorRef& ref) { given.push_back(resolve(ref)); });
  if (const Json* mask = call.kwargs.find("mask"); mask != nullptr && !mask->is_null()) {
    ir::Values masks;
    flatten_masks(*mask, resolve, masks);
    for (size_t i = 0; i < masks.size() && i < given.size(); ++i) {
      if (masks[i] != nullptr) session_.masks[given[i]] = masks[i];
    }
  }
  return build(*layer.model, given, path);
}

ir::Values GraphBuilder::call(const Layer& layer, const Call& call, const std::string& path, const Resolve& resolve) {
  b_.set_origin(std::make_shared<ir::Origin>(ir::Origin{layer.class_name, path, ""}));
  if (layer.model) return call_model(layer, call, path, resolve);
  ir::Values given;
  for (const TensorRef& ref : needs_of(call)) given.push_back(resolve(ref));
  const bool blocked = depends_on_untranslated(given);
  if (!blocked || (!is_operator(layer) && op_of(layer) == nullptr)) {
    return translate(layer, call, path, resolve);
  }
  return b_.foreign("keras", layer.class_name, given, 1);
}

ir::Values GraphBuilder::translate(const Layer& layer, const Call& call, const std::string& path,
                                   const Resolve& resolve) {
  if (is_operator(layer)) {
    try {
      return translate_operator(session_, layer, call, resolve);
    } catch (const Error& error) {
      return block(layer, path, error);
    } catch (const std::logic_error&) {
      return block(layer, path, contradiction(layer));
    } catch (const std::bad_optional_access&) {
      return block(layer, path, contradiction(layer));
    }
  }
  const LayerOp* op = op_of(layer);
  if (op == nullptr) return block(layer, path, unknown_layer(layer));
  // Keras casts floating inputs to the dtype that the layer computes in.
  const ir::DType dtype = layer.class_name == "InputLayer" ? ir::DType::kUndefined : compute_dtype_of(layer);
  std::map<const ir::Value*, ir::Value*> casts;
  const Resolve autocast = [&](const TensorRef& ref) {
    ir::Value* value = resolve(ref);
    if (dtype == ir::DType::kUndefined || !ir::is_floating(value->dtype) || value->dtype == dtype) return value;
    ir::Value*& cast = casts[value];
    if (cast == nullptr) cast = b_.Cast(value, dtype);
    if (const auto mask = session_.masks.find(value); mask != session_.masks.end()) session_.masks[cast] = mask->second;
    return cast;
  };
  try {
    Context context(*this, session_, layer, call, path, autocast);
    ir::Values results = op->translate(context);
    if (op->masking == Masking::kPassed) {
      for (ir::Value* result : results) context.set_mask(result, context.mask());
    }
    return results;
  } catch (const Error& error) {
    return block(layer, path, error);
  } catch (const std::logic_error&) {
    return block(layer, path, contradiction(layer));
  } catch (const std::bad_optional_access&) {
    return block(layer, path, contradiction(layer));
  }
}

ir::Values GraphBuilder::build_sequential(const Model& model, const ir::Values& inputs, const std::string& path) {
  ir::Values values = inputs;
  for (const Layer& layer : model.layers) {
    if (layer.class_name == "InputLayer") continue;
    Json refs = Json::array();
    for (size_t i = 0; i < values.size(); ++i) refs.push(anonymous_tensor(i));
    const Call step{Json::array({values.size() == 1 ? refs[0] : refs}), Json::object()};
    const ir::Values previous = values;
    values = call(layer, step, layer_path(path, layer),
                  [&previous](const TensorRef& ref) { return previous.at(ref.tensor); });
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
    // What follows something untranslated has one result, whatever it should have.
    if (found != known.end() && !found->second.empty() && is_untranslated(found->second.front())) {
      return found->second.front();
    }
    if (found == known.end() || ref.tensor >= found->second.size()) {
      fail_data(fmt::format("tensor {} of call {} of layer \"{}\" is never computed", ref.tensor, ref.call, ref.layer));
    }
    return found->second[ref.tensor];
  };
  std::vector<Pending> pending;
  for (const Layer& layer : model.layers) {
    for (size_t i = 0; i < layer.calls.size(); ++i) {
      Pending task{&layer, &layer.calls[i], {layer.name, i}, needs_of(layer.calls[i])};
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
        known[task.key] = call(*task.layer, *task.call, layer_path(path, *task.layer), resolve);
      } else {
        later.push_back(std::move(task));
      }
    }
    if (later.size() == pending.size()) break;  // what is left belongs to calls outside this model
    pending = std::move(later);
  }
  ir::Values outputs;
  for (const TensorRef& ref : model.outputs) outputs.push_back(resolve(ref));
  return outputs;
}

}  // namespace onward::importer::keras
