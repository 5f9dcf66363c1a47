// The server: models, scheduler and listeners put together.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/options.h"

namespace onward::server {

class Server {
 public:
  // Binds the ports and loads the models. Throws Error: a port in use, no model that can be served, a bad certificate.
  explicit Server(ServeOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  // Waits for SIGTERM or SIGINT, then stops gracefully: what was asked is answered, new connections are refused. On
  // SIGHUP it reads the models, API keys and certificates anew. Call block_signals() before any thread starts.
  void wait();
  void stop();

  uint16_t http_port() const;
  int grpc_port() const;  // -1: no gRPC
  // One more model, or one less, as serving::Repository does it; also while it serves.
  void add(const serving::Source& source);
  void remove(const std::string& name);

  std::vector<serving::ModelPtr> models() const;
  std::vector<serving::IndexEntry> index() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// So that wait() receives them: threads made later inherit this.
void block_signals();

}  // namespace onward::server
