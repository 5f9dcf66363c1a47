#include "base/buffer.h"

#include <sys/mman.h>

#include <new>

namespace onward {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// As many bytes from the start of a huge page.
std::shared_ptr<std::byte> map_aligned(size_t size) {
  const size_t whole = size + kHugePage;
  void* start = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) throw std::bad_alloc();
  void* aligned = start;
  size_t space = whole;
  std::align(kHugePage, size, aligned, space);
#ifdef MADV_HUGEPAGE
  // Only the part that is surely written to its end; a refusal leaves small pages.
  ::madvise(aligned, size / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return {static_cast<std::byte*>(aligned), [start, whole](std::byte*) { ::munmap(start, whole); }};
}

}  // namespace

Buffer::Buffer(size_t size)
    : size_(size),
      data_(size >= kHugePage ? map_aligned(size)
                              : std::shared_ptr<std::byte>(new std::byte[size], std::default_delete<std::byte[]>())) {}

}  // namespace onward
