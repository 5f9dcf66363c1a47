#include "load.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

namespace onward::bench {
namespace {

using Clock = std::chrono::steady_clock;

class Client {
 public:
  explicit Client(const Load& load)
      : request_(fmt::format(
                     "POST {} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                     load.path, load.body.size()) +
                 load.body),
        buffer_(1 << 20) {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(load.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("can't connect to the server");
    }
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends the request and reads the whole answer; true for 200.
  bool exchange() {
    for (size_t sent = 0; sent < request_.size();) {
      const ssize_t count = send(socket_, request_.data() + sent, request_.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) throw std::runtime_error("the server closed the connection");
      sent += static_cast<size_t>(count);
    }
    size_t have = 0;
    size_t head = std::string_view::npos;
    while (head == std::string_view::npos) {
      have += receive(have);
      head = std::string_view(buffer_.data(), have).find("\r\n\r\n");
    }
    const std::string_view text(buffer_.data(), head);
    constexpr std::string_view kLength = "Content-Length: ";
    size_t length = 0;
    const char* const digits = text.data() + text.find(kLength) + kLength.size();
    std::from_chars(digits, text.data() + head, length);
    const bool ok = text.substr(9, 3) == "200";
    for (size_t body = have - head - 4; body < length;) body += receive(0);
    return ok;
  }

 private:
  size_t receive(size_t at) {
    const ssize_t count = recv(socket_, buffer_.data() + at, buffer_.size() - at, 0);
    if (count <= 0) throw std::runtime_error("the server closed the connection");
    return static_cast<size_t>(count);
  }

  std::string request_;
  std::vector<char> buffer_;
  int socket_ = -1;
};

}  // namespace

Result run(const Load& load) {
  std::vector<std::vector<double>> times(static_cast<size_t>(load.connections));
  std::vector<size_t> failed(times.size());
  std::vector<std::thread> threads;
  const auto start = Clock::now();
  for (size_t i = 0; i < times.size(); ++i) {
    threads.emplace_back([&, i] {
      Client client(load);
      while (Clock::now() - start < load.duration) {
        const auto begin = Clock::now();
        if (!client.exchange()) ++failed[i];
        times[i].push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::vector<double> all;
  Result result;
  for (const auto& some : times) all.insert(all.end(), some.begin(), some.end());
  for (const size_t count : failed) result.failed += count;
  std::sort(all.begin(), all.end());
  result.count = all.size();
  result.per_second = static_cast<double>(all.size()) / seconds;
  for (const double time : all) result.mean_ms += time / static_cast<double>(all.size());
  result.p99_ms = all.empty() ? 0 : all[all.size() * 99 / 100];
  return result;
}

}  // namespace onward::bench
