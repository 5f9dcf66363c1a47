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

  // `version` empty: the newest served one; a number or a label. Throws Error: kNotFound, or kUnavailable when the
  // model is known but not served, with the reason.
  ModelPtr find(std::string_view name, std::string_view version = {}) const;
  std::vector<ModelPtr> versions(std::string_view name) const;  // oldest first; throws like find
  // The newest version of every served model, by name.
  std::vector<ModelPtr> models() const;
  std::vector<IndexEntry> index() const;

 private:
  struct Version {
    State state = State::kLoading;
    std::string reason;
    std::string fingerprint;
    ModelPtr model;
  };
  struct Entry {
    std::map<int64_t, Version> versions;
    bool wanted = true;  // false after unload()
  };
  using Table = std::map<std::string, std::map<int64_t, ModelPtr>, std::less<>>;

  std::map<std::string, std::filesystem::path> discover() const;
  // Returns the first failure.
  std::optional<Error> refresh(const std::string& name, const std::filesystem::path& path);
  ModelPtr load_version(const std::string& name, int64_t version, const std::filesystem::path& path,
                        const ModelConfig& config) const;
  void publish();

  RepositoryOptions options_;
  std::mutex loading_;        // one load at a time
  mutable std::mutex mutex_;  // guards entries_
  std::map<std::string, Entry, std::less<>> entries_;
  std::atomic<std::shared_ptr<const Table>> table_;
};

}  // namespace onward::serving
