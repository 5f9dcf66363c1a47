#include "tasks/output.h"

#include <filesystem>

#include "base/error.h"

namespace onward::tasks {

void check_output(const std::string& source, const std::string& output) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path file = output;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (!fs::is_directory(folder, error)) {
    fail_not_found("no folder " + folder.string() + " to write " + file.filename().string() + " into",
                   "make it first, or name another output");
  }
  if (fs::is_directory(file, error)) fail_invalid(output + " is a folder", "name the ONNX file to write");
  if (fs::equivalent(source, file, error)) {
    fail_invalid("the output would overwrite " + source, "name another output file");
  }
}

}  // namespace onward::tasks
