#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <memory>

#include "base/error.h"
#include "cli/predict/program.h"
#include "cli/predict/sources.h"
#include "cli/predict/verbs.h"
#include "server/server.h"

namespace onward::cli {
namespace {

struct Arguments {
  std::vector<std::string> sources;
  std::string folder;
  std::string keys_file;
  size_t body_mb = 256;
  int64_t request_seconds = 30;
  int64_t idle_seconds = 75;
  uint64_t memory_mb = 0;
  int64_t poll = 0;
  server::ServeOptions options;
};

// Lines of "infer KEY" or "admin KEY"; # begins a comment.
std::vector<server::ApiKey> read_keys(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) fail_not_found("can't read the key file " + file);
  std::vector<server::ApiKey> keys;
  size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const size_t space = line.find(' ');
    const std::string role = line.substr(0, space);
    if (space == std::string::npos || space + 1 == line.size() || (role != "infer" && role != "admin")) {
      fail_invalid(fmt::format("{}:{}: expected \"infer KEY\" or \"admin KEY\"", file, number));
    }
    keys.push_back({line.substr(space + 1), role == "admin" ? server::Role::kAdmin : server::Role::kInfer});
  }
  if (keys.empty()) fail_invalid(file + " holds no key");
  return keys;
}

void announce(const server::Server& server, const Arguments& arguments, std::chrono::steady_clock::time_point start) {
  for (const serving::IndexEntry& entry : server.index()) {
    if (entry.state == serving::State::kReady) continue;
    fmt::print(stderr, "error: {} is not served: {}\n", entry.name, entry.reason);
  }
  for (const serving::ModelPtr& model : server.models()) {
    fmt::print("{} (version {})\n", model->name(), model->version());
    for (const runtime::ValueInfo& input : model->session().inputs()) {
      fmt::print("  in   {} {} {}\n", input.name, ir::dtype_name(input.dtype), ir::shape_text(input.shape));
    }
    for (const runtime::ValueInfo& output : model->session().outputs()) {
      fmt::print("  out  {} {} {}\n", output.name, ir::dtype_name(output.dtype), ir::shape_text(output.shape));
    }
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  const bool tls = arguments.options.http.tls.wanted();
  const std::string& host = arguments.options.http.host;
  const std::string address = host.find(':') == std::string::npos ? host : "[" + host + "]";
  std::string grpc;
  if (server.grpc_port() >= 0) grpc = fmt::format(" and gRPC on {}:{}", address, server.grpc_port());
  fmt::print("serving {} models on {}://{}:{}{} after {} ms\n", server.models().size(), tls ? "https" : "http", address,
             server.http_port(), grpc, ms.count());
  std::fflush(stdout);
}

void run(Arguments& arguments, const Host& host) {
  const auto start = std::chrono::steady_clock::now();
  server::ServeOptions& options = arguments.options;
  const bool none_named = arguments.sources.empty() && arguments.folder.empty();
  if (none_named && host.own) options.repository.models = host.own();
  if (none_named && !host.own) {
    throw CLI::ValidationError("nothing to serve: name model files, or a folder of models with --models DIR",
                               CLI::ExitCodes::ValidationError);
  }
  for (const std::string& source : arguments.sources) options.repository.models.push_back(parse_source(source));
  if (!arguments.folder.empty()) options.repository.folder = arguments.folder;
  options.repository.convert = host.convert;
  options.grpc = host.grpc;
  options.repository.memory_bytes = arguments.memory_mb << 20;
  options.poll = std::chrono::seconds(arguments.poll);
  options.http.limits.body_bytes = arguments.body_mb << 20;
  options.http.limits.decompressed_bytes = 2 * options.http.limits.body_bytes;
  options.http.limits.request = std::chrono::seconds(arguments.request_seconds);
  options.http.limits.idle = std::chrono::seconds(arguments.idle_seconds);
  if (!arguments.keys_file.empty()) {
    options.read_keys = [file = arguments.keys_file] { return read_keys(file); };
    options.keys = options.read_keys();
  }
  server::block_signals();
  server::Server server(options);
  server.start();
  announce(server, arguments, start);
  server.wait();
}

}  // namespace

void add_serve(CLI::App& app, const Host& host) {
  auto arguments = std::make_shared<Arguments>();
  server::ServeOptions& options = arguments->options;
  CLI::App& verb = *app.add_subcommand("serve", "Serve models over HTTP");
  verb.footer("Examples:\n" + host.serve_examples +
              "\nThen: curl -d '{\"input\": [[1, 2, 3]]}' http://127.0.0.1:8080/predict");
  verb.add_option("SRC", arguments->sources,
                  "What to serve, each with a name of its own where you give one: " + host.files)
      ->type_name("[NAME=]FILE");
  verb.add_option("--models", arguments->folder, "A folder with NAME/VERSION/model.*, NAME.onnx or other model files")
      ->type_name("DIR");
  verb.add_option("--host", options.http.host, "The address to listen on")->capture_default_str();
  verb.add_option("--http", options.http.port, "The port for HTTP; 0: any free one")->capture_default_str();
  if (host.grpc) {
    verb.add_option("--grpc", options.grpc_port, "The port for gRPC; 0: any free one (default: no gRPC)")
        ->check(CLI::Range(0, 65535))
        ->type_name("PORT");
  }
  verb.add_option("--poll", arguments->poll, "Look for new, changed and removed models every so many seconds")
      ->check(CLI::Range(0, 86400))
      ->type_name("SECONDS");
  verb.add_option("--memory", arguments->memory_mb,
                  "About how much all models may take; those not used for longest make room and are loaded on demand")
      ->check(CLI::Range(1, 1 << 24))
      ->type_name("MB");
  verb.add_flag("--admin", options.admin, "Allow loading and unloading models by request");
  verb.add_option("--keys", arguments->keys_file, "A file of API keys, one \"infer KEY\" or \"admin KEY\" per line")
      ->type_name("FILE");
  verb.add_option("--tls-cert", options.http.tls.certificate, "TLS certificate chain (PEM)")->type_name("FILE");
  verb.add_option("--tls-key", options.http.tls.key, "TLS private key (PEM)")->type_name("FILE");
  verb.add_option("--tls-client-ca", options.http.tls.client_ca,
                  "Only clients with a certificate of this authority (PEM)")
      ->type_name("FILE");
  verb.add_option("--max-body", arguments->body_mb, "The largest request body in MiB")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  verb.add_option("--otlp", options.otlp, "Send traces there, e.g. http://127.0.0.1:4318/v1/traces")->type_name("URL");
  verb.add_option("--max-connections", options.http.limits.connections, "The most HTTP connections at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  verb.add_option("--request-timeout", arguments->request_seconds,
                  "How long a client may take to send a request, in seconds")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  verb.add_option("--idle-timeout", arguments->idle_seconds, "How long a connection may wait between requests")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  add_custom_ops(verb, options.repository.custom_ops);
  verb.add_flag("--access-log", options.access_log, "Write a JSON line per request to stderr");
  verb.callback([arguments, host] { run(*arguments, host); });
}

}  // namespace onward::cli
