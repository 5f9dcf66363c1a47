// A small load generator: closed-loop HTTP clients with kept-alive connections.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace onward::bench {

struct Load {
  uint16_t port = 0;
  std::string path;
  std::string body;
  int connections = 1;
  std::chrono::milliseconds duration{1000};
};

struct Result {
  double per_second = 0;
  double mean_ms = 0;
  double p99_ms = 0;
  size_t count = 0;   // answers
  size_t failed = 0;  // answers other than 200
};

// One thread with one connection each; throws std::runtime_error when the server can't be reached.
Result run(const Load& load);

}  // namespace onward::bench
