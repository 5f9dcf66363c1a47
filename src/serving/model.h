// One loaded version of a served model.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/session.h"
#include "serving/statistics.h"

namespace onward::serving {

// What model.yaml may say; docs/serving.md lists the keys.
struct ModelConfig {
  size_t max_batch = 32;         // rows; 1: requests are never put together
  int64_t max_delay_us = 0;      // how long a request may wait for others; 0: only what waits anyway is one batch
  size_t max_queue = 1024;       // waiting requests; more are refused
  int priority = 0;              // of its requests where they name none: 1 is the highest, 0 the middle
  bool batch_any_shape = false;  // trust that the first dimension is the batch where the check can't tell
  // Which versions are served: the newest `latest` ones, or exactly `versions`, or all (latest 0).
  size_t latest = 1;
  std::vector<int64_t> versions;
  std::map<std::string, int64_t> labels;
  std::vector<std::filesystem::path> custom_ops;            // libraries of custom operators for ONNX Runtime
  std::map<std::string, std::vector<std::string>> classes;  // labels of an output's classes, by output name
};

class Model {
 public:
  // Runs the model once or a few times: to warm it, to learn what it costs, and to find out whether requests may be put
  // together (see `batches`). Throws what the session throws when a model of fixed shapes can't run at all.
  Model(std::string name, int64_t version, runtime::Session session, ModelConfig config);

  const std::string& name() const { return name_; }
  int64_t version() const { return version_; }
  const std::string& version_text() const { return version_text_; }
  const runtime::Session& session() const { return session_; }
  const ModelConfig& config() const { return config_; }

  // True when the first dimension of every input and output is a batch: it is free in the file, and running two rows
  // together gave the same as running each alone.
  bool batches() const { return batches_; }

  Statistics& statistics() const { return statistics_; }

  // What it takes of the repository's memory budget, about.
  uint64_t bytes() const { return bytes_; }
  void set_bytes(uint64_t bytes) { bytes_ = bytes; }
  // When a request last asked for it.
  Clock::time_point last_use() const { return Clock::time_point(Clock::duration(last_use_.load())); }
  void note_use() const { last_use_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }

  // Running average of the time that Session::run takes for a request; 0 when it never ran.
  Clock::duration cost() const { return Clock::duration(cost_.load(std::memory_order_relaxed)); }
  Clock::duration row_cost() const { return Clock::duration(row_cost_.load(std::memory_order_relaxed)); }
  void note_cost(Clock::duration run, size_t rows) const;

 private:
  std::string name_;
  int64_t version_;
  std::string version_text_;
  runtime::Session session_;
  ModelConfig config_;
  bool batches_ = false;
  mutable Statistics statistics_;
  mutable std::atomic<int64_t> cost_{0};
  mutable std::atomic<int64_t> row_cost_{0};
  uint64_t bytes_ = 0;
  mutable std::atomic<Clock::rep> last_use_{Clock::now().time_since_epoch().count()};
};

}  // namespace onward::serving
