// The HTTP and gRPC server in this process: what `onward serve` runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "onward/export.h"
#include "onward/status.h"

namespace onward {

struct ServerOptions {
  struct Source {
    std::string name;
    std::filesystem::path path;  // a file or SavedModel folder of any supported format
  };
  std::vector<Source> models;    // may be empty: add() some later
  std::filesystem::path folder;  // of models, as docs/serving.md describes; empty: none

  std::string host = "127.0.0.1";
  uint16_t port = 0;             // HTTP; 0: any free one
  int grpc_port = -1;            // -1: no gRPC; 0: any free one
  std::chrono::seconds poll{0};  // how often to look for changed files; 0: never
  uint64_t memory_bytes = 0;     // for all models together, about; 0: no limit
  size_t max_body_bytes = 256 << 20;
  bool admin = false;                     // whether requests may load and unload models
  std::filesystem::path tls_certificate;  // PEM; both empty: no TLS
  std::filesystem::path tls_key;
  // Custom operators for all models; see LoadOptions.
  std::vector<std::filesystem::path> custom_ops;
};

// Serves from start() until stop() or the end of its life, on threads of its own. Movable; functions may be called from
// several threads at once, but for stop(). Signals are left alone. What was moved from may only be assigned or
// destroyed.
class ONWARD_API Server {
 public:
  // Binds the ports, loads the models and begins to answer. Fails with kAlreadyExists or kPermissionDenied for a port
  // that can't be had, and, where none of the models can be served, as Model::load does for the first of them.
  static Result<Server> start(const ServerOptions& options);

  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();  // as stop()

  uint16_t port() const;  // the same after stop()
  int grpc_port() const;  // -1: no gRPC

  // Loads one more model and serves it; the file is watched like the others. kAlreadyExists for a name in use;
  // otherwise fails as Model::load does, and nothing changes.
  Status add(const std::string& name, const std::filesystem::path& path);
  // Takes a model out of service; requests that run are answered. kNotFound for a name that is not served.
  Status remove(const std::string& name);

  struct Served {
    std::string name;
    int64_t version = 1;
    bool ready = false;
    std::string reason;  // why it is not ready
  };
  std::vector<Served> models() const;  // every version, by name

  // Refuses new connections, answers what was asked, ends. Once stopped, it stays so.
  void stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace onward
