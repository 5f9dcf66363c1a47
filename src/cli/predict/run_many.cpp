#include "cli/predict/run_many.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "cli/predict/answers.h"
#include "cli/predict/printing.h"
#include "tasks/feeds/feeds.h"
#include "tasks/feeds/sample_files.h"

namespace onward::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPoll{200};

// How a file looked when it was last seen; it is taken when it looks the same twice.
struct Seen {
  uintmax_t size = 0;
  fs::file_time_type changed;
  bool done = false;
};

class Watcher {
 public:
  Watcher(const runtime::Session& session, const WatchOptions& options) : session_(session), options_(options) {
    std::error_code error;
    if (!fs::is_directory(options.folder, error)) {
      fail_not_found("there is no folder " + options.folder + " to watch", "make it first");
    }
    if (options.output.empty()) fail_invalid("--watch has nowhere to write", "name a folder with -o");
    if (fs::equivalent(options.folder, options.output, error)) {
      fail_invalid("answers would lie among what is watched", "name another folder with -o");
    }
    fs::create_directories(options.output, error);
    if (!fs::is_directory(options.output, error)) fail_invalid(options.output + " is no folder");
    answer_kind("answer." + options.format, session.outputs().size());
  }

  void run() {
    do {
      look();
      std::this_thread::sleep_for(options_.once ? std::chrono::milliseconds{0} : kPoll);
    } while (!options_.once);
    if (failed_ > 0) fail_invalid(fmt::format("{} could not be answered", counted(failed_, "file")));
  }

 private:
  void look() {
    for (const std::string& file : tasks::sample_files(options_.folder)) {
      std::error_code error;
      const uintmax_t size = fs::file_size(file, error);
      const fs::file_time_type changed = fs::last_write_time(file, error);
      if (error) continue;  // gone meanwhile
      Seen& seen = seen_[file];
      const bool settled = options_.once || (seen.size == size && seen.changed == changed);
      if (seen.size != size || seen.changed != changed) seen = {size, changed, false};
      if (!settled || seen.done) continue;
      seen.done = true;
      const std::string answer = (fs::path(options_.output) / fs::path(file).stem()).string() + "." + options_.format;
      if (fs::exists(answer, error) && fs::last_write_time(answer, error) >= changed) continue;
      take(file, answer);
    }
  }

  void take(const std::string& file, const std::string& answer) {
    try {
      const auto start = std::chrono::steady_clock::now();
      const auto& infos = session_.outputs();
      const std::vector<ir::Tensor> outputs = session_.run(
          tasks::read_feeds(tasks::sample_feeds(file, session_.inputs()), session_.inputs(), options_.pixels));
      write_answers(answer, answer_kind(answer, infos.size()), infos, outputs);
      const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
      fmt::print("{} -> {} in {:.1f} ms\n", file, answer, time.count());
      std::fflush(stdout);
    } catch (const Error& error) {
      ++failed_;
      fmt::print(stderr, "error: {}: {}\n", file, error.message());
    }
  }

  const runtime::Session& session_;
  const WatchOptions& options_;
  std::map<std::string, Seen> seen_;
  size_t failed_ = 0;
};

}  // namespace

void watch_folder(const runtime::Session& session, const WatchOptions& options) { Watcher(session, options).run(); }

void answer_lines(const runtime::Session& session, std::istream& in, std::ostream& out) {
  size_t failed = 0;
  size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      out << answers_json(session.outputs(), session.run(tasks::read_json_feeds(line, session.inputs())));
    } catch (const Error& error) {
      ++failed;
      out << Json::object({{"error", fmt::format("line {}: {}", number, error.message())}}).dump() << "\n";
    }
    out.flush();
  }
  if (failed > 0) fail_invalid(fmt::format("{} could not be answered", counted(failed, "line")));
}

}  // namespace onward::cli
