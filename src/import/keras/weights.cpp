#include "import/keras/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>

#include "base/error.h"
#include "import/keras/custom.h"

namespace onward::importer::keras {
namespace {

ir::Tensor to_tensor(const Array& array, const std::string& what) {
  if (array.dtype == "string") return ir::Tensor::of_strings(array.shape, array.strings);
  const auto dtype = ir::dtype_from_name(array.dtype);
  if (!dtype) fail_unsupported(what + ": weights of dtype " + array.dtype);
  return {*dtype, array.shape, array.data};
}

// One variable of the model: its key, where an archive keeps it, and whether Keras trains it.
struct Slot {
  std::string key;
  std::string place;
  bool trainable;
};

// Every layer below `layer`, itself included, with its key and its place in an archive.
struct Home {
  const Layer& layer;
  std::string key;
  std::string place;
  bool open;  // trainable, and so is all that holds it
};
struct Walk {
  std::function<void(const Home&)> visit;
  // Where a layer of this class and name was met first. An object that several places hold has its weights there alone;
  // all places but the first say that they share it.
  std::map<std::string, std::string> first = {};
  std::vector<std::pair<std::string, std::string>> again = {};  // key, first key
};

constexpr std::string_view kContainer = "/layers/";

void walk_model(const Model& model, const std::string& key, const std::string& place, bool open, Walk& walk);

void walk_layer(const Home& home, Walk& walk) {
  const Layer& layer = home.layer;
  const auto [known, fresh] = walk.first.emplace(layer.class_name + "/" + layer.name, home.key);
  if (!fresh && layer.shared) walk.again.emplace_back(home.key, known->second);
  const bool open = home.open && (!layer.config.is_object() || layer.config.get("trainable", true));
  if (layer.model) return walk_model(*layer.model, home.key, home.place, open, walk);
  walk.visit({layer, home.key, home.place, open});
  const LayerOp* op = is_operation(layer) ? nullptr : op_of(layer);
  if (op == nullptr || op->children == nullptr) return;
  for (const Child& child : op->children(layer)) {
    walk_layer({child.layer, home.key + "/" + child.attribute, home.place + "/" + child.attribute, open}, walk);
  }
}

void walk_model(const Model& model, const std::string& key, const std::string& place, bool open, Walk& walk) {
  NameCounter names;
  for (const Layer& layer : model.layers) {
    if (is_operation(layer) || (model.kind == Model::Kind::kSequential && layer.class_name == "InputLayer")) continue;
    // One class is registered under another name than its own.
    const bool renamed = layer.class_name == "GroupQueryAttention";
    const std::string name = names.next(renamed ? "GroupedQueryAttention" : layer.class_name);
    walk_layer({layer, layer_path(key, layer), place + std::string(kContainer) + name, open}, walk);
  }
}

// The layer's own variables, not those of its children.
void collect_own(const Home& home, std::vector<Slot>& slots) {
  const LayerOp* op = is_operation(home.layer) ? nullptr : op_of(home.layer);
  if (op == nullptr || op->variables == nullptr) return;
  const std::vector<Variable> variables = op->variables(home.layer);
  for (size_t i = 0; i < variables.size(); ++i) {
    slots.push_back({home.key + "/" + variables[i].name, home.place + "/vars/" + std::to_string(i),
                     home.open && variables[i].trainable});
  }
}

void share_weights(Weights& weights, const std::string& from, const std::string& to) {
  Weights more;
  for (auto at = weights.lower_bound(from); at != weights.end() && at->first.rfind(from, 0) == 0; ++at) {
    more.emplace(to + at->first.substr(from.size()), at->second);
  }
  weights.merge(more);
}

// Older versions name some attributes otherwise.
std::optional<hdf5::Object> find_variable(const hdf5::File& file, std::string place) {
  place = place.substr(1);
  if (std::optional<hdf5::Object> found = file.find(place)) return found;
  // Keras 2.15 keeps what Keras 3 gives a public name: "_query_dense".
  const size_t vars = place.rfind("/vars/");
  const size_t owner = place.rfind('/', vars - 1);
  if (vars != std::string::npos && owner != std::string::npos) {
    std::string hidden = place;
    hidden.insert(owner + 1, "_");
    if (std::optional<hdf5::Object> found = file.find(hidden)) return found;
  }
  // Keras 2.12 to 2.14 name the list of a functional model's layers so.
  constexpr std::string_view kOld = "_layer_checkpoint_dependencies/";
  if (place.rfind("layers/", 0) == 0) return file.find(std::string(kOld) + place.substr(7));
  return std::nullopt;
}

// The weights of a layer in the order of `slots`: by position where the counts agree, else by name.
std::vector<std::string> match_names(const std::vector<std::string>& names, const std::vector<Slot>& slots,
                                     const Layer& layer) {
  if (names.size() == slots.size()) return names;
  const auto tail = [](std::string name) {
    name = name.substr(0, name.find(':', name.rfind('/') + 1));
    return name.substr(name.rfind('/') + 1);
  };
  std::vector<std::string> matched;
  std::vector<bool> used(names.size());
  for (const Slot& slot : slots) {
    size_t i = 0;
    while (i < names.size() && (used[i] || tail(names[i]) != tail(slot.key))) ++i;
    if (i == names.size()) {
      fail_data(fmt::format("layer \"{}\" ({}) has {} weights in the file, {} are expected", layer.name,
                            layer.class_name, names.size(), slots.size()));
    }
    used[i] = true;
    matched.push_back(names[i]);
  }
  return matched;
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

std::string NameCounter::next(std::string_view class_name) {
  std::string name = snake_case(class_name);
  const int count = used_[name]++;
  return count == 0 ? name : name + "_" + std::to_string(count);
}

std::string layer_path(const std::string& path, const Layer& layer) {
  return path.empty() ? layer.name : path + "/" + layer.name;
}

Weights read_archive_weights(const hdf5::File& file, const Model& model) {
  Weights weights;
  std::vector<Slot> slots;
  Walk walk{[&](const Home& home) { collect_own(home, slots); }};
  walk_model(model, "", "", true, walk);
  for (const Slot& slot : slots) {
    const std::optional<hdf5::Object> dataset = find_variable(file, slot.place);
    if (dataset) weights.emplace(slot.key, to_tensor(dataset->read(), slot.key));
  }
  for (const auto& [key, first] : walk.again) share_weights(weights, first + "/", key + "/");
  return weights;
}

Assets read_archive_assets(const zip::Archive& archive, const Model& model) {
  Assets assets;
  Walk walk{[&](const Home& home) {
    const std::string folder = "assets" + home.place + "/";
    for (const char* file : {"vocabulary.txt"}) {
      if (archive.contains(folder + file)) assets.emplace(home.key + "/" + file, archive.read(folder + file).text());
    }
  }};
  walk_model(model, "", "", true, walk);
  return assets;
}

Weights read_h5_weights(const hdf5::File& file, const Model& model) {
  Weights weights;
  const hdf5::Object root = file.at("model_weights");
  for (const Layer& layer : model.layers) {
    // A name with slashes lies deeper.
    const std::optional<hdf5::Object> group = hdf5::File::find_from(root, layer.name);
    if (!group) continue;
    std::vector<Slot> slots;
    Walk walk{[&](const Home& home) { collect_own(home, slots); }};
    walk_layer({layer, layer.name, "", true}, walk);
    if (slots.empty()) continue;
    std::stable_partition(slots.begin(), slots.end(), [](const Slot& slot) { return slot.trainable; });
    const std::vector<std::string> names = match_names(split_attribute(*group, "weight_names"), slots, layer);
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
