#include "bridge/bridge.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "bridge/files.h"
#include "bridge/process.h"

namespace onward::bridge {
namespace {

namespace fs = std::filesystem;

void unpack(const fs::path& folder) {
  for (const EmbeddedFile& file : embedded_files()) {
    const fs::path path = folder / file.path;
    fs::create_directories(path.parent_path());
    const ByteView parts[] = {as_bytes(file.text)};
    write_file(path, parts);
  }
}

// The bridge goes first on the path, whatever "onward" the user may have installed; -B leaves no caches behind.
std::vector<std::string> command_line(const Request& request, const fs::path& code) {
  std::vector<std::string> command{
      request.python, "-B", "-c",
      "import sys; sys.path.insert(0, sys.argv.pop(1)); from onward.bridge.__main__ import main; sys.exit(main())",
      code.string()};
  command.push_back(request.framework == Framework::kTorch ? "torch" : "keras");
  // "=" keeps what begins with a dash from being taken for an option.
  command.push_back("--file=" + request.weights.string());
  command.push_back("--class=" + request.reference);
  for (const std::string& input : request.inputs) command.push_back("--input=" + input);
  command.push_back("--out=" + request.folder.string());
  return command;
}

std::string last_line(std::string_view text) {
  const size_t end = text.find_last_not_of(" \r\n\t");
  if (end == std::string_view::npos) return "";
  const size_t start = text.find_last_of('\n', end);
  return std::string(text.substr(start == std::string_view::npos ? 0 : start + 1, end + 1 - (start + 1)));
}

[[noreturn]] void fail_as_told(const Request& request, const Finished& finished, std::string_view errors) {
  const std::string line = last_line(errors);
  if (finished.signal == SIGINT) throw Error(Code::kCancelled, "interrupted");
  if (finished.signal != 0) {
    throw Error(Code::kInternal,
                fmt::format("{} was ended by a signal: {}{}", request.python, strsignal(finished.signal),
                            finished.signal == SIGKILL ? " (out of memory?)" : ""),
                line);
  }
  if (line.starts_with('{')) {
    const Json told = Json::parse(line);
    throw Error(Code::kFailedPrecondition, told.get("error", "the bridge failed"), told.get("hint", ""));
  }
  throw Error(Code::kFailedPrecondition,
              fmt::format("{} failed (exit status {}): {}", request.python, finished.exit_status, line),
              "is it a Python 3.8 or newer? --python names another");
}

Exported read_report(const fs::path& folder) {
  const Bytes file = map_file(folder / "bridge.json");
  const Json report = Json::parse(file.text());
  Exported exported{folder / report.at("model").as_string(),
                    folder / "inputs.npz",
                    folder / "outputs.npz",
                    report.get("framework", "") + " " + report.get("version", ""),
                    report.get("python", ""),
                    {}};
  for (const Json& note : report.at("notes").as_array()) exported.notes.push_back(note.as_string());
  return exported;
}

}  // namespace

Exported run(const Request& request) {
  const fs::path code = request.folder / "python";
  unpack(code);
  const fs::path errors = request.folder / "stderr";
  const Finished finished = run_program(command_line(request, code), request.folder / "stdout", errors);
  if (finished.exit_status != 0) fail_as_told(request, finished, map_file(errors).text());
  return read_report(request.folder);
}

}  // namespace onward::bridge
