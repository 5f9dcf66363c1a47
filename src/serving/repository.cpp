#include "serving/repository.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.h"
#include "runtime/environment.h"
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

// What malloc has given out, in all its arenas.
uint64_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
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
  if (!options_.heap_bytes) options_.heap_bytes = heap_bytes;
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

void Repository::add(const Source& source) {
  check_name(source.name);
  const std::lock_guard loading(loading_);
  if (discover().contains(source.name)) {
    throw Error(Code::kAlreadyExists, fmt::format("there is a model \"{}\" already", source.name),
                "choose another name, or remove that one first");
  }
  if (const auto failure = refresh(source.name, source.path)) {
    forget(source.name);
    throw *failure;
  }
  options_.models.push_back(source);
}

void Repository::remove(const std::string& name) {
  {
    const std::lock_guard loading(loading_);
    const bool named = std::erase_if(options_.models, [&](const Source& source) { return source.name == name; }) > 0;
    if (named && !discover().contains(name)) return forget(name);
  }
  unload(name);
}

void Repository::forget(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    entries_.erase(name);
  }
  publish();
}

ModelPtr Repository::load_version(const std::string& name, int64_t version, const fs::path& path,
                                  const ModelConfig& config) const {
  runtime::prepare_environment();
  // Asking the heap locks all of it, also for requests: only where the answer matters.
  const auto heap = [this] { return options_.memory_bytes > 0 ? options_.heap_bytes() : 0; };
  const uint64_t before = heap();
  runtime::SessionOptions session_options{.custom_ops = options_.custom_ops};
  session_options.custom_ops.insert(session_options.custom_ops.end(), config.custom_ops.begin(),
                                    config.custom_ops.end());
  std::shared_ptr<Model> model;
  if (is_onnx_file(path)) {
    model = std::make_shared<Model>(name, version, runtime::Session::load(path, session_options), config);
  } else if (options_.convert) {
    runtime::Session session = runtime::Session::from_bytes(options_.convert(path), path.string(), session_options);
    model = std::make_shared<Model>(name, version, std::move(session), config);
  } else {
    fail_unsupported(path.string() + " is not an ONNX file", "convert it first: onward convert");
  }
  const uint64_t after = heap();
  model->set_bytes(std::max(size_on_disk(path), after > before ? after - before : 0));
  return model;
}

bool Repository::make_room(uint64_t bytes, bool only_look) {
  if (options_.memory_bytes == 0) return true;
  if (bytes > options_.memory_bytes) return false;
  const std::lock_guard lock(mutex_);
  uint64_t used = 0;
  std::vector<Version*> loaded;
  for (auto& [name, entry] : entries_) {
    for (auto& [number, version] : entry.versions) {
      if (!version.model) continue;
      used += version.model->bytes();
      if (version.origin) loaded.push_back(&version);
    }
  }
  if (only_look) return used + bytes <= options_.memory_bytes;
  std::sort(loaded.begin(), loaded.end(),
            [](const Version* a, const Version* b) { return a->model->last_use() < b->model->last_use(); });
  for (Version* version : loaded) {
    if (used + bytes <= options_.memory_bytes) break;
    used -= version->model->bytes();
    version->park();
  }
  return true;
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
    std::optional<Error> failed = refresh_version(name, number, {file, config}, config_print);
    if (failed && !failure) failure = std::move(failed);
  }
  {
    const std::lock_guard lock(mutex_);
    auto& versions = entries_[name].versions;
    const bool any_new =
        std::any_of(wanted.begin(), wanted.end(), [&](const auto& item) { return versions[item.first].serves(); });
    // Versions that are no longer wanted stay until one that is wanted works.
    if (any_new) std::erase_if(versions, [&](const auto& version) { return wanted.count(version.first) == 0; });
  }
  publish();
  return failure;
}

std::optional<Error> Repository::refresh_version(const std::string& name, int64_t number, const Origin& origin,
                                                 const std::string& config_print) {
  const std::string print = fingerprint(origin.path) + config_print;
  bool replaces = false;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[name];
    Version& version = entry.versions[number];
    if (version.fingerprint == print) return std::nullopt;  // as it was, good or bad
    version.fingerprint = print;
    if (!version.serves()) version.state = State::kLoading;
    replaces = std::any_of(entry.versions.begin(), entry.versions.end(),
                           [](const auto& each) { return each.second.model != nullptr; });
  }
  ModelPtr model;
  std::optional<Error> failure;
  bool park = false;
  try {
    // What comes new waits for its first request where there is no room; what takes another's place must be tried
    // first.
    const uint64_t bytes = size_on_disk(origin.path);
    park = !replaces && bytes <= options_.memory_bytes && !make_room(bytes, true);
    if (!park) model = load_in_budget(name, number, origin, 0);
  } catch (const Error& error) {
    failure = error;
  }
  const std::lock_guard lock(mutex_);
  Version& version = entries_[name].versions[number];
  version.reason = failure ? failure->message() : "";
  if (park || model) version.origin = origin;
  if (park) version.park();
  if (model) version.bytes = model->bytes();
  if (model) version.model = std::move(model);
  if (!park) version.state = version.model ? State::kReady : State::kUnavailable;
  return failure;
}

