#include "import/keras/keras.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "formats/hdf5/file.h"
#include "formats/zip.h"
#include "import/common/blockers.h"
#include "import/keras/graph_builder.h"

namespace onward::importer {
namespace {

using keras::Layer;
using keras::Model;

constexpr std::string_view kBatch = "batch";

struct Loaded {
  Model model;
  keras::Weights weights;
  keras::Assets assets;
  std::string version;
};

Json parse_config(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Error& error) {
    throw error.within("the model's config");
  }
}

Loaded load_archive(const Bytes& file, const std::string& name) {
  const zip::Archive archive = zip::Archive::open(file, name);
  Loaded loaded;
  loaded.model = keras::read_model(parse_config(archive.read("config.json").text()));
  const Json metadata = archive.contains("metadata.json") ? parse_config(archive.read("metadata.json").text()) : Json();
  loaded.version = metadata.get("keras_version", "");
  if (!archive.contains("model.weights.h5")) fail_data("the archive has no model.weights.h5");
  const hdf5::File weights = hdf5::File::open(archive.read("model.weights.h5", zip::Check::kNone), name);
  loaded.weights = keras::read_archive_weights(weights, loaded.model);
  loaded.assets = keras::read_archive_assets(archive, loaded.model);
  return loaded;
}

Loaded load_h5(const Bytes& file, const std::string& name) {
  const hdf5::File h5 = hdf5::File::open(file, name);
  const hdf5::Object root = h5.at("");
  const std::optional<std::string> config = root.text("model_config");
  if (!config) {
    const bool weights = root.attribute("layer_names") || root.attribute("layer_names0") || h5.find("layers");
    fail_invalid(
        weights ? "the file holds only weights, not the model itself"
                : "an HDF5 file, but not one that Keras wrote (it has no model_config)",
        weights
            ? "save the whole model (model.save(\"model.keras\")), or convert it through your own code: onward convert "
              "weights.h5 --class module:function"
            : "save the model with model.save(\"model.keras\")");
  }
  Loaded loaded;
  loaded.model = keras::read_model(parse_config(*config));
  loaded.version = root.text("keras_version").value_or("2");
  loaded.weights = keras::read_h5_weights(h5, loaded.model);
  return loaded;
}

ir::DType input_dtype(const Layer& layer, const Options& options) {
  const Json& given = layer.config["dtype"];
  std::string name = "float32";
  if (given.is_string()) name = given.as_string();
  if (given.is_object()) name = given["config"].get("name", "float32");
  if (name.rfind("mixed_", 0) == 0) name = "float32";
  const auto dtype = ir::dtype_from_name(name);
  if (!dtype) fail_unsupported("an input of dtype " + name);
  check_dtype(options, layer.name, *dtype);
  return *dtype;
}

ir::Shape input_shape(const Layer& layer, const Options& options, const std::string& name) {
  const auto given = options.input_dims.find(name);
  if (given != options.input_dims.end()) return given->second;
  const Json* shape = nullptr;
  for (const char* key : {"batch_shape", "batch_input_shape"}) {
    if (const Json* found = layer.config.find(key); found != nullptr && found->is_array()) shape = found;
  }
  if (shape == nullptr) {
    fail_invalid("input \"" + name + "\" has no shape in the file", "give it with --input \"" + name + "=-1,…\"");
  }
  ir::Shape dims;
  for (const Json& dim : shape->as_array()) {
    if (!dim.is_null()) {
      dims.emplace_back(dim.as_int());
    } else {
      dims.emplace_back(dims.empty() ? std::string(kBatch) : fmt::format("{}_dim_{}", name, dims.size()));
    }
  }
  return dims;
}

// The layers that stand for the model's inputs. A Sequential may have none: its first layer then carries the shape.
std::vector<Layer> input_layers(const Model& model) {
  std::vector<Layer> layers;
  if (model.kind == Model::Kind::kFunctional) {
    for (const keras::TensorRef& ref : model.inputs) {
      const Layer* layer = model.find(ref.layer);
      if (layer == nullptr) fail_data("the input layer \"" + ref.layer + "\" is missing");
      layers.push_back(*layer);
    }
    return layers;
  }
  if (model.layers.empty()) fail_data("the model has no layers");
  Layer first = model.layers.front();
  if (first.class_name == "InputLayer") return {first};
  if (first.model) return input_layers(*first.model);
  first.name += "_input";
  if (!first.config.contains("batch_input_shape") && first.build_config["input_shape"].is_array()) {
    first.config.set("batch_shape", first.build_config["input_shape"]);
  }
  return {first};
}

std::vector<std::string> output_names(const Model& model) {
  std::vector<std::string> names;
  if (!model.output_keys.empty()) return model.output_keys;
  if (model.kind == Model::Kind::kSequential) return {model.layers.back().name};
  std::set<std::string> used;
  for (const keras::TensorRef& ref : model.outputs) {
    std::string name = ref.layer;
    for (int i = 1; !used.insert(name).second; ++i) name = ref.layer + "_" + std::to_string(i);
    names.push_back(name);
  }
  return names;
}

void check_input_names(const Options& options, const std::vector<Layer>& inputs) {
  for (const auto& [name, dims] : options.input_dims) {
    std::string known;
    bool found = false;
    for (const Layer& layer : inputs) {
      found = found || layer.name == name;
      known += (known.empty() ? "" : ", ") + layer.name;
    }
    if (!found) fail_invalid("the model has no input \"" + name + "\"", "its inputs are: " + known);
  }
}

}  // namespace

ir::Model read_keras(const Bytes& file, const std::string& name, const Options& options,
                     const ir::Inference& inference) {
  const Loaded loaded = hdf5::looks_like_hdf5(file.view()) ? load_h5(file, name) : load_archive(file, name);
  ir::Model model;
  model.producer = "keras " + loaded.version;
  model.graph->name = loaded.model.name;
  const std::vector<Layer> inputs = input_layers(loaded.model);
  check_input_names(options, inputs);
  ir::Values values;
  for (const Layer& layer : inputs) {
    values.push_back(
        model.graph->add_input(layer.name, input_dtype(layer, options), input_shape(layer, options, layer.name)));
  }
  ir::Builder builder(*model.graph, inference);
  Blockers blockers;
  keras::Session session{builder, loaded.weights, loaded.assets, blockers, !loaded.version.starts_with('3')};
  const ir::Values outputs = keras::GraphBuilder(session).build(loaded.model, values, "");
  blockers.throw_if_any(name);
  const std::vector<std::string> names = output_names(loaded.model);
  for (size_t i = 0; i < outputs.size(); ++i) {
    model.graph->add_output(outputs[i], i < names.size() ? names[i] : "output_" + std::to_string(i));
  }
  return model;
}

}  // namespace onward::importer
