#include "cli/edge_program.h"

#include <elf.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/mapped_file.h"

namespace onward::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOnnxRuntime = "libonnxruntime.so.1";

// The C++ runtime is ONNX Runtime's, which looks beside itself first.
constexpr const char* kLibraries[] = {kOnnxRuntime, "libstdc++.so.6", "libgcc_s.so.1"};

std::optional<std::string> machine_of(const fs::path& path) {
  const Bytes file = map_file(path);
  Elf64_Ehdr header{};
  if (file.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, file.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) return std::nullopt;
  if (header.e_machine == EM_X86_64) return "x86_64";
  if (header.e_machine == EM_AARCH64) return "aarch64";
  return std::nullopt;
}

}  // namespace

std::string this_machine() {
  struct utsname names {};
  ::uname(&names);
  return names.machine;
}

EdgeProgram edge_program_at(const fs::path& path) {
  const std::optional<std::string> machine = machine_of(path);
  if (!machine) fail_invalid(path.string() + " is no program for x86_64 or aarch64", "name what make edge built");
  EdgeProgram program{path, *machine, {}};
  for (const char* library : kLibraries) {
    const fs::path beside = path.parent_path() / library;
    if (fs::exists(beside)) program.libraries.push_back(beside);
  }
  if (!fs::exists(path.parent_path() / kOnnxRuntime)) {
    fail_not_found(fmt::format("there is no {} beside {}", kOnnxRuntime, path.string()), "put it there");
  }
  return program;
}

EdgeProgram find_edge_program(const std::string& machine) {
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path build = here.parent_path();
  for (const fs::path& path : {here / "onward-edge", here / ("onward-edge-" + machine), build / "edge/dist/onward-edge",
                               build / "edge-aarch64/dist/onward-edge"}) {
    if (fs::is_regular_file(path) && machine_of(path) == machine) return edge_program_at(path);
  }
  fail_not_found("there is no edge program for " + machine,
                 "build it in Onward's source folder with make edge, or name one with --edge FILE");
}

}  // namespace onward::cli
