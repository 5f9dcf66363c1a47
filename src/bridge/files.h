// Inside src/bridge only: the Python files, which the build makes part of the binary (cmake/EmbedFiles.cmake).
#pragma once

#include <span>
#include <string_view>

namespace onward::bridge {

struct EmbeddedFile {
  std::string_view path;  // "onward/bridge/__main__.py"
  std::string_view text;
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace onward::bridge
