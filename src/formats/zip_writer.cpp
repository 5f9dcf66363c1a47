#include <limits>

#include "base/error.h"
#include "formats/zip.h"

namespace onward::zip {
namespace {

constexpr uint16_t kVersion = 45;  // zip64
constexpr uint16_t kDosDate = (1 << 5) | 1;
constexpr uint32_t kMax32 = std::numeric_limits<uint32_t>::max();
constexpr uint16_t kUtf8 = 0x0800;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

void put_common(std::string& out, uint32_t crc, uint64_t size, size_t name_length, bool wide, uint16_t extra_length) {
  put<uint16_t>(out, kVersion);
  put<uint16_t>(out, kUtf8);
  put<uint16_t>(out, 0);  // stored
  put<uint16_t>(out, 0);
  put<uint16_t>(out, kDosDate);
  put<uint32_t>(out, crc);
  put<uint32_t>(out, wide ? kMax32 : static_cast<uint32_t>(size));
  put<uint32_t>(out, wide ? kMax32 : static_cast<uint32_t>(size));
  put<uint16_t>(out, static_cast<uint16_t>(name_length));
  put<uint16_t>(out, extra_length);
}

std::string local_header(const std::string& name, uint32_t crc, uint64_t size) {
  const bool wide = size >= kMax32;
  std::string out;
  put<uint32_t>(out, 0x04034b50);
  put_common(out, crc, size, name.size(), wide, wide ? 20 : 0);
  out += name;
  if (wide) {
    put<uint16_t>(out, 1);
    put<uint16_t>(out, 16);
    put<uint64_t>(out, size);
    put<uint64_t>(out, size);
  }
  return out;
}

void put_central(std::string& out, const std::string& name, uint32_t crc, uint64_t size, uint64_t offset) {
  const bool wide = size >= kMax32 || offset >= kMax32;
  put<uint32_t>(out, 0x02014b50);
  put<uint16_t>(out, kVersion);
  put_common(out, crc, size, name.size(), wide, wide ? 28 : 0);
  put<uint16_t>(out, 0);  // comment
  put<uint16_t>(out, 0);  // disk
  put<uint16_t>(out, 0);
  put<uint32_t>(out, 0600U << 16);
  put<uint32_t>(out, wide ? kMax32 : static_cast<uint32_t>(offset));
  out += name;
  if (wide) {
    put<uint16_t>(out, 1);
    put<uint16_t>(out, 24);
    put<uint64_t>(out, size);
    put<uint64_t>(out, size);
    put<uint64_t>(out, offset);
  }
}

void put_end(std::string& out, uint64_t count, uint64_t size, uint64_t offset) {
  const bool wide = count >= 0xffff || size >= kMax32 || offset >= kMax32;
  if (wide) {
    put<uint32_t>(out, 0x06064b50);
    put<uint64_t>(out, 44);
    put<uint16_t>(out, kVersion);
    put<uint16_t>(out, kVersion);
    put<uint64_t>(out, 0);
    put<uint64_t>(out, count);
    put<uint64_t>(out, count);
    put<uint64_t>(out, size);
    put<uint64_t>(out, offset);
    put<uint32_t>(out, 0x07064b50);
    put<uint32_t>(out, 0);
    put<uint64_t>(out, offset + size);
    put<uint32_t>(out, 1);
  }
  put<uint32_t>(out, 0x06054b50);
  put<uint32_t>(out, 0);
  put<uint16_t>(out, wide ? 0xffff : static_cast<uint16_t>(count));
  put<uint16_t>(out, wide ? 0xffff : static_cast<uint16_t>(count));
  put<uint32_t>(out, wide ? kMax32 : static_cast<uint32_t>(size));
  put<uint32_t>(out, wide ? kMax32 : static_cast<uint32_t>(offset));
  put<uint16_t>(out, 0);
}

}  // namespace

void Writer::add(std::string name, ByteView data) {
  if (name.empty() || name.size() > 0xffff) fail_invalid("a zip member needs a name of 1 to 65535 bytes");
  for (const auto& member : members_) {
    if (member->name == name) fail_invalid("two zip members are named \"" + name + "\"");
  }
  auto member = std::make_unique<Member>();
  member->name = std::move(name);
  member->data = data;
  member->crc = crc32(data);
  member->header = local_header(member->name, member->crc, data.size());
  members_.push_back(std::move(member));
}

void Writer::add(std::string name, Bytes data) {
  add(std::move(name), data.view());
  kept_.push_back(std::move(data));
}

std::vector<ByteView> Writer::parts() {
  std::vector<ByteView> parts;
  uint64_t offset = 0;
  directory_.clear();
  for (auto& member : members_) {
    member->offset = offset;
    parts.push_back(as_bytes(member->header));
    parts.push_back(member->data);
    offset += member->header.size() + member->data.size();
    put_central(directory_, member->name, member->crc, member->data.size(), member->offset);
  }
  const uint64_t size = directory_.size();
  put_end(directory_, members_.size(), size, offset);
  parts.push_back(as_bytes(directory_));
  return parts;
}

}  // namespace onward::zip
