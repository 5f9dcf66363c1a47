#include "import/keras/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

ir::Tensor to_tensor(const Array& array, const std::string& what) {
  if (array.dtype == "string") return ir::Tensor::of_strings(array.shape, array.strings);
  const auto dtype = ir::dtype_from_name(array.dtype);
  if (!dtype) fail_unsupported(what + ": weights of dtype " + array.dtype);
  return {*dtype, array.shape, array.data};
}

// Keras' naming.to_snake_case: "Conv2DTranspose" → "conv2d_transpose".
std::string snake_case(std::string_view name) {
  std::string kept;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') kept.push_back(c);
  }
  const auto upper = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
  const auto lower = [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; };
  std::string out;
  for (size_t i = 0; i < kept.size(); ++i) {
    // A capital before a small letter begins a word, and so does a capital after a small letter or digit.
    const bool word = i > 0 && upper(kept[i]) && ((i + 1 < kept.size() && lower(kept[i + 1])) || lower(kept[i - 1]));
    if (word) out.push_back('_');
    out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(kept[i]))));
  }
  return out;
}

std::vector<Variable> variables_of(const Layer& layer) {
  const LayerOp* op = op_table().find(layer.class_name);
  return op != nullptr && op->variables != nullptr ? op->variables(layer) : std::vector<Variable>{};
}

std::string variable_key(const std::string& path, const Variable& variable) {
  return path + (variable.child.empty() ? "" : "/" + variable.child) + "/" + variable.name;
}

void read_archive_layers(const hdf5::Object& group, const Model& model, const std::string& path, Weights& weights) {
  std::map<std::string, int> used;
  const std::optional<hdf5::Object> container = group.member("layers");
  for (const Layer& layer : model.layers) {
    if (model.kind == Model::Kind::kSequential && layer.class_name == "InputLayer") continue;
    std::string name = snake_case(layer.class_name);
    if (const int count = used[name]++; count > 0) name += "_" + std::to_string(count);
    const std::optional<hdf5::Object> home = container ? container->member(name) : std::nullopt;
    if (!home) continue;
    const std::string own = layer_path(path, layer);
    if (layer.model) {
      read_archive_layers(*home, *layer.model, own, weights);
      continue;
    }
    std::map<std::string, int> next;
    for (const Variable& variable : variables_of(layer)) {
      const std::string place =
          (variable.child.empty() ? "" : variable.child + "/") + "vars/" + std::to_string(next[variable.child]++);
      const std::optional<hdf5::Object> dataset = hdf5::File::find_from(*home, place);
      if (dataset) weights.emplace(variable_key(own, variable), to_tensor(dataset->read(), own));
    }
  }
}

struct Slot {
  std::string key;
  bool trainable;
};

// The variables of a layer, or of all layers of a nested model, in order.
void collect_slots(const Layer& layer, const std::string& path, bool trainable, std::vector<Slot>& slots) {
  const std::string own = layer_path(path, layer);
  const bool open = trainable && (!layer.config.is_object() || layer.config.get("trainable", true));
  if (layer.model) {
    for (const Layer& inner : layer.model->layers) collect_slots(inner, own, open, slots);
    return;
  }
  for (const Variable& variable : variables_of(layer)) {
    slots.push_back({variable_key(own, variable), open && variable.trainable});
  }
}

std::vector<std::string> split_attribute(const hdf5::Object& group, const std::string& name) {
  std::vector<std::string> all;
  if (const std::optional<Array> whole = group.attribute(name)) return whole->strings;
  for (int part = 0;; ++part) {
    const std::optional<Array> piece = group.attribute(name + std::to_string(part));
    if (!piece) return all;
    all.insert(all.end(), piece->strings.begin(), piece->strings.end());
  }
}

}  // namespace

std::string layer_path(const std::string& path, const Layer& layer) {
  return path.empty() ? layer.name : path + "/" + layer.name;
}

Weights read_archive_weights(const hdf5::File& file, const Model& model) {
  Weights weights;
  read_archive_layers(file.at(""), model, "", weights);
  return weights;
}

Weights read_h5_weights(const hdf5::File& file, const Model& model) {
  Weights weights;
  const hdf5::Object root = file.at("model_weights");
  for (const Layer& layer : model.layers) {
    const std::optional<hdf5::Object> group = root.member(layer.name);
    if (!group) continue;
    std::vector<Slot> slots;
    collect_slots(layer, "", true, slots);
    std::stable_partition(slots.begin(), slots.end(), [](const Slot& slot) { return slot.trainable; });
    const std::vector<std::string> names = split_attribute(*group, "weight_names");
    if (slots.empty()) continue;
    if (names.size() != slots.size()) {
      fail_data(fmt::format("layer \"{}\" ({}) has {} weights in the file, {} are expected", layer.name,
                            layer.class_name, names.size(), slots.size()));
    }
    for (size_t i = 0; i < names.size(); ++i) {
      const std::optional<hdf5::Object> dataset = hdf5::File::find_from(*group, names[i]);
      if (!dataset)
        fail_data(fmt::format("layer \"{}\": the weight \"{}\" is missing from the file", layer.name, names[i]));
      weights.emplace(slots[i].key, to_tensor(dataset->read(), layer.name));
    }
  }
  return weights;
}

}  // namespace onward::importer::keras
