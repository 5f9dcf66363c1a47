// A client of HTTP servers: one kept-alive connection.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace onward::client {

struct Url {
  bool tls = false;
  std::string host;
  std::string port;
  std::string path;  // "/" at least, with the query
};

bool is_url(std::string_view text);  // begins with http:// or https://
// `default_port` where it names none; empty: 80 or 443. Throws Error(kInvalidArgument) that says what is wrong with it.
Url parse_url(std::string_view text, std::string_view default_port = {});

struct Answer {
  int status = 0;
  std::string body;
};

using Headers = std::map<std::string, std::string>;

// Not thread safe: one for each thread. https:// servers are checked against the system's certificates.
class Connection {
 public:
  // Connects with the first exchange.
  Connection(Url url, std::chrono::milliseconds patience);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One request and its answer, whatever its status; `body` is empty for GET. Throws Error: kUnavailable (no
  // connection, an answer that breaks off), kDeadlineExceeded after `patience`. The next exchange connects anew.
  Answer exchange(std::string_view method, const std::string& target, std::string_view body, const Headers& headers);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onward::client
