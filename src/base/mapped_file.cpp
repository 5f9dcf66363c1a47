#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace onward {
namespace {

[[noreturn]] void fail_system(const std::string& what, int error) {
  const Code code = error == ENOENT                     ? Code::kNotFound
                    : error == EACCES || error == EPERM ? Code::kPermissionDenied
                    : error == ENOSPC                   ? Code::kResourceExhausted
                                                        : Code::kInternal;
  throw Error(code, what + ": " + std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Mapping {
  Mapping(void* address, size_t length) : start(address), size(length) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(start, size); }
  void* start;
  size_t size;
};

}  // namespace

Bytes map_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) fail_not_found("no such file: " + path.string());
    fail_system("cannot open " + path.string(), errno);
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail_system("cannot read " + path.string(), errno);
  if (S_ISDIR(info.st_mode)) fail_invalid(path.string() + " is a directory, not a file");
  if (!S_ISREG(info.st_mode)) fail_invalid(path.string() + " is not a regular file");
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) return {};
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (start == MAP_FAILED) fail_system("cannot map " + path.string(), errno);
  auto owner = std::make_shared<const Mapping>(start, size);
  return {ByteView(static_cast<const std::byte*>(start), size), owner};
}

void write_file(const std::filesystem::path& path, std::span<const ByteView> parts) {
  std::string temporary = path.string() + ".XXXXXX";
  const Descriptor file(::mkstemp(temporary.data()));
  if (file.get() < 0) fail_system("cannot write " + path.string(), errno);
  const auto give_up = [&](int error) {
    ::unlink(temporary.c_str());
    fail_system("cannot write " + path.string(), error);
  };
  for (ByteView part : parts) {
    while (!part.empty()) {
      const ssize_t written = ::write(file.get(), part.data(), part.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        give_up(errno);
      }
      part = part.subspan(static_cast<size_t>(written));
    }
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(file.get(), 0666 & ~mask) != 0) give_up(errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) give_up(errno);
}

}  // namespace onward
