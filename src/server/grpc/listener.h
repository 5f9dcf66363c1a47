// The gRPC listener: receives calls, checks their keys and hands each message to its method's handler.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "server/http/listener.h"
#include "server/router.h"

namespace onward::server::grpc {

struct ListenerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8001;  // 0: any free one
  size_t message_bytes = 256UL << 20;
  http::TlsOptions tls;
};

class Listener {
 public:
  // Binds and serves from now on; throws Error(kAlreadyExists) when the port is in use, kInvalidArgument for an address
  // or certificate that can't be used. `context` must outlive it.
  Listener(const ListenerOptions& options, Context& context);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint16_t port() const;
  // Takes no more calls, lets those that go on finish for at most `patience`, then ends them.
  void stop(std::chrono::milliseconds patience);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onward::server::grpc
