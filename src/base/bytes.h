// Bytes that keep what they lie in alive: a view plus a shared owner (a mapped file, an inflated member, a vector).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onward {

using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Cheap to copy; copies share the owner. Immutable.
class Bytes {
 public:
  Bytes() = default;
  Bytes(ByteView view, std::shared_ptr<const void> owner) : view_(view), owner_(std::move(owner)) {}

  static Bytes from_vector(std::vector<std::byte> data);
  static Bytes from_string(std::string text);
  static Bytes copy_of(ByteView view);

  ByteView view() const { return view_; }
  std::string_view text() const { return as_text(view_); }
  const std::byte* data() const { return view_.data(); }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  const std::shared_ptr<const void>& owner() const { return owner_; }

  // The part [offset, offset + size), sharing the owner; throws Error(kDataLoss) when it reaches past the end.
  Bytes slice(size_t offset, size_t size) const;

 private:
  ByteView view_;
  std::shared_ptr<const void> owner_;
};

// Reads little-endian integers and byte runs from untrusted bytes; every read is bounds-checked and throws
// Error(kDataLoss, "<what>: unexpected end …").
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes, std::string_view what = "file") : bytes_(bytes), what_(what) {}

  template <class T>
  T read() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  ByteView take(size_t count);
  void skip(size_t count) { take(count); }
  void seek(size_t offset);
  size_t offset() const { return offset_; }
  size_t remaining() const { return bytes_.size() - offset_; }
  bool at_end() const { return offset_ == bytes_.size(); }

 private:
  ByteView bytes_;
  std::string_view what_;
  size_t offset_ = 0;
};

}  // namespace onward
