#include "server/server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "server/access_log.h"
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
        scheduler(std::make_unique<serving::Scheduler>(options.scheduler)),
        background(std::make_unique<Background>()),
        context{options, repository, *scheduler, *background},
        router(routes()),
        listener(options.http, [this](http::RequestPtr request, http::Respond respond) {
          handle(std::move(request), std::move(respond));
        }) {
    repository.load_all();
  }

  void handle(http::RequestPtr request, http::Respond respond) {
    context.requests.fetch_add(1, std::memory_order_relaxed);
    if (options.access_log) respond = logged(request, std::move(respond));
    router.handle(context, std::move(request), std::move(respond));
  }

  void poll_in_background() {
    background->post([this] { report(repository.poll()); });
  }

  void poll_until_stopped() {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, options.poll, [this] { return stopped; })) poll_in_background();
  }

  static void report(const std::vector<serving::IndexEntry>& failed) {
    for (const serving::IndexEntry& entry : failed) fmt::print(stderr, "error: {}: {}\n", entry.name, entry.reason);
  }

  ServeOptions options;
  serving::Repository repository;
  std::unique_ptr<serving::Scheduler> scheduler;
  std::unique_ptr<Background> background;
  Context context;
  Router router;
  http::Listener listener;
  std::mutex mutex;
  std::condition_variable wake;
  bool stopped = false;
  std::thread poller;
};

Server::Server(ServeOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() { stop(); }

void Server::start() {
  impl_->listener.start();
  if (impl_->options.poll.count() > 0) impl_->poller = std::thread([this] { impl_->poll_until_stopped(); });
}

void Server::wait() {
  const sigset_t signals = stop_signals();
  while (true) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) break;
    impl_->poll_in_background();
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
  if (impl_->poller.joinable()) impl_->poller.join();
  impl_->background.reset();
  impl_->listener.stop(impl_->options.drain);
  impl_->scheduler.reset();
}

uint16_t Server::http_port() const { return impl_->listener.port(); }
std::vector<serving::ModelPtr> Server::models() const { return impl_->repository.models(); }
std::vector<serving::IndexEntry> Server::index() const { return impl_->repository.index(); }

void block_signals() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace onward::server
