// The subcommands that need nothing but ONNX Runtime: `run` and `serve`. What they need of the program they are part of
// comes in through Host.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/session.h"
#include "server/options.h"

namespace CLI {
class App;
}

namespace onward::cli {

// `own` is empty but in a program that brings models along (onward bundle); those are then run and served where the
// user names none, and found by their names.
struct Host {
  using Open =
      std::function<runtime::Session(const std::filesystem::path& model, const runtime::SessionOptions& options)>;
  // Called once with the verb `run`, which it may give options of its own. Open throws Error.
  std::function<Open(CLI::App& run)> opener;
  // See serving::RepositoryOptions and server::ServeOptions.
  std::function<Bytes(const std::filesystem::path&)> convert;
  std::function<std::unique_ptr<server::Endpoint>(server::Context&)> grpc;
  std::function<std::vector<serving::Source>()> own;
  // For the help: what a model may be, and examples.
  std::string files;
  std::string run_examples;
  std::string serve_examples;
};

// Each adds a subcommand whose callback does the work and throws onward::Error when it fails.
void add_run(CLI::App& app, const Host& host);
void add_serve(CLI::App& app, const Host& host);

}  // namespace onward::cli
