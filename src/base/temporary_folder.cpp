#include "base/temporary_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace onward {

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "onward-XXXXXX").string();
  if (error || ::mkdtemp(name.data()) == nullptr) {
    throw Error(Code::kUnavailable,
                "cannot make a temporary folder: " + (error ? error.message() : std::string(std::strerror(errno))),
                "set TMPDIR to a folder that can be written");
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace onward
