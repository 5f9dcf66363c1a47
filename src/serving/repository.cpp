#include "serving/repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "serving/model_config.h"
#include "serving/model_files.h"

namespace onward::serving {
namespace {

namespace fs = std::filesystem;

void check_name(const std::string& name) {
  const bool bad = name.empty() || std::any_of(name.begin(), name.end(), [](unsigned char c) {
                     return c < 0x20 || c == '/' || c == '\\' || c == '"';
                   });
  if (bad) {
    fail_invalid(fmt::format("\"{}\" can't be a model's name", name),
                 "choose one without slashes, quotes and control characters: NAME=FILE");
  }
}

std::optional<int64_t> version_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string_view state_name(State state) {
  switch (state) {
    case State::kLoading:
      return "LOADING";
    case State::kReady:
      return "READY";
    case State::kUnavailable:
      return "UNAVAILABLE";
    case State::kUnloading:
      return "UNLOADING";
  }
  return "UNKNOWN";
}

Repository::Repository(RepositoryOptions options)
    : options_(std::move(options)), table_(std::make_shared<const Table>()) {
  std::map<std::string, fs::path> seen;
  for (const Source& source : options_.models) {
    check_name(source.name);
    const auto [before, fresh] = seen.emplace(source.name, source.path);
    if (fresh) continue;
    fail_invalid(fmt::format("two models are named \"{}\": {} and {}", source.name, before->second.string(),
                             source.path.string()),
                 "name one of them differently: NAME=FILE");
  }
}

std::map<std::string, fs::path> Repository::discover() const {
  std::map<std::string, fs::path> found;
  if (options_.folder) found = find_models(*options_.folder);
  for (const Source& source : options_.models) found[source.name] = source.path;
  return found;
}

void Repository::load_all() {
  const std::lock_guard loading(loading_);
  std::optional<Error> first_failure;
  for (const auto& [name, path] : discover()) {
    std::optional<Error> failure = refresh(name, path);
    if (failure && !first_failure) first_failure = std::move(failure);
  }
  if (first_failure && table_.load()->empty()) throw *first_failure;
}

std::vector<IndexEntry> Repository::poll() {
  const std::lock_guard loading(loading_);
  std::vector<IndexEntry> failed;
  std::map<std::string, fs::path> found;
  try {
    found = discover();
  } catch (const Error& error) {
    failed.push_back({"", 0, State::kUnavailable, error.message()});
    return failed;
  }
  for (const auto& [name, path] : found) {
    {
      const std::lock_guard lock(mutex_);
      const auto entry = entries_.find(name);
      if (entry != entries_.end() && !entry->second.wanted) continue;
    }
    if (const auto failure = refresh(name, path)) failed.push_back({name, 0, State::kUnavailable, failure->message()});
  }
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& entry) { return found.count(entry.first) == 0; });
  }
  publish();
  return failed;
}

void Repository::load(const std::string& name) {
  const std::lock_guard loading(loading_);
  const auto found = discover();
  const auto source = found.find(name);
  if (source == found.end()) fail_not_found(fmt::format("there is no model \"{}\" in the repository", name));
  {
    const std::lock_guard lock(mutex_);
    entries_[name].wanted = true;
  }
  if (const auto failure = refresh(name, source->second)) throw *failure;
}

void Repository::unload(const std::string& name) {
  const std::lock_guard loading(loading_);
  {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(name);
    if (entry == entries_.end()) fail_not_found(fmt::format("there is no model \"{}\"", name));
    entry->second.wanted = false;
    for (auto& [number, version] : entry->second.versions) {
      version = Version{.state = State::kUnavailable, .reason = "unloaded"};
    }
  }
  publish();
}

ModelPtr Repository::load_version(const std::string& name, int64_t version, const fs::path& path,
                                  const ModelConfig& config) const {
  if (is_onnx_file(path)) return std::make_shared<Model>(name, version, runtime::Session::load(path), config);
  if (!options_.convert) {
    fail_unsupported(path.string() + " is not an ONNX file", "convert it first: onward convert");
  }
  return std::make_shared<Model>(name, version, runtime::Session::from_bytes(options_.convert(path), path.string()),
                                 config);
}

