#include "import/keras/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/error.h"

namespace onward::importer::keras {
namespace {

constexpr std::string_view kTensorClass = "__keras_tensor__";

bool is_model_class(std::string_view class_name) {
  return class_name == "Sequential" || class_name == "Functional" || class_name == "Model";
}

Json tensor_json(const Json& layer, const Json& call, const Json& tensor) {
  return Json::object({{"class_name", std::string(kTensorClass)},
                       {"config", Json::object({{"keras_history", Json::array({layer, call, tensor})}})}});
}

// Keras 2: ["layer", call, tensor], maybe with kwargs behind.
bool is_legacy_ref(const Json& json, const std::set<std::string>& layers) {
  return json.is_array() && (json.size() == 3 || json.size() == 4) && json[0].is_string() && json[1].is_int() &&
         json[2].is_int() && layers.count(json[0].as_string()) > 0;
}

// ["_CONSTANT_VALUE", -1, value, kwargs]
bool is_constant_ref(const Json& json) {
  return json.is_array() && json.size() >= 3 && json[0].is_string() && json[0].as_string() == "_CONSTANT_VALUE";
}

Json modernized(const Json& json, const std::set<std::string>& layers) {
  if (is_legacy_ref(json, layers)) return tensor_json(json[0], json[1], json[2]);
  if (json.is_array()) {
    Json::Array items;
    for (const Json& item : json.as_array()) items.push_back(modernized(item, layers));
    return Json(std::move(items));
  }
  if (json.is_object()) {
    Json::Object members;
    for (const Json::Member& member : json.as_object())
      members.emplace_back(member.first, modernized(member.second, layers));
    return Json::object(std::move(members));
  }
  return json;
}

// Layers whose call takes a list of tensors even when there is only one in it.
bool takes_list(std::string_view class_name) {
  static const std::set<std::string_view> kLists = {"Add",       "Subtract",         "Multiply", "Average",
                                                    "Maximum",   "Minimum",          "Dot",      "Concatenate",
                                                    "Attention", "AdditiveAttention"};
  return kLists.count(class_name) > 0;
}

Call read_legacy_call(const Json& node, const std::string& class_name, const std::set<std::string>& layers) {
  Call call{Json::array(), Json::object()};
  // A call whose first argument is a dict is written as a dict.
  if (node.is_object()) {
    call.args.push(modernized(node, layers));
    return call;
  }
  Json tensors = Json::array();
  const bool single = is_legacy_ref(node, layers) || is_constant_ref(node);
  const Json::Array items = single ? Json::Array{node} : node.as_array();
  for (const Json& item : items) {
    if (!is_legacy_ref(item, layers)) {
      if (is_constant_ref(item)) {
        tensors.push(item[2]);
      } else {
        fail_data("an inbound node names no layer of the model: " + item.dump().substr(0, 80));
      }
    } else {
      tensors.push(tensor_json(item[0], item[1], item[2]));
    }
    if (item.size() == 4 && item[3].is_object()) {
      const Json kwargs = modernized(item[3], layers);
      for (const Json::Member& member : kwargs.as_object()) call.kwargs.set(member.first, member.second);
    }
  }
  if (tensors.size() == 1 && !takes_list(class_name)) {
    call.args.push(tensors[0]);
  } else {
    call.args.push(std::move(tensors));
  }
  return call;
}

std::vector<Call> read_calls(const Json& nodes, const std::string& class_name, const std::set<std::string>& layers) {
  std::vector<Call> calls;
  if (nodes.is_null()) return calls;
  for (const Json& node : nodes.as_array()) {
    if (node.is_object() && node.contains("args")) {
      calls.push_back({node["args"], node["kwargs"].is_null() ? Json::object() : node["kwargs"]});
    } else {
      calls.push_back(read_legacy_call(node, class_name, layers));
    }
  }
  return calls;
}

void collect_refs(const Json& json, const std::set<std::string>& layers, std::vector<TensorRef>& refs,
                  std::vector<std::string>* keys) {
  if (is_tensor(json)) {
    refs.push_back(read_tensor_ref(json));
  } else if (is_legacy_ref(json, layers)) {
    refs.push_back({json[0].as_string(), static_cast<size_t>(json[1].as_int()), static_cast<size_t>(json[2].as_int())});
  } else if (json.is_array()) {
    for (const Json& item : json.as_array()) collect_refs(item, layers, refs, nullptr);
  } else if (json.is_object()) {
    Json::Object members = json.as_object();
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const Json::Member& member : members) {
      collect_refs(member.second, layers, refs, nullptr);
      if (keys != nullptr) keys->push_back(member.first);
    }
  } else {
    fail_data("the model's inputs or outputs name no layer");
  }
}

// In Keras 2 the first call of a nested model is its own making and is not listed, so references begin at 1.
void settle_call_numbers(Model& model) {
  std::set<std::string> shifted;
  const auto look = [&](const TensorRef& ref) {
    const Layer* layer = model.find(ref.layer);
    if (layer != nullptr && layer->model && ref.call >= layer->calls.size() && ref.call > 0) shifted.insert(ref.layer);
  };
  const std::function<void(const Json&)> scan = [&](const Json& json) {
    if (is_tensor(json)) return look(read_tensor_ref(json));
    if (json.is_array()) std::for_each(json.as_array().begin(), json.as_array().end(), scan);
    if (json.is_object()) {
      for (const Json::Member& member : json.as_object()) scan(member.second);
    }
  };
  for (const Layer& layer : model.layers) {
    for (const Call& call : layer.calls) {
      scan(call.args);
      scan(call.kwargs);
    }
  }
  for (const TensorRef& ref : model.outputs) look(ref);
  if (shifted.empty()) return;
  const auto shift = [&](TensorRef& ref) {
    if (shifted.count(ref.layer) > 0) --ref.call;
  };
  for (TensorRef& ref : model.outputs) shift(ref);
  const std::function<void(Json&)> rewrite = [&](Json& json) {
    if (is_tensor(json)) {
      TensorRef ref = read_tensor_ref(json);
      shift(ref);
      json = tensor_json(ref.layer, static_cast<int64_t>(ref.call), static_cast<int64_t>(ref.tensor));
    } else if (json.is_array()) {
      for (Json& item : json.as_array()) rewrite(item);
    } else if (json.is_object()) {
      for (Json::Member& member : json.as_object()) rewrite(member.second);
    }
  };
  for (Layer& layer : model.layers) {
    for (Call& call : layer.calls) {
      rewrite(call.args);
      rewrite(call.kwargs);
    }
  }
}

Model read_functional(const Json& config) {
  Model model;
  model.kind = Model::Kind::kFunctional;
  model.name = config.get("name", "");
  std::set<std::string> names;
  const auto name_of = [](const Json& layer) {
    return layer.contains("name") && layer["name"].is_string() ? layer["name"].as_string()
                                                               : layer.at("config").get("name", "");
  };
  for (const Json& layer : config.at("layers").as_array()) names.insert(name_of(layer));
  for (const Json& json : config.at("layers").as_array()) {
    Layer layer = read_layer(json);
    layer.name = name_of(json);
    layer.calls = read_calls(json["inbound_nodes"], layer.class_name, names);
    model.layers.push_back(std::move(layer));
  }
  collect_refs(config.at("input_layers"), names, model.inputs, &model.input_keys);
  collect_refs(config.at("output_layers"), names, model.outputs, &model.output_keys);
  settle_call_numbers(model);
  return model;
}

Model read_sequential(const Json& config) {
  Model model;
  // Keras before 2.2 wrote the bare list of layers.
  const Json& layers = config.is_array() ? config : config.at("layers");
  if (config.is_object()) model.name = config.get("name", "");
  if (config.is_object() && config.contains("build_input_shape") && layers.size() > 0 &&
      layers[0].at("class_name").as_string() != "InputLayer" && config["build_input_shape"].is_array()) {
    Layer input;
    input.class_name = "InputLayer";
    input.name = layers[0].at("config").get("name", "input") + "_input";
    input.config = Json::object({{"batch_shape", config["build_input_shape"]}});
    model.layers.push_back(std::move(input));
  }
  for (const Json& layer : layers.as_array()) model.layers.push_back(read_layer(layer));
  return model;
}

}  // namespace