ModelPtr Repository::load_in_budget(const std::string& name, int64_t number, const Origin& origin, uint64_t bytes) {
  const auto make_room_for = [&](uint64_t wanted) {
    if (!make_room(wanted, false)) {
      throw Error(Code::kResourceExhausted,
                  fmt::format("{} takes {} bytes, more than the memory budget of {} bytes", origin.path.string(),
                              wanted, options_.memory_bytes),
                  "raise --memory");
    }
    publish();  // what made room is not handed out any more
  };
  make_room_for(bytes > 0 ? bytes : size_on_disk(origin.path));
  ModelPtr model = load_version(name, number, origin.path, origin.config);
  make_room_for(model->bytes());
  return model;
}

void Repository::wake(const Parked& parked) {
  const std::lock_guard waking(waking_);
  Origin origin;
  uint64_t bytes = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(parked.name);
    if (entry == entries_.end()) return;  // gone meanwhile: find() says so
    const auto version = entry->second.versions.find(parked.version);
    if (version == entry->second.versions.end() || version->second.model || !version->second.origin) return;
    origin = *version->second.origin;
    bytes = version->second.bytes;
  }
  ModelPtr model;
  std::optional<Error> failure;
  try {
    model = load_in_budget(parked.name, parked.version, origin, bytes);
  } catch (const Error& error) {
    failure = error;
  }
  {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(parked.name);
    if (entry == entries_.end()) return;
    const auto found = entry->second.versions.find(parked.version);
    // Meanwhile it may have been removed, or loaded from a newer file.
    if (found == entry->second.versions.end() || found->second.model || !found->second.origin) return;
    Version& version = found->second;
    version.reason = failure ? failure->message() : "";
    version.bytes = model ? model->bytes() : version.bytes;
    version.state = model ? State::kReady : State::kUnavailable;
    if (!model) version.origin.reset();
    if (!model) version.fingerprint.clear();  // the next look at the files tries again
    version.model = std::move(model);
  }
  publish();
  if (failure) throw *failure;
}

void Repository::publish() {
  auto table = std::make_shared<Table>();
  {
    const std::lock_guard lock(mutex_);
    std::set<ModelPtr> kept;
    for (const auto& [name, entry] : entries_) {
      for (const auto& [number, version] : entry.versions) {
        if (version.serves()) (*table)[name][number] = version.model;
        kept.insert(version.model);
      }
    }
    const auto before = table_.exchange(std::move(table));
    for (const auto& [name, versions] : *before) {
      for (const auto& [number, model] : versions) {
        if (model && kept.count(model) == 0) retired_.push_back(model);
      }
    }
  }
  free_retired();
}

bool Repository::has_retired() const {
  const std::lock_guard lock(mutex_);
  return !retired_.empty();
}

void Repository::free_retired() {
  std::vector<ModelPtr> unused;
  const std::lock_guard lock(mutex_);
  std::erase_if(retired_, [&unused](ModelPtr& model) {
    if (model.use_count() > 1) return false;
    unused.push_back(std::move(model));
    return true;
  });
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
  auto served = std::prev(versions.end());
  if (!version.empty()) {
    std::optional<int64_t> number = version_number(version);
    if (!number) number = labelled(name, version);
    served = number ? versions.find(*number) : versions.end();
    if (number == 0 && served == versions.end()) served = std::prev(served);  // OpenVINO's client means the newest
  }
  if (served == versions.end()) {
    fail_not_found(fmt::format("model \"{}\" has no version \"{}\"", name, version));
  }
  if (!served->second) throw Parked{found->first, served->first};
  if (options_.memory_bytes > 0) served->second->note_use();
  return served->second;
}

std::optional<int64_t> Repository::labelled(std::string_view name, std::string_view label) const {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) return std::nullopt;
  for (auto version = entry->second.versions.rbegin(); version != entry->second.versions.rend(); ++version) {
    if (!version->second.origin) continue;
    const auto& labels = version->second.origin->config.labels;
    const auto found = labels.find(std::string(label));
    if (found != labels.end()) return found->second;
  }
  return std::nullopt;
}

bool Repository::serves(std::string_view name, std::string_view version) const {
  try {
    find(name, version);
  } catch (const Parked&) {
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    return false;
  }
  return true;
}

std::vector<ModelPtr> Repository::versions(std::string_view name) const {
  const auto table = table_.load();
  const auto found = table->find(name);
  if (found == table->end()) return {find(name)};  // throws the reason
  std::vector<ModelPtr> models;
  for (const auto& [number, model] : found->second) {
    if (model) models.push_back(model);
  }
  if (models.empty()) throw Parked{found->first, found->second.rbegin()->first};
  return models;
}

std::vector<ModelPtr> Repository::models() const {
  const auto table = table_.load();
  std::vector<ModelPtr> models;
  for (const auto& [name, versions] : *table) {
    if (versions.rbegin()->second) models.push_back(versions.rbegin()->second);
  }
  return models;
}

std::vector<Parked> Repository::parked() const {
  const auto table = table_.load();
  std::vector<Parked> parked;
  for (const auto& [name, versions] : *table) {
    if (!versions.rbegin()->second) parked.push_back({name, versions.rbegin()->first});
  }
  return parked;
}

std::vector<ModelPtr> Repository::all_versions() const {
  const auto table = table_.load();
  std::vector<ModelPtr> models;
  for (const auto& [name, versions] : *table) {
    for (const auto& [number, model] : versions) {
      if (model) models.push_back(model);
    }
  }
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
