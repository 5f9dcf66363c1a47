// Memory to be filled, then shared as Bytes.
#pragma once

#include <memory>

#include "base/bytes.h"

namespace onward {

// Not zeroed. Large ones come from the system in huge pages, where it has them, and go back as a whole.
class Buffer {
 public:
  explicit Buffer(size_t size);

  std::byte* data() { return data_.get(); }
  size_t size() const { return size_; }
  // What was written, without a copy; nothing may be written any more.
  Bytes share() && { return {ByteView(data_.get(), size_), std::move(data_)}; }

 private:
  size_t size_;
  std::shared_ptr<std::byte> data_;
};

}  // namespace onward
