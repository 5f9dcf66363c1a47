#include "base/bytes.h"

#include "base/error.h"

namespace onward {

Bytes Bytes::from_vector(std::vector<std::byte> data) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(data));
  return {ByteView(*owner), owner};
}

Bytes Bytes::from_string(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  return {as_bytes(*owner), owner};
}

Bytes Bytes::copy_of(ByteView view) { return from_vector({view.begin(), view.end()}); }

Bytes Bytes::slice(size_t offset, size_t size) const {
  if (offset > view_.size() || size > view_.size() - offset) {
    fail_data("a part at offset " + std::to_string(offset) + " of " + std::to_string(size) +
              " bytes reaches past the end (" + std::to_string(view_.size()) + " bytes)");
  }
  return {view_.subspan(offset, size), owner_};
}

ByteView ByteReader::take(size_t count) {
  if (count > remaining()) {
    fail_data(std::string(what_) + ": unexpected end at offset " + std::to_string(offset_) + " (" +
              std::to_string(count) + " bytes wanted, " + std::to_string(remaining()) + " left)");
  }
  ByteView part = bytes_.subspan(offset_, count);
  offset_ += count;
  return part;
}

void ByteReader::seek(size_t offset) {
  if (offset > bytes_.size()) {
    fail_data(std::string(what_) + ": offset " + std::to_string(offset) + " is past the end (" +
              std::to_string(bytes_.size()) + " bytes)");
  }
  offset_ = offset;
}

}  // namespace onward
