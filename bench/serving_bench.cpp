// What serving adds to Session::run, as ratios within one run. Arguments: the folder of the fixture models, then a
// model of one 512x512 image (optional), then the one part to measure: small, cnn, batching or image (optional).
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "base/error.h"
#include "load.h"
#include "server/server.h"

namespace {

using namespace onward;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 3;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Measures both by turns, so that both see the same machine; the medians.
std::pair<double, double> by_turns(const std::function<double()>& a, const std::function<double()>& b) {
  std::vector<double> first;
  std::vector<double> second;
  for (int round = 0; round < kRounds; ++round) {
    first.push_back(a());
    second.push_back(b());
  }
  return {median(first), median(second)};
}

void report(const char* what, double value, double base, double target, bool at_least) {
  const double ratio = value / base;
  const bool met = at_least ? ratio >= target : ratio <= target;
  fmt::print("{:<66} {:>10.1f} / {:>10.1f} = {:.3f}  (wanted: {} {:.2f}){}\n", what, value, base, ratio,
             at_least ? "at least" : "at most", target, met ? "" : "  MISSED");
}

std::string numbers(size_t rows, size_t columns) {
  std::string text = "[";
  for (size_t i = 0; i < rows; ++i) {
    text += i == 0 ? "[" : ",[";
    for (size_t j = 0; j < columns; ++j) {
      fmt::format_to(std::back_inserter(text), "{}{:.6f}", j == 0 ? "" : ",",
                     static_cast<double>((i * 31 + j * 17) % 997) / 997);
    }
    text += ']';
  }
  return text + "]";
}

ir::Tensor input_for(const runtime::ValueInfo& info) {
  ir::Dims dims;
  for (const ir::Dim& dim : info.shape) dims.push_back(dim.is_known() ? dim.value() : 1);
  return ir::Tensor::filled(info.dtype, dims, 0.5);
}

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Rate {
  double per_second = 0;
  double per_processor_second = 0;  // of this whole process, clients too: what others on the machine do matters less
};

Rate request_rate(uint16_t port, const std::string& path, const std::string& body, int connections, int ms) {
  const double before = processor_seconds();
  const bench::Result result = bench::run({port, path, body, connections, std::chrono::milliseconds(ms)});
  const double used = processor_seconds() - before;
  if (result.failed > 0) fmt::print("{} requests to {} failed\n", result.failed, path);
  return {result.per_second, static_cast<double>(result.count) / used};
}

// Runs per second of `action` called by `threads` threads.
double calls_per_second(int threads, int ms, const std::function<void()>& action) {
  std::atomic<size_t> count{0};
  const auto start = Clock::now();
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      while (Clock::now() - start < std::chrono::milliseconds(ms)) {
        action();
        ++count;
      }
    });
  }
  for (std::thread& thread : all) thread.join();
  return static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - start).count();
}

void small_requests(const server::Server& server) {
  server::http::Listener empty({.port = 0}, [](const server::http::RequestPtr&, const server::http::Respond& respond) {
    respond(server::http::text_response("{}", "application/json"));
  });
  empty.start();
  const std::string body =
      R"({"inputs":[{"name":"features","shape":[1,10],"datatype":"FP32","data":[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1.0]}]})";
  std::vector<double> served_by_processor;
  std::vector<double> empty_by_processor;
  const auto rate_at = [&body](uint16_t port, std::vector<double>& by_processor) {
    const Rate rate = request_rate(port, "/v2/models/ten/infer", body, 4, 1000);
    by_processor.push_back(rate.per_processor_second);
    return rate.per_second;
  };
  const auto [served, baseline] = by_turns([&] { return rate_at(server.http_port(), served_by_processor); },
                                           [&] { return rate_at(empty.port(), empty_by_processor); });
  report("10-number JSON request, 4 clients: requests/s, served / empty handler", served, baseline, 0.8, true);
  report("the same per second of processor time", median(served_by_processor), median(empty_by_processor), 0.8, true);
}

void cnn_throughput(const serving::ModelPtr& model) {
  const runtime::Session& session = model->session();
  const std::vector<ir::Tensor> inputs{input_for(session.inputs().front())};
  serving::Scheduler scheduler;
  const auto [served, direct] =
      by_turns([&] { return calls_per_second(8, 1500, [&] { scheduler.run({.model = model, .inputs = inputs}); }); },
               [&] { return calls_per_second(8, 1500, [&] { session.run(inputs); }); });
  report("CNN at concurrency 8: runs/s, scheduler / Session::run", served, direct, 0.97, true);
}

void batching(const std::filesystem::path& file) {
  serving::ModelConfig alone;
  alone.max_batch = 1;
  const auto single = std::make_shared<serving::Model>("wide", 1, runtime::Session::load(file), alone);
  const auto batched =
      std::make_shared<serving::Model>("wide", 1, runtime::Session::load(file), serving::ModelConfig());
  serving::Scheduler scheduler;
  const std::vector<ir::Tensor> inputs{input_for(single->session().inputs().front())};
  const auto rate = [&](const serving::ModelPtr& model) {
    return calls_per_second(32, 1000, [&] { scheduler.run({.model = model, .inputs = inputs}); });
  };
  const auto [together, apart] = by_turns([&] { return rate(batched); }, [&] { return rate(single); });
  report("dense network at concurrency 32: runs/s, batched / one by one", together, apart, 2.0, true);
}

void large_request(const std::filesystem::path& file) {
  server::ServeOptions options;
  options.http.port = 0;
  options.repository.models.push_back({"image", file});
  server::Server server(options);
  server.start();
  const runtime::Session session = runtime::Session::load(file);
  const std::vector<ir::Tensor> inputs{input_for(session.inputs().front())};
  const std::string body = R"({"input":)" + numbers(512, 512) + "}";
  const auto [served, direct] = by_turns(
      [&] {
        return bench::run({server.http_port(), "/predict", body, 1, std::chrono::milliseconds(3000)}).mean_ms;
      },
      [&] { return 1000 / calls_per_second(1, 3000, [&] { session.run(inputs); }); });
  report("512x512 JSON request: ms, served / Session::run (share outside: 15 %)", served, direct, 1 / 0.85, false);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: serving_bench FIXTURES [MODEL.onnx [PART]]\n");
    return 2;
  }
  try {
    const std::filesystem::path fixtures = argv[1];
    server::block_signals();
    server::ServeOptions options;
    options.http.port = 0;
    options.repository.models = {{"cnn", fixtures / "cnn.onnx"}, {"ten", fixtures / "ten.onnx"}};
    server::Server server(options);
    server.start();
    const std::string_view only = argc > 3 ? argv[3] : "";
    const auto wanted = [only](std::string_view part) { return only.empty() || only == part; };
    if (wanted("small")) small_requests(server);
    if (wanted("cnn")) cnn_throughput(server.models().front());
    if (wanted("batching")) batching(fixtures / "wide.onnx");
    if (argc > 2 && wanted("image")) large_request(argv[2]);
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "error: {}\n", error.message());
    return 1;
  }
}
