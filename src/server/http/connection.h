// Inside src/server/http only: one connection, and the thread that serves it with others.
#pragma once

#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/http/listener.h"

namespace onward::server::http {

// What a connection needs of its listener.
struct Shared {
  Limits limits;
  Handle handle;
  boost::asio::thread_pool* workers = nullptr;
  std::atomic<size_t> connections{0};
  std::atomic<bool> stopping{false};
};

class ConnectionBase {
 public:
  virtual ~ConnectionBase() = default;
  // In the connection's thread: closes it when its time is up.
  virtual void check(serving::Clock::time_point now) = 0;
  // In the connection's thread: closes it when it is between requests.
  virtual void stop_when_idle() = 0;
  virtual void close() = 0;
};

// One thread's connections.
struct Loop {
  std::mutex mutex;
  std::map<ConnectionBase*, std::weak_ptr<ConnectionBase>> connections;
  boost::asio::io_context context{1};
  boost::asio::steady_timer sweep{context};
  std::thread thread;

  void add(const std::shared_ptr<ConnectionBase>& connection) {
    const std::lock_guard lock(mutex);
    connections[connection.get()] = connection;
  }
  // A connection's last owner may be the thread that made its answer.
  void remove(ConnectionBase* connection) {
    const std::lock_guard lock(mutex);
    connections.erase(connection);
  }
  std::vector<std::shared_ptr<ConnectionBase>> alive() {
    std::vector<std::shared_ptr<ConnectionBase>> all;
    const std::lock_guard lock(mutex);
    for (const auto& [key, connection] : connections) {
      if (auto held = connection.lock()) all.push_back(std::move(held));
    }
    return all;
  }

  void sweep_soon() {
    sweep.expires_after(std::chrono::seconds(1));
    sweep.async_wait([this](boost::system::error_code error) {
      if (error) return;
      for (const auto& connection : alive()) connection->check(serving::Clock::now());
      sweep_soon();
    });
  }
};

// Serve a connection from now on.
void serve(Loop& loop, Shared& shared, boost::asio::ip::tcp::socket socket);
void serve(Loop& loop, Shared& shared, boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls);

}  // namespace onward::server::http
