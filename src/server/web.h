// The web page's files (web/), part of the binary.
#pragma once

#include <span>
#include <string_view>

namespace onward::server::web {

struct EmbeddedFile {
  std::string_view path;  // "index.html"
  std::string_view content;
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace onward::server::web
