#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "base/json.h"
#include "cli/options.h"
#include "cli/printing.h"
#include "cli/verbs.h"
#include "tasks/feeds.h"
#include "tasks/loading.h"
#include "tasks/random_feeds.h"

namespace onward::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct Arguments {
  std::string model;
  std::vector<std::string> feeds;
  double seconds = 3;
  int clients = 1;
  int threads = 0;
  bool json = false;
  std::vector<std::filesystem::path> custom_ops;
  ImportArguments import;
};

struct Measured {
  double load_ms = 0;
  double first_ms = 0;
  double seconds = 0;
  std::vector<double> latencies;  // sorted
  size_t memory = 0;              // the process at its peak

  double percentile(double part) const {
    const auto index = static_cast<size_t>(part * static_cast<double>(latencies.size() - 1) + 0.5);
    return latencies[index];
  }
};

size_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) * 1024;
}

// Each client sends its next request when it has its answer.
void run_clients(const runtime::Session& session, const std::vector<ir::Tensor>& inputs, const Arguments& arguments,
                 Measured& measured) {
  std::vector<std::vector<double>> times(static_cast<size_t>(arguments.clients));
  const Clock::time_point start = Clock::now();
  const auto client = [&](std::vector<double>& own) {
    do {
      const Clock::time_point begin = Clock::now();
      session.run(inputs);
      own.push_back(Milliseconds(Clock::now() - begin).count());
    } while (Clock::now() - start < std::chrono::duration<double>(arguments.seconds));
  };
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < times.size(); ++i) threads.emplace_back([&, i] { client(times[i]); });
  client(times[0]);
  threads.clear();
  measured.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  for (const std::vector<double>& own : times) {
    measured.latencies.insert(measured.latencies.end(), own.begin(), own.end());
  }
  std::sort(measured.latencies.begin(), measured.latencies.end());
}

Measured measure(const Arguments& arguments) {
  convert::Options options;
  options.import = arguments.import.options();
  if (arguments.threads > 0) runtime::configure_environment({.threads = arguments.threads});
  Measured measured;
  const Clock::time_point start = Clock::now();
  const runtime::Session session = tasks::open_session(arguments.model, options, {.custom_ops = arguments.custom_ops});
  measured.load_ms = Milliseconds(Clock::now() - start).count();
  const std::vector<ir::Tensor> inputs =
      arguments.feeds.empty() ? tasks::random_feeds(session.inputs(), 1)
                              : tasks::read_feeds(arguments.feeds, session.inputs(), serving::PixelRange::kAuto);
  const Clock::time_point first = Clock::now();
  session.run(inputs);
  measured.first_ms = Milliseconds(Clock::now() - first).count();
  run_clients(session, inputs, arguments, measured);
  measured.memory = peak_memory();
  return measured;
}

void print(const Arguments& arguments, const Measured& measured) {
  const double rate = static_cast<double>(measured.latencies.size()) / measured.seconds;
  if (arguments.json) {
    const Json latency = Json::object({{"p50", measured.percentile(0.5)},
                                       {"p90", measured.percentile(0.9)},
                                       {"p99", measured.percentile(0.99)},
                                       {"most", measured.latencies.back()}});
    fmt::print("{}\n", Json::object({{"model", arguments.model},
                                     {"clients", arguments.clients},
                                     {"predictions", measured.latencies.size()},
                                     {"predictions_per_second", rate},
                                     {"load_milliseconds", measured.load_ms},
                                     {"first_milliseconds", measured.first_ms},
                                     {"latency_milliseconds", latency},
                                     {"peak_memory_bytes", measured.memory}})
                           .dump(2));
    return;
  }
  fmt::print("{}\n", arguments.model);
  fmt::print("loaded in:  {:.1f} ms, first prediction {:.2f} ms\n", measured.load_ms, measured.first_ms);
  fmt::print("latency:    p50 {:.3f} ms, p90 {:.3f} ms, p99 {:.3f} ms, most {:.3f} ms\n", measured.percentile(0.5),
             measured.percentile(0.9), measured.percentile(0.99), measured.latencies.back());
  fmt::print("throughput: {:.1f} predictions/s with {} ({} in {:.1f} s)\n", rate,
             counted(static_cast<size_t>(arguments.clients), "client"), measured.latencies.size(), measured.seconds);
  fmt::print("memory:     {} at most\n", size_text(measured.memory));
}

}  // namespace

void add_bench(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("bench", "Measure a model: latency percentiles, throughput, memory");
  verb.footer(
      "Examples:\n"
      "  onward bench Model.keras\n"
      "  onward bench Small.onnx --input photo.png --clients 4 --seconds 10");
  verb.add_option("MODEL", arguments->model, "The model file or SavedModel folder, of any supported format")
      ->required();
  verb.add_option("--input", arguments->feeds, "What to feed, as for onward run (default: random numbers)")
      ->type_name("[NAME=]FILE")
      ->take_all();
  verb.add_option("--seconds", arguments->seconds, "How long to measure")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 86400.0))
      ->type_name("S");
  verb.add_option("--clients", arguments->clients, "So many predict at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  verb.add_option("--threads", arguments->threads, "Threads for one prediction (default: all CPUs there are)")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  verb.add_flag("--json", arguments->json, "Print JSON");
  add_custom_ops(verb, arguments->custom_ops);
  arguments->import.add_dims_to(verb, "--dims");
  verb.callback([arguments] { print(*arguments, measure(*arguments)); });
}

}  // namespace onward::cli
