// The models a server has: found in a folder or named one by one, each in one or more versions.
//
// A folder holds NAME/VERSION/model.* (VERSION a number; also a SavedModel folder), or NAME.onnx or any other file or
// folder that can be converted, which becomes version 1. Readers see a snapshot and never wait; a new version is
// loaded, checked and warmed first and only then takes the old one's place, and one that fails never displaces a good
// one.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "serving/model.h"

namespace onward::serving {

struct Source {
  std::string name;
  std::filesystem::path path;
};

struct RepositoryOptions {
  std::vector<Source> models;
  std::optional<std::filesystem::path> folder;
  // Turns a file that is not ONNX into a serialized ONNX model; throws Error. Without it only ONNX is served.
  std::function<Bytes(const std::filesystem::path&)> convert;
  // Custom operators for all models, before those that a model.yaml names.
  std::vector<std::filesystem::path> custom_ops;
  // What all models together may take, about. A model takes what the process's heap grew by while it was loaded and
  // tried, or its file's size where that is more; before it was loaded for the first time, the file's size stands for
  // it. The least recently used ones make room and are loaded again when a request asks for them. 0: no limit.
  uint64_t memory_bytes = 0;
  // What the process's heap holds now; tests have their own.
  std::function<uint64_t()> heap_bytes;
};

enum class State { kLoading, kReady, kUnavailable, kUnloading };
std::string_view state_name(State state);  // "READY" …

struct IndexEntry {
  std::string name;
  int64_t version = 0;
  State state = State::kUnavailable;
  std::string reason;  // why it is not ready
};

using ModelPtr = std::shared_ptr<const Model>;

// Thrown for a model that made room for others: wake() it, then ask again. No Error, because no client should see it.
struct Parked {
  std::string name;
  int64_t version = 0;
};

class Repository {
 public:
  // Throws Error for a name given twice or one that can't be a name.
  explicit Repository(RepositoryOptions options);

  // Loads everything there is. Models that fail are in index() with their reason; throws the first failure when
  // nothing at all could be loaded.
  void load_all();

  // Looks for new, changed and vanished models and versions in the folder and among the named files. Never throws for
  // one bad model; returns what failed.
  std::vector<IndexEntry> poll();

  // Loads the newest state of one model, or takes it out of service. Throws Error: kNotFound, or why it failed to load
  // (what was served before stays).
  void load(const std::string& name);
  void unload(const std::string& name);

  // One more named file, loaded now. Throws Error: kAlreadyExists for a name in use, or why it failed to load; then
  // nothing has changed.
  void add(const Source& source);
  // The named file is forgotten; a model of the folder is unloaded. Throws Error(kNotFound).
  void remove(const std::string& name);

  // Loads a parked version, as other requests may have done by now, without waiting for what is being loaded besides.
  // Throws Error when it can't be loaded.
  void wake(const Parked& parked);

  // Models that were replaced or made room are freed by the calls above, never by a request, once no request uses them
  // any more; free_retired() is for those that were still in use then.
  bool has_retired() const;
  void free_retired();

  // `version` empty, or 0 where there is no such one: the newest served one; else a number or a label. Throws Error:
  // kNotFound, or kUnavailable when the model is known but not served, with the reason; or Parked.
  ModelPtr find(std::string_view name, std::string_view version = {}) const;
  // Whether find() would give a model, now or after wake(). Throws Error(kNotFound) for one that is not known.
  bool serves(std::string_view name, std::string_view version = {}) const;
  std::vector<ModelPtr> versions(std::string_view name) const;  // oldest first; throws like find
  // The newest version of every served model that is loaded, by name.
  std::vector<ModelPtr> models() const;
  // Every served version of every model, by name, oldest first.
  std::vector<ModelPtr> all_versions() const;
  std::vector<IndexEntry> index() const;

  // The newest version of every served model that is parked.
  std::vector<Parked> parked() const;

 private:
  struct Origin {
    std::filesystem::path path;
    ModelConfig config;
  };
  struct Version {
    State state = State::kLoading;
    std::string reason;
    std::string fingerprint;
    ModelPtr model;
    uint64_t bytes = 0;            // what it took when it was loaded last
    std::optional<Origin> origin;  // what it was loaded from, or is parked with

    bool serves() const { return model != nullptr || origin.has_value(); }
    void park() {
      model.reset();
      state = State::kUnavailable;
      reason = "unloaded to make room; the next request loads it again";
    }
  };
  struct Entry {
    std::map<int64_t, Version> versions;
    bool wanted = true;  // false after unload()
  };
  // Null for a parked version.
  using Table = std::map<std::string, std::map<int64_t, ModelPtr>, std::less<>>;

  std::map<std::string, std::filesystem::path> discover() const;
  // Returns the first failure.
  std::optional<Error> refresh(const std::string& name, const std::filesystem::path& path);
  ModelPtr load_version(const std::string& name, int64_t version, const std::filesystem::path& path,
                        const ModelConfig& config) const;
  // `bytes` is what it took before, 0 where that is not known.
  ModelPtr load_in_budget(const std::string& name, int64_t version, const Origin& origin, uint64_t bytes);
  std::optional<int64_t> labelled(std::string_view name, std::string_view label) const;
  // Parks the least recently used models until there is room for this many bytes; false where there can't be. With
  // `only_look`, nothing is parked.
  bool make_room(uint64_t bytes, bool only_look);
  std::optional<Error> refresh_version(const std::string& name, int64_t version, const Origin& origin,
                                       const std::string& config_print);
  void forget(const std::string& name);
  void publish();

  RepositoryOptions options_;
  std::mutex loading_;        // one load at a time
  std::mutex waking_;         // one wake() at a time
  mutable std::mutex mutex_;  // guards entries_ and retired_
  std::map<std::string, Entry, std::less<>> entries_;
  std::atomic<std::shared_ptr<const Table>> table_;
  std::vector<ModelPtr> retired_;
};

}  // namespace onward::serving
