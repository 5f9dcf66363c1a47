// What `onward serve` can be told.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/http/listener.h"
#include "serving/repository.h"
#include "serving/scheduler.h"

namespace onward::server {

enum class Role { kOpen, kInfer, kAdmin };

struct ApiKey {
  std::string key;
  Role role = Role::kInfer;
};

struct Context;

// What serves the same models by another protocol than HTTP, from when it is made.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual uint16_t port() const = 0;
  // Takes no more calls, lets those that go on finish for at most `patience`, then ends them.
  virtual void stop(std::chrono::milliseconds patience) = 0;
};

struct ServeOptions {
  http::ListenerOptions http;
  int grpc_port = -1;  // -1: no gRPC; 0: any free one
  // Makes the gRPC endpoint: grpc::listen, or nothing in a program without gRPC. Throws Error.
  std::function<std::unique_ptr<Endpoint>(Context&)> grpc;
  serving::RepositoryOptions repository;
  serving::SchedulerOptions scheduler;
  std::chrono::seconds poll{0};                    // 0: the repository is read once
  bool admin = false;                              // loading and unloading by request
  std::vector<ApiKey> keys;                        // empty: no key is asked for
  std::function<std::vector<ApiKey>()> read_keys;  // anew, on SIGHUP; may throw Error: the old ones stay
  bool access_log = false;                         // a JSON line per request on stderr
  std::string otlp;  // where traces go, like "http://127.0.0.1:4318/v1/traces"; empty: nowhere
  std::chrono::milliseconds drain{30'000};
};

}  // namespace onward::server
