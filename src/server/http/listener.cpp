#include "server/http/listener.h"

#include <fmt/format.h>

#include <optional>

#include "runtime/cpu_budget.h"
#include "server/http/connection.h"

namespace onward::server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = serving::Clock;

// To clients beyond the limit of connections.
constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 40\r\nRetry-After: 1\r\n"
    "Connection: close\r\n\r\n{\"error\":\"too many connections; retry\"}\n";

// Connections made with a context keep what they need of it when it goes.
asio::ssl::context make_tls(const TlsOptions& options) {
  if (options.certificate.empty() || options.key.empty()) {
    fail_invalid("TLS wants both a certificate and its key",
                 "without both nothing is encrypted, and no client is checked");
  }
  asio::ssl::context context(asio::ssl::context::tls_server);
  std::string what = "the TLS certificate " + options.certificate;
  try {
    context.set_options(asio::ssl::context::no_sslv2 | asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                        asio::ssl::context::no_tlsv1_1);
    context.use_certificate_chain_file(options.certificate);
    what += " with the key " + options.key;
    context.use_private_key_file(options.key, asio::ssl::context::pem);
    if (!options.client_ca.empty()) {
      what = "the authority of clients " + options.client_ca;
      context.load_verify_file(options.client_ca);
      context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    }
  } catch (const boost::system::system_error& error) {
    fail_invalid(fmt::format("{} can't be used: {}", what, error.code().message()), "give PEM files that fit together");
  }
  return context;
}

}  // namespace

struct Listener::Impl {
  explicit Impl(const ListenerOptions& given) : options(given), workers(static_cast<size_t>(runtime::cpu_budget())) {}

  ListenerOptions options;
  asio::thread_pool workers;
  Shared shared;
  std::vector<std::unique_ptr<Loop>> loops;
  std::optional<tcp::acceptor> acceptor;
  std::atomic<std::shared_ptr<asio::ssl::context>> tls;  // null: no TLS
  size_t next_loop = 0;

  void bind() {
    error_code error;
    const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
    if (error) {
      fail_invalid(fmt::format("\"{}\" is not an address to listen on", options.host),
                   "use 127.0.0.1 (this machine only), 0.0.0.0 (all interfaces) or one of this machine's addresses");
    }
    const tcp::endpoint endpoint(address, options.port);
    acceptor.emplace(loops.front()->context);
    acceptor->open(endpoint.protocol());
    acceptor->set_option(tcp::acceptor::reuse_address(true));
    acceptor->bind(endpoint, error);
    if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
    if (!error) return;
    const std::string where = fmt::format("{}:{}", options.host, options.port);
    if (error == asio::error::address_in_use) {
      throw Error(Code::kAlreadyExists, fmt::format("can't listen on {}: the port is in use", where),
                  "choose another one with --http PORT (0: any free one)");
    }
    const bool denied = error == asio::error::access_denied;
    throw Error(denied ? Code::kPermissionDenied : Code::kInvalidArgument,
                fmt::format("can't listen on {}: {}", where, error.message()));
  }

  void accept() {
    Loop& loop = *loops[next_loop++ % loops.size()];
    acceptor->async_accept(loop.context, [this, &loop](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || shared.stopping) return;
      if (!error && shared.connections < options.limits.connections) {
        asio::post(loop.context,
                   [this, &loop, socket = std::move(socket)]() mutable { open(loop, std::move(socket)); });
      } else if (!error) {
        turn_away(socket);
      }
      // Out of file descriptors: the client waits in the backlog meanwhile.
      if (error == asio::error::no_descriptors) return retry_later();
      accept();
    });
  }

  void turn_away(tcp::socket& socket) const {
    if (tls.load()) return;
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kBusy), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  void retry_later() {
    auto timer = std::make_shared<asio::steady_timer>(loops.front()->context, std::chrono::milliseconds(50));
    timer->async_wait([this, timer](error_code) { accept(); });
  }

  void open(Loop& loop, tcp::socket socket) {
    if (const auto context = tls.load()) {
      serve(loop, shared, std::move(socket), *context);
    } else {
      serve(loop, shared, std::move(socket));
    }
  }

  // Runs `action` for each connection in its own thread.
  void for_each(const std::function<void(ConnectionBase&)>& action) {
    for (const auto& loop : loops) {
      asio::post(loop->context, [loop = loop.get(), action] {
        for (const auto& connection : loop->alive()) action(*connection);
      });
    }
  }
};

Listener::Listener(const ListenerOptions& options, Handle handle) : impl_(std::make_unique<Impl>(options)) {
  impl_->shared.limits = options.limits;
  impl_->shared.handle = std::move(handle);
  impl_->shared.workers = &impl_->workers;
  const int threads = options.threads > 0 ? options.threads : std::min(runtime::cpu_budget(), 8);
  for (int i = 0; i < threads; ++i) impl_->loops.push_back(std::make_unique<Loop>());
  reload_tls();
  impl_->bind();
}

Listener::~Listener() { stop(std::chrono::milliseconds(0)); }

uint16_t Listener::port() const { return impl_->acceptor->local_endpoint().port(); }
size_t Listener::connections() const { return impl_->shared.connections; }

void Listener::reload_tls() {
  const TlsOptions& options = impl_->options.tls;
  if (options.wanted()) impl_->tls = std::make_shared<asio::ssl::context>(make_tls(options));
}

void Listener::start() {
  impl_->accept();
  for (const auto& loop : impl_->loops) {
    loop->sweep_soon();
    loop->thread = std::thread([&context = loop->context] { context.run(); });
  }
}

void Listener::stop(std::chrono::milliseconds patience) {
  if (impl_->shared.stopping.exchange(true)) return;
  asio::post(impl_->loops.front()->context, [this] {
    error_code ignored;
    impl_->acceptor->close(ignored);
  });
  const auto until = Clock::now() + patience;
  impl_->for_each([](ConnectionBase& connection) { connection.stop_when_idle(); });
  while (connections() > 0 && Clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  impl_->for_each([](ConnectionBase& connection) { connection.close(); });
  impl_->workers.join();
  for (const auto& loop : impl_->loops) {
    asio::post(loop->context, [loop = loop.get()] {
      loop->sweep.cancel();
      loop->context.stop();
    });
    if (loop->thread.joinable()) loop->thread.join();
  }
}

}  // namespace onward::server::http
