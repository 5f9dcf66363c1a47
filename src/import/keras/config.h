// A Keras model's config in one form, whichever Keras wrote it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"

namespace onward::importer::keras {

// One tensor of a functional graph: output `tensor` of call `call` of the layer `layer`.
struct TensorRef {
  std::string layer;
  size_t call = 0;
  size_t tensor = 0;
};

// One call of a layer. Tensors among the arguments are objects {"class_name": "__keras_tensor__", "config":
// {"keras_history": […]}} as Keras 3 writes them; Keras 2's lists are brought to that form.
struct Call {
  Json args;    // array
  Json kwargs;  // object
};

struct Model;

struct Layer {
  std::string class_name;  // "Conv2D"; a registered custom class keeps its full registered name in `registered_name`
  std::string registered_name;
  std::string module;
  std::string name;
  Json config;
  Json build_config;
  bool shared = false;  // the object was written before, in another place of the config
  std::vector<Call> calls;
  std::shared_ptr<Model> model;  // nested Sequential or Functional
};

struct Model {
  enum class Kind { kSequential, kFunctional };
  Kind kind = Kind::kSequential;
  std::string name;
  std::vector<Layer> layers;
  // The structure of inputs and outputs flattened in Keras' order (dicts by sorted key).
  std::vector<TensorRef> inputs;
  std::vector<TensorRef> outputs;
  std::vector<std::string> output_keys;  // of a dict of outputs, else empty
  std::vector<std::string> input_keys;   // of a dict of inputs, else empty

  const Layer* find(std::string_view layer_name) const;
};

// `config` is the whole serialized model, {"class_name", "config", …}. Throws Error(kUnimplemented) for a subclassed
// model (which has no graph in the file), Error(kDataLoss) for a config that contradicts itself.
Model read_model(const Json& config);

// A reference where `json` is one.
bool is_tensor(const Json& json);
TensorRef read_tensor_ref(const Json& json);
// Calls `visit` for every reference in a structure, in Keras' order: lists as they are, dicts by sorted key.
void for_each_tensor(const Json& json, const std::function<void(const TensorRef&)>& visit);
// Whether the layer is an operator on symbolic tensors (keras.ops.*), not a layer proper.
bool is_operation(const Layer& layer);

// Layer names that a wrapper or nested value holds: {"class_name", "config"} → a Layer.
Layer read_layer(const Json& json);

}  // namespace onward::importer::keras