const Layer* Model::find(std::string_view layer_name) const {
  const auto found =
      std::find_if(layers.begin(), layers.end(), [&](const Layer& layer) { return layer.name == layer_name; });
  return found != layers.end() ? &*found : nullptr;
}

bool is_tensor(const Json& json) {
  const Json* class_name = json.find("class_name");
  return class_name != nullptr && class_name->is_string() && class_name->as_string() == kTensorClass;
}

TensorRef read_tensor_ref(const Json& json) {
  const Json& history = json.at("config").at("keras_history");
  return {history[0].as_string(), static_cast<size_t>(history[1].as_int()), static_cast<size_t>(history[2].as_int())};
}

void for_each_tensor(const Json& json, const std::function<void(const TensorRef&)>& visit) {
  if (is_tensor(json)) {
    visit(read_tensor_ref(json));
  } else if (json.is_array()) {
    for (const Json& item : json.as_array()) for_each_tensor(item, visit);
  } else if (json.is_object()) {
    std::vector<const Json::Member*> members;
    for (const Json::Member& member : json.as_object()) members.push_back(&member);
    std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    for (const Json::Member* member : members) for_each_tensor(member->second, visit);
  }
}

bool is_operation(const Layer& layer) {
  if (!layer.module.empty()) return layer.module.rfind("keras.src.ops", 0) == 0;
  if (layer.registered_name.find('>') != std::string::npos) return false;  // a class of the user's
  // An .h5 names no module; every layer's config says whether it is trainable, an operator's doesn't.
  return layer.config.is_object() && !layer.config.contains("trainable") && !layer.config.contains("dtype") &&
         !layer.config.contains("layers") && !layer.config.contains("batch_input_shape");
}

Layer read_layer(const Json& json) {
  Layer layer;
  layer.class_name = json.at("class_name").as_string();
  layer.registered_name = json.get("registered_name", "");
  layer.module = json.get("module", "");
  layer.config = json.at("config");
  layer.build_config = json["build_config"];
  layer.shared = !json["shared_object_id"].is_null();
  layer.name = layer.config.is_object() ? layer.config.get("name", "") : "";
  // Keras 2 writes only the class; custom ones are then recognised by not being known.
  const size_t registered = layer.class_name.find('>');
  if (registered != std::string::npos) {
    layer.registered_name = layer.class_name;
    layer.class_name = layer.class_name.substr(registered + 1);
    layer.module = "custom";
  }
  if (is_model_class(layer.class_name) && (layer.config.is_array() || layer.config.contains("layers"))) {
    layer.model = std::make_shared<Model>(read_model(json));
  }
  return layer;
}

Model read_model(const Json& config) {
  const std::string& class_name = config.at("class_name").as_string();
  const Json& inner = config.at("config");
  if (class_name == "Sequential") return read_sequential(inner);
  if (is_model_class(class_name) || (inner.contains("layers") && inner.contains("output_layers"))) {
    return read_functional(inner);
  }
  fail_unsupported(
      fmt::format("the model is of the custom class {}, whose graph is not in the file", class_name),
      "save it as a SavedModel (model.export(\"folder\")) and convert that, or convert through your own code: "
      "onward convert weights.h5 --class module:function");
}

}  // namespace onward::importer::keras
