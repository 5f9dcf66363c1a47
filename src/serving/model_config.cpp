#include "serving/model_config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <limits>
#include <set>

#include "base/error.h"

namespace onward::serving {
namespace {

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  [[noreturn]] void fail(const YAML::Node& node, const std::string& what) const {
    fail_invalid(fmt::format("{}:{}: {}", file_, node.Mark().line + 1, what), "see docs/serving.md for the keys");
  }

  // A key that comes twice would hide one of its values.
  void check_once(const YAML::Node& map) const {
    std::set<std::string> seen;
    for (const auto& item : map) {
      const std::string key = item.first.as<std::string>();
      if (!seen.insert(key).second) fail(item.first, fmt::format("\"{}\" is given twice", key));
    }
  }

  template <class T>
  T number(const YAML::Node& node, const std::string& key, T least, T most) const {
    int64_t value = 0;
    if (!node.IsScalar() || !YAML::convert<int64_t>::decode(node, value) || value < static_cast<int64_t>(least) ||
        value > static_cast<int64_t>(most)) {
      fail(node, fmt::format("{} must be a whole number from {} to {}", key, least, most));
    }
    return static_cast<T>(value);
  }

  bool boolean(const YAML::Node& node, const std::string& key) const {
    bool value = false;
    if (!node.IsScalar() || !YAML::convert<bool>::decode(node, value)) fail(node, key + " must be true or false");
    return value;
  }

  void versions(const YAML::Node& node, ModelConfig& config) const {
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    if (node.IsSequence()) {
      for (const YAML::Node& item : node) config.versions.push_back(number<int64_t>(item, "a version", 0, kMost));
    } else if (node.IsScalar() && node.Scalar() == "all") {
      config.latest = 0;
    } else if (node.IsMap() && node.size() == 1 && node["latest"]) {
      config.latest = number<size_t>(node["latest"], "latest", 1, 1000);
    } else {
      fail(node, "versions must be all, {latest: N} or a list of numbers");
    }
  }

  void labels(const YAML::Node& node, ModelConfig& config) const {
    if (!node.IsMap()) fail(node, "labels must be a map of LABEL: VERSION");
    check_once(node);
    for (const auto& item : node) {
      config.labels[item.first.as<std::string>()] =
          number<int64_t>(item.second, "a label's version", 0, std::numeric_limits<int64_t>::max());
    }
  }

  // One path, or a list of them.
  void custom_ops(const YAML::Node& node, ModelConfig& config) const {
    const auto add = [&](const YAML::Node& item) {
      if (!item.IsScalar() || item.Scalar().empty())
        fail(item, "custom_ops must be a library's path, or a list of them");
      const std::filesystem::path folder = std::filesystem::absolute(file_).parent_path();
      config.custom_ops.push_back((folder / item.Scalar()).lexically_normal());
    };
    if (!node.IsSequence()) return add(node);
    for (const YAML::Node& item : node) add(item);
  }

  void classes(const YAML::Node& node, ModelConfig& config) const {
    if (!node.IsMap()) fail(node, "classes must be a map of OUTPUT: [names]");
    check_once(node);
    for (const auto& item : node) {
      if (!item.second.IsSequence()) fail(item.second, "the classes of an output must be a list");
      auto& names = config.classes[item.first.as<std::string>()];
      for (const YAML::Node& name : item.second) names.push_back(name.as<std::string>());
    }
  }

 private:
  std::string file_;
};

void read_key(const Reader& reader, const std::string& key, const YAML::Node& value, ModelConfig& config) {
  if (key == "max_batch") {
    config.max_batch = reader.number<size_t>(value, key, 1, 65536);
  } else if (key == "max_delay_us") {
    config.max_delay_us = reader.number<int64_t>(value, key, 0, 10'000'000);
  } else if (key == "max_queue") {
    config.max_queue = reader.number<size_t>(value, key, 1, 1'000'000);
  } else if (key == "priority") {
    config.priority = reader.number<int>(value, key, 0, 1000);
  } else if (key == "batch_any_shape") {
    config.batch_any_shape = reader.boolean(value, key);
  } else if (key == "versions") {
    reader.versions(value, config);
  } else if (key == "labels") {
    reader.labels(value, config);
  } else if (key == "custom_ops") {
    reader.custom_ops(value, config);
  } else if (key == "classes") {
    reader.classes(value, config);
  } else {
    reader.fail(value, fmt::format("unknown key \"{}\"", key));
  }
}

}  // namespace

ModelConfig read_model_config(const std::filesystem::path& file) {
  ModelConfig config;
  const Reader reader(file.string());
  try {
    const YAML::Node root = YAML::LoadFile(file.string());
    if (root.IsNull()) return config;
    if (!root.IsMap()) reader.fail(root, "expected KEY: VALUE lines");
    reader.check_once(root);
    for (const auto& item : root) read_key(reader, item.first.as<std::string>(), item.second, config);
  } catch (const YAML::Exception& error) {
    fail_invalid(fmt::format("{}:{}: {}", file.string(), error.mark.line + 1, error.msg));
  }
  return config;
}

std::string show_model_config(const ModelConfig& config) {
  std::string versions = config.latest == 0 ? "all" : fmt::format("{{latest: {}}}", config.latest);
  if (!config.versions.empty()) {
    versions.clear();
    for (const int64_t version : config.versions)
      versions += fmt::format("{}{}", versions.empty() ? "" : ", ", version);
    versions = "[" + versions + "]";
  }
  std::vector<std::string> custom_ops;
  for (const std::filesystem::path& library : config.custom_ops) custom_ops.push_back(library.string());
  YAML::Emitter maps;
  maps << YAML::BeginMap << YAML::Key << "custom_ops" << YAML::Value << YAML::Flow << custom_ops << YAML::Key
       << "labels" << YAML::Value << YAML::Flow << config.labels << YAML::Key << "classes" << YAML::Value << YAML::Flow
       << config.classes << YAML::EndMap;
  return fmt::format(
      "max_batch: {}\nmax_delay_us: {}\nmax_queue: {}\npriority: {}\nbatch_any_shape: {}\nversions: {}\n{}\n",
      config.max_batch, config.max_delay_us, config.max_queue, config.priority, config.batch_any_shape, versions,
      maps.c_str());
}

}  // namespace onward::serving
