// The HTTP listener: accepts connections, reads requests within limits, hands them to a handler and sends the answers.
//
// A few threads serve all connections. Small requests are handled in the connection's thread, large ones (whose parsing
// takes a while) in a worker's.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "server/http/message.h"

namespace onward::server::http {

struct TlsOptions {
  std::string certificate;  // PEM files; TLS is off without any of them
  std::string key;
  std::string client_ca;  // mutual TLS: clients must show a certificate of this authority

  bool wanted() const { return !certificate.empty() || !key.empty() || !client_ca.empty(); }
};

struct Limits {
  size_t header_bytes = 16 * 1024;
  size_t body_bytes = 256UL << 20;
  size_t decompressed_bytes = 512UL << 20;
  size_t connections = 16384;        // more are answered with 503 and closed
  std::chrono::seconds idle{75};     // between requests
  std::chrono::seconds request{30};  // from a request's first byte to its last
};

struct ListenerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8000;  // 0: any free one
  int threads = 0;       // 0: by the CPU budget
  Limits limits;
  TlsOptions tls;
};

class Listener {
 public:
  // Binds and listens; throws Error: kAlreadyExists when the port is in use, kInvalidArgument for a bad address or
  // certificate, kPermissionDenied for a privileged port.
  Listener(const ListenerOptions& options, Handle handle);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint16_t port() const;
  void start();
  // Reads the TLS certificate and key anew, for the connections that come. Throws Error(kInvalidArgument) where they
  // can't be used: the old ones stay.
  void reload_tls();
  // Accepts no more, lets what is being answered finish for at most `patience`, then closes everything.
  void stop(std::chrono::milliseconds patience);
  size_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onward::server::http
