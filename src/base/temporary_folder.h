// A folder of one's own that goes away with its object.
#pragma once

#include <filesystem>

namespace onward {

class TemporaryFolder {
 public:
  // Under $TMPDIR, or /tmp. Throws Error with the system's reason.
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace onward
