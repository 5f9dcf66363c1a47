#include "onward/server.h"

#include "api/guard.h"
#include "server/grpc/listener.h"
#include "server/server.h"
#include "tasks/loading.h"

namespace onward {
namespace {

server::ServeOptions to_internal(const ServerOptions& options) {
  server::ServeOptions internal;
  for (const ServerOptions::Source& source : options.models) {
    internal.repository.models.push_back({source.name, source.path});
  }
  if (!options.folder.empty()) internal.repository.folder = options.folder;
  internal.repository.convert = tasks::converted_for_serving;
  internal.repository.custom_ops = options.custom_ops;
  internal.repository.memory_bytes = options.memory_bytes;
  internal.http.host = options.host;
  internal.http.port = options.port;
  internal.http.limits.body_bytes = options.max_body_bytes;
  internal.http.limits.decompressed_bytes = 2 * options.max_body_bytes;
  internal.http.tls.certificate = options.tls_certificate;
  internal.http.tls.key = options.tls_key;
  internal.grpc_port = options.grpc_port;
  internal.grpc = server::grpc::listen;
  internal.poll = options.poll;
  internal.admin = options.admin;
  return internal;
}

}  // namespace

struct Server::Impl {
  explicit Impl(const ServerOptions& options)
      : server(to_internal(options)), port(server.http_port()), grpc_port(server.grpc_port()) {
    server.start();
  }

  server::Server server;
  uint16_t port;
  int grpc_port;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::start(const ServerOptions& options) {
  return api::guarded([&] { return Server(std::make_unique<Impl>(options)); });
}

uint16_t Server::port() const { return impl_->port; }
int Server::grpc_port() const { return impl_->grpc_port; }

Status Server::add(const std::string& name, const std::filesystem::path& path) {
  return api::guarded([&] { impl_->server.add({name, path}); });
}

Status Server::remove(const std::string& name) {
  return api::guarded([&] { impl_->server.remove(name); });
}

std::vector<Server::Served> Server::models() const {
  std::vector<Served> models;
  for (const serving::IndexEntry& entry : impl_->server.index()) {
    models.push_back({entry.name, entry.version, entry.state == serving::State::kReady, entry.reason});
  }
  return models;
}

void Server::stop() { impl_->server.stop(); }

}  // namespace onward
