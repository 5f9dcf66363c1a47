#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/release_pages.h"

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

// The files that are mapped now: where each ends, by where it starts.
class Mapped {
 public:
  void add(uintptr_t start, size_t size) {
    const std::lock_guard lock(mutex_);
    ends_[start] = start + size;
  }
  void remove(uintptr_t start) {
    const std::lock_guard lock(mutex_);
    ends_.erase(start);
  }
  // The whole pages of a mapping that [start, end) covers.
  void release(uintptr_t start, uintptr_t end) {
    const std::lock_guard lock(mutex_);
    const auto after = ends_.upper_bound(start);
    if (after == ends_.begin() || std::prev(after)->second < end) return;
    const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    const uintptr_t first = (start + page - 1) / page * page;
    const uintptr_t last = end / page * page;
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }

 private:
  std::mutex mutex_;
  std::map<uintptr_t, uintptr_t> ends_;
};

Mapped& mapped() {
  static auto* all = new Mapped;  // outlives whatever is unmapped at the end
  return *all;
}

struct Mapping {
  Mapping(void* address, size_t length) : start(address), size(length) {
    mapped().add(reinterpret_cast<uintptr_t>(start), size);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    mapped().remove(reinterpret_cast<uintptr_t>(start));
    ::munmap(start, size);
  }
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

void release_pages(ByteView bytes) {
  const auto start = reinterpret_cast<uintptr_t>(bytes.data());
  mapped().release(start, start + bytes.size());
}

Bytes apart_if_small(const Bytes& bytes) {
  constexpr size_t kSmall = 16 << 10;
  return bytes.size() <= kSmall ? Bytes::copy_of(bytes.view()) : bytes;
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
