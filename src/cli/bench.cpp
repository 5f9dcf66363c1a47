#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "cli/options.h"
#include "cli/predict/printing.h"
#include "cli/remote_model.h"
#include "cli/verbs.h"
#include "tasks/feeds/feeds.h"
#include "tasks/loading.h"
#include "tasks/random_feeds.h"

namespace onward::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct Arguments {
  std::string model;
  std::vector<std::string> headers;
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
  size_t memory = 0;              // the process at its peak; 0 where it runs elsewhere

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

// Each client sends its next request when it has its answer; `predict` gets the client's number.
template <class Predict>
void run_clients(const Arguments& arguments, Measured& measured, const Predict& predict) {
  std::vector<std::vector<double>> times(static_cast<size_t>(arguments.clients));
  std::vector<std::exception_ptr> failures(times.size());
  const Clock::time_point start = Clock::now();
  const auto client = [&](size_t number) {
    try {
      do {
        const Clock::time_point begin = Clock::now();
        predict(number);
        times[number].push_back(Milliseconds(Clock::now() - begin).count());
      } while (Clock::now() - start < std::chrono::duration<double>(arguments.seconds));
    } catch (const Error&) {
      failures[number] = std::current_exception();
    }
  };
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < times.size(); ++i) threads.emplace_back([&, i] { client(i); });
  client(0);
  threads.clear();
  measured.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  for (const std::vector<double>& own : times) {
    measured.latencies.insert(measured.latencies.end(), own.begin(), own.end());
  }
  std::sort(measured.latencies.begin(), measured.latencies.end());
}

std::vector<ir::Tensor> feeds(const Arguments& arguments, const std::vector<runtime::ValueInfo>& inputs) {
  return arguments.feeds.empty() ? tasks::random_feeds(inputs, 1)
                                 : tasks::read_feeds(arguments.feeds, inputs, serving::PixelRange::kAuto);
}

// The first prediction apart: it warms up.
template <class Predict>
void time_predictions(const Arguments& arguments, Measured& measured, const Predict& predict) {
  const Clock::time_point first = Clock::now();
  predict(0);
  measured.first_ms = Milliseconds(Clock::now() - first).count();
  run_clients(arguments, measured, predict);
}

Measured measure_file(const Arguments& arguments) {
  convert::Options options;
  options.import = arguments.import.options();
  if (arguments.threads > 0) runtime::configure_environment({.threads = arguments.threads});
  Measured measured;
  const Clock::time_point start = Clock::now();
  const runtime::Session session = tasks::open_session(arguments.model, options, {.custom_ops = arguments.custom_ops});
  measured.load_ms = Milliseconds(Clock::now() - start).count();
  const std::vector<ir::Tensor> inputs = feeds(arguments, session.inputs());
  time_predictions(arguments, measured, [&](size_t) { session.run(inputs); });
  measured.memory = peak_memory();
  return measured;
}

client::Headers headers_of(const std::vector<std::string>& given) {
  client::Headers headers;
  for (const std::string& header : given) {
    const size_t colon = header.find(':');
    if (colon == 0 || colon == std::string::npos) fail_invalid("--header " + header + " is no NAME: VALUE");
    const size_t value = header.find_first_not_of(' ', colon + 1);
    headers[header.substr(0, colon)] = value == std::string::npos ? "" : header.substr(value);
  }
  return headers;
}

Measured measure_server(const Arguments& arguments) {
  if (arguments.threads > 0) fail_invalid("--threads is the server's affair", "leave it out for a URL");
  Measured measured;
  const Clock::time_point start = Clock::now();
  const RemoteModel model(arguments.model, headers_of(arguments.headers));
  measured.load_ms = Milliseconds(Clock::now() - start).count();
  const RemoteModel::Request request = model.request(feeds(arguments, model.inputs()));
  std::vector<std::unique_ptr<client::Connection>> connections;
  for (int i = 0; i < arguments.clients; ++i) connections.push_back(model.connect());
  time_predictions(arguments, measured, [&](size_t number) { model.predict(*connections[number], request); });
  return measured;
}

Measured measure(const Arguments& arguments) {
  if (client::is_url(arguments.model)) return measure_server(arguments);
  if (!arguments.headers.empty()) fail_invalid("--header goes with a URL");
  return measure_file(arguments);
}

void print(const Arguments& arguments, const Measured& measured) {
  const double rate = static_cast<double>(measured.latencies.size()) / measured.seconds;
  if (arguments.json) {
    const Json latency = Json::object({{"p50", measured.percentile(0.5)},
                                       {"p90", measured.percentile(0.9)},
                                       {"p99", measured.percentile(0.99)},
                                       {"most", measured.latencies.back()}});
    Json::Object members{{"model", arguments.model},
                         {"clients", arguments.clients},
                         {"predictions", measured.latencies.size()},
                         {"predictions_per_second", rate},
                         {"load_milliseconds", measured.load_ms},
                         {"first_milliseconds", measured.first_ms},
                         {"latency_milliseconds", latency}};
    if (measured.memory > 0) members.emplace_back("peak_memory_bytes", measured.memory);
    fmt::print("{}\n", Json::object(std::move(members)).dump(2));
    return;
  }
  fmt::print("{}\n", arguments.model);
  const bool remote = measured.memory == 0;
  fmt::print("{} {:.1f} ms, first prediction {:.2f} ms\n", remote ? "asked in:  " : "loaded in: ", measured.load_ms,
             measured.first_ms);
  fmt::print("latency:    p50 {:.3f} ms, p90 {:.3f} ms, p99 {:.3f} ms, most {:.3f} ms\n", measured.percentile(0.5),
             measured.percentile(0.9), measured.percentile(0.99), measured.latencies.back());
  fmt::print("throughput: {:.1f} predictions/s with {} ({} in {:.1f} s)\n", rate,
             counted(static_cast<size_t>(arguments.clients), "client"), measured.latencies.size(), measured.seconds);
  if (!remote) fmt::print("memory:     {} at most\n", size_text(measured.memory));
}

}  // namespace

void add_bench(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb =
      *app.add_subcommand("bench", "Measure a model, or a server's: latency percentiles, throughput, memory");
  verb.footer(
      "Examples:\n"
      "  onward bench Model.keras\n"
      "  onward bench Small.onnx --input photo.png --clients 4 --seconds 10\n"
      "  onward bench http://127.0.0.1:8000/v2/models/tf --clients 8\n"
      "A URL is a model that Onward, Triton or another server of the Open Inference Protocol v2 offers.");
  verb.add_option("MODEL", arguments->model, "The model file or SavedModel folder, of any supported format, or a URL")
      ->required();
  verb.add_option("--header", arguments->headers, "A header for a URL's requests, such as its key; may be repeated")
      ->type_name("'NAME: VALUE'")
      ->take_all()
      ->allow_extra_args(false);
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
