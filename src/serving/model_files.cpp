#include "serving/model_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace onward::serving {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 13> kModelEndings = {
    ".onnx", ".ort", ".keras", ".h5", ".hdf5", ".pb", ".pbtxt", ".meta", ".pt2", ".pt", ".pth", ".ts", ".savedmodel"};

bool looks_like_model(const fs::path& path) {
  const std::string ending = path.extension().string();
  return std::find(kModelEndings.begin(), kModelEndings.end(), ending) != kModelEndings.end();
}

bool is_saved_model(const fs::path& folder) {
  return fs::exists(folder / "saved_model.pb") || fs::exists(folder / "saved_model.pbtxt");
}

bool hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

// In order of names, so that what is found does not depend on the file system.
std::vector<fs::path> children(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!hidden(it->path())) paths.push_back(it->path());
  }
  if (error) throw Error(Code::kNotFound, fmt::format("can't list {}: {}", folder.string(), error.message()));
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::optional<int64_t> version_of(const fs::path& folder) {
  const std::string text = folder.filename().string();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// The one model in a version's folder.
fs::path model_in(const fs::path& folder) {
  if (is_saved_model(folder)) return folder;
  std::vector<fs::path> models;
  for (const fs::path& path : children(folder)) {
    if (path.stem() == "model" && looks_like_model(path)) models.push_back(path);
  }
  if (models.empty()) {
    fail_not_found(folder.string() + " holds no model", "name the file model.onnx, model.keras and so on");
  }
  if (models.size() > 1) {
    fail_invalid(fmt::format("{} holds more than one model: {} and {}", folder.string(), models[0].filename().string(),
                             models[1].filename().string()),
                 "keep one of them");
  }
  return models.front();
}

}  // namespace

bool is_onnx_file(const fs::path& path) {
  return fs::is_regular_file(path) && (path.extension() == ".onnx" || path.extension() == ".ort");
}

std::map<std::string, fs::path> find_models(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    fail_not_found(folder.string() + " is not a folder", "--models wants the folder that holds the models");
  }
  std::map<std::string, fs::path> models;
  for (const fs::path& path : children(folder)) {
    const bool is_folder = fs::is_directory(path);
    if (!is_folder && !looks_like_model(path)) continue;
    const std::string name = is_folder && !looks_like_model(path) ? path.filename().string() : path.stem().string();
    const auto [before, fresh] = models.emplace(name, path);
    if (!fresh) {
      fail_invalid(fmt::format("two models are named \"{}\": {} and {}", name, before->second.string(), path.string()),
                   "rename or move one of them");
    }
  }
  return models;
}

std::map<int64_t, fs::path> find_versions(const fs::path& model) {
  if (!fs::exists(model)) fail_not_found("there is no file " + model.string());
  if (!fs::is_directory(model) || is_saved_model(model)) return {{1, model}};
  std::map<int64_t, fs::path> versions;
  for (const fs::path& path : children(model)) {
    const auto number = version_of(path);
    if (number && fs::is_directory(path)) versions[*number] = model_in(path);
  }
  if (versions.empty()) versions[1] = model_in(model);
  return versions;
}

std::map<int64_t, fs::path> choose_versions(std::map<int64_t, fs::path> found, const ModelConfig& config) {
  if (!config.versions.empty()) {
    std::map<int64_t, fs::path> chosen;
    for (const int64_t version : config.versions) {
      const auto it = found.find(version);
      if (it == found.end()) fail_not_found(fmt::format("version {} of model.yaml is not there", version));
      chosen.insert(*it);
    }
    return chosen;
  }
  while (config.latest > 0 && found.size() > config.latest) found.erase(found.begin());
  return found;
}

uint64_t size_on_disk(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    // An ONNX file may keep its weights in files beside it.
    const uint64_t size = fs::file_size(path, error);
    if (error) return 0;
    const fs::path data = path.string() + ".data";
    return size + (fs::is_regular_file(data, error) ? fs::file_size(data, error) : 0);
  }
  uint64_t size = 0;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file(error)) size += it->file_size(error);
  }
  return size;
}

std::string fingerprint(const fs::path& path) {
  std::string print;
  const auto add = [&](const fs::path& file) {
    std::error_code error;
    const auto time = fs::last_write_time(file, error).time_since_epoch().count();
    const auto size = fs::is_regular_file(file, error) ? fs::file_size(file, error) : 0;
    print += fmt::format("{}:{}:{};", file.string(), time, size);
  };
  add(path);
  std::error_code error;
  if (fs::is_directory(path, error)) {
    std::set<fs::path> files;
    for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      files.insert(it->path());
    }
    for (const fs::path& file : files) add(file);
  }
  return print;
}

}  // namespace onward::serving
