// The edge program (make edge) that `onward bundle` puts beside models.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace onward::cli {

struct EdgeProgram {
  std::filesystem::path path;
  std::string machine;                           // "x86_64" or "aarch64"
  std::vector<std::filesystem::path> libraries;  // that it needs beside it
};

// This machine's, as EdgeProgram::machine.
std::string this_machine();

// The one at `path`. Throws Error(kInvalidArgument) for what is no program of a known machine, kNotFound where it has
// no ONNX Runtime beside it.
EdgeProgram edge_program_at(const std::filesystem::path& path);

// The one for `machine` that was built or installed with this program. Throws Error(kNotFound).
EdgeProgram find_edge_program(const std::string& machine);

}  // namespace onward::cli