std::optional<Error> Repository::refresh(const std::string& name, const fs::path& path) {
  std::optional<Error> failure;
  std::map<int64_t, fs::path> wanted;
  ModelConfig config;
  std::string config_print;
  try {
    check_name(name);
    const fs::path config_file = path / "model.yaml";
    if (fs::is_directory(path) && fs::exists(config_file)) {
      config = read_model_config(config_file);
      config_print = fingerprint(config_file);
    }
    wanted = choose_versions(find_versions(path), config);
  } catch (const Error& error) {
    failure = error;
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[name];
    if (entry.versions.empty()) entry.versions[1] = {.state = State::kUnavailable, .reason = error.message()};
    return failure;
  }

  for (const auto& [number, file] : wanted) {
    const std::string print = fingerprint(file) + config_print;
    {
      const std::lock_guard lock(mutex_);
      Version& version = entries_[name].versions[number];
      if (version.fingerprint == print) continue;  // as it was, good or bad
      version.fingerprint = print;
      if (!version.model) version.state = State::kLoading;
    }
    ModelPtr model;
    std::string reason;
    try {
      model = load_version(name, number, file, config);
    } catch (const Error& error) {
      reason = error.message();
      if (!failure) failure = error;
    }
    const std::lock_guard lock(mutex_);
    Version& version = entries_[name].versions[number];
    version.reason = std::move(reason);
    if (model) version.model = std::move(model);
    version.state = version.model ? State::kReady : State::kUnavailable;
  }
  {
    const std::lock_guard lock(mutex_);
    auto& versions = entries_[name].versions;
    const bool any_new = std::any_of(wanted.begin(), wanted.end(),
                                     [&](const auto& item) { return versions[item.first].model != nullptr; });
    // Versions that are no longer wanted stay until one that is wanted works.
    if (any_new) std::erase_if(versions, [&](const auto& version) { return wanted.count(version.first) == 0; });
  }
  publish();
  return failure;
}

void Repository::publish() {
  auto table = std::make_shared<Table>();
  const std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : entries_) {
    for (const auto& [number, version] : entry.versions) {
      if (version.model) (*table)[name][number] = version.model;
    }
  }
  table_.store(std::move(table));
}

ModelPtr Repository::find(std::string_view name, std::string_view version) const {
  const auto table = table_.load();
  const auto found = table->find(name);
  if (found == table->end()) {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(name);
    if (entry == entries_.end()) fail_not_found(fmt::format("there is no model \"{}\"", name));
    std::string reason = "it is being loaded";
    for (const auto& [number, known] : entry->second.versions) {
      if (!known.reason.empty()) reason = known.reason;
    }
    throw Error(Code::kUnavailable, fmt::format("model \"{}\" is not ready: {}", name, reason));
  }
  const auto& versions = found->second;
  if (version.empty()) return versions.rbegin()->second;
  std::optional<int64_t> number = version_number(version);
  if (!number) {
    const auto& labels = versions.rbegin()->second->config().labels;
    const auto label = labels.find(std::string(version));
    if (label != labels.end()) number = label->second;
  }
  const auto served = number ? versions.find(*number) : versions.end();
  if (served == versions.end()) {
    fail_not_found(fmt::format("model \"{}\" has no version \"{}\"", name, version));
  }
  return served->second;
}

std::vector<ModelPtr> Repository::versions(std::string_view name) const {
  const auto table = table_.load();
  const auto found = table->find(name);
  if (found == table->end()) return {find(name)};  // throws the reason
  std::vector<ModelPtr> models;
  for (const auto& [number, model] : found->second) models.push_back(model);
  return models;
}

std::vector<ModelPtr> Repository::models() const {
  const auto table = table_.load();
  std::vector<ModelPtr> models;
  for (const auto& [name, versions] : *table) models.push_back(versions.rbegin()->second);
  return models;
}

std::vector<IndexEntry> Repository::index() const {
  const std::lock_guard lock(mutex_);
  std::vector<IndexEntry> index;
  for (const auto& [name, entry] : entries_) {
    for (const auto& [number, version] : entry.versions) index.push_back({name, number, version.state, version.reason});
  }
  return index;
}

}  // namespace onward::serving
