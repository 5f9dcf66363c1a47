#include "server/server.h"

#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "server/observe.h"
#include "server/router.h"
#include "server/routes.h"

namespace onward::server {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

struct Server::Impl {
  explicit Impl(ServeOptions given)
      : options(std::move(given)),
        repository(options.repository),
        tracer(options.otlp),
        scheduler(std::make_unique<serving::Scheduler>(options.scheduler)),
        background(std::make_unique<Background>(Background::Pace::kLeisurely)),
        on_demand(std::make_unique<Background>(Background::Pace::kWaitedFor)),
        keys(options.keys),
        context{options, repository, *scheduler, *background, *on_demand, keys, log, tracer},
        router(routes()),
        listener(options.http, [this](http::RequestPtr request, http::Respond respond) {
          handle(std::move(request), std::move(respond));
        }) {
    if (options.access_log) log.log_requests();
    repository.load_all();
    if (options.grpc_port < 0) return;
    if (!options.grpc) fail_unsupported("gRPC is not part of this program", "serve without --grpc");
    grpc = options.grpc(context);
  }

  void handle(http::RequestPtr request, http::Respond respond) {
    context.requests.fetch_add(1, std::memory_order_relaxed);
    router.handle(context, request, observed(context, request, std::move(respond)));
  }

  // What SIGHUP asks for. What can't be read stays as it was; connections stay open.
  void reload() {
    log.info("reloading", Json::object({{"reason", "SIGHUP"}}));
    const auto attempt = [this](const char* what, const auto& action) {
      try {
        action();
      } catch (const Error& error) {
        log.error(error.message(), Json::object({{"kept", what}}));
      }
    };
    attempt("the API keys", [this] {
      if (options.read_keys) keys.replace(options.read_keys());
    });
    attempt("the TLS certificate", [this] { listener.reload_tls(); });
    poll_in_background();
  }

  void poll_in_background() {
    background->post([this] {
      for (const serving::IndexEntry& entry : repository.poll()) {
        log.error(entry.reason, Json::object({{"model", entry.name}}));
      }
      context.watchers.changed();
    });
  }

  // Once a second: whether it is time to poll, and what health watchers should hear.
  void tick_until_stopped() {
    auto last_poll = serving::Clock::now();
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, std::chrono::seconds(1), [this] { return stopped; })) {
      context.watchers.changed();
      if (repository.has_retired()) background->post([this] { repository.free_retired(); });
      if (options.poll.count() == 0 || serving::Clock::now() - last_poll < options.poll) continue;
      last_poll = serving::Clock::now();
      poll_in_background();
    }
  }

  ServeOptions options;
  serving::Repository repository;
  Log log;
  Tracer tracer;
  std::unique_ptr<serving::Scheduler> scheduler;
  std::unique_ptr<Background> background;
  std::unique_ptr<Background> on_demand;
  KeyRing keys;
  Context context;
  Router router;
  http::Listener listener;
  std::unique_ptr<Endpoint> grpc;
  std::mutex mutex;
  std::condition_variable wake;
  bool stopped = false;
  std::thread ticker;
};

Server::Server(ServeOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() { stop(); }

void Server::start() {
  impl_->listener.start();
  impl_->ticker = std::thread([this] { impl_->tick_until_stopped(); });
}

void Server::wait() {
  const sigset_t signals = stop_signals();
  while (true) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) break;
    impl_->reload();
  }
  stop();
}

void Server::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopped) return;
    impl_->stopped = true;
  }
  impl_->wake.notify_all();
  impl_->context.draining = true;
  impl_->context.watchers.changed();
  if (impl_->ticker.joinable()) impl_->ticker.join();
  impl_->background.reset();
  impl_->on_demand.reset();
  std::thread stop_grpc([this] {
    if (impl_->grpc) impl_->grpc->stop(impl_->options.drain);
  });
  impl_->listener.stop(impl_->options.drain);
  stop_grpc.join();
  impl_->context.watchers.clear();
  impl_->scheduler.reset();
}

uint16_t Server::http_port() const { return impl_->listener.port(); }
int Server::grpc_port() const { return impl_->grpc ? impl_->grpc->port() : -1; }
void Server::add(const serving::Source& source) {
  impl_->repository.add(source);
  impl_->context.watchers.changed();
}

void Server::remove(const std::string& name) {
  impl_->repository.remove(name);
  impl_->context.watchers.changed();
}

std::vector<serving::ModelPtr> Server::models() const { return impl_->repository.models(); }
std::vector<serving::IndexEntry> Server::index() const { return impl_->repository.index(); }

void block_signals() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace onward::server
