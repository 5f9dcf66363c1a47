// Object headers, versions 1 and 2.
#include <algorithm>
#include <deque>
#include <set>

#include "formats/hdf5/internal.h"

namespace onward::hdf5 {
namespace {

struct Chunk {
  uint64_t address;
  uint64_t size;
};

class HeaderReader {
 public:
  explicit HeaderReader(const File::Impl& file) : file_(file) {}

  std::vector<Message> read(uint64_t address) {
    ByteReader reader = file_.reader(address);
    const bool newer = reader.remaining() >= 4 && as_text(file_.slice(address, 4).view()) == "OHDR";
    if (newer) {
      start_version_2(reader);
    } else {
      start_version_1(reader);
    }
    std::set<uint64_t> seen;
    while (!chunks_.empty()) {
      const Chunk chunk = chunks_.front();
      chunks_.pop_front();
      if (!seen.insert(chunk.address).second) file_.damaged("an object header refers to itself");
      read_chunk(chunk, newer);
    }
    return std::move(messages_);
  }

 private:
  void start_version_1(ByteReader& reader) {
    if (reader.read<uint8_t>() != 1) file_.damaged("an object header has an unknown version");
    reader.skip(7);
    const auto size = reader.read<uint32_t>();
    reader.skip(4);
    chunks_.push_back({reader.offset(), size});
  }

  void start_version_2(ByteReader& reader) {
    reader.skip(4);
    if (reader.read<uint8_t>() != 2) file_.damaged("an object header has an unknown version");
    const auto flags = reader.read<uint8_t>();
    if ((flags & 0x20U) != 0) reader.skip(16);
    if ((flags & 0x10U) != 0) reader.skip(4);
    ordered_ = (flags & 0x04U) != 0;
    const uint64_t size = file_.read_sized(reader, size_t{1} << (flags & 3U));
    chunks_.push_back({reader.offset(), size});
  }

  void read_chunk(const Chunk& chunk, bool newer) {
    const Bytes bytes = file_.slice(chunk.address, chunk.size);
    ByteReader reader(bytes.view(), file_.what);
    const size_t header = newer ? (ordered_ ? 6U : 4U) : 8U;
    while (reader.remaining() >= header) {
      uint16_t type = 0;
      size_t size = 0;
      if (newer) {
        type = reader.read<uint8_t>();
        size = reader.read<uint16_t>();
        flags_ = reader.read<uint8_t>();
        if (ordered_) reader.skip(2);
      } else {
        type = reader.read<uint16_t>();
        size = reader.read<uint16_t>();
        flags_ = reader.read<uint8_t>();
        reader.skip(3);
      }
      if (size > reader.remaining()) {
        if (newer) break;  // a gap at the end of the chunk
        file_.damaged("a header message is longer than its header");
      }
      add(type, bytes.slice(reader.offset(), size), newer);
      reader.skip(size);
    }
  }

  void add(uint16_t type, Bytes data, bool newer) {
    if (messages_.size() >= kMaxMessages) file_.damaged("an object header has too many messages");
    if (type == kContinuation) {
      ByteReader reader(data.view(), file_.what);
      uint64_t address = file_.read_offset(reader);
      uint64_t size = file_.read_length(reader);
      if (newer) {
        ByteReader block = file_.reader(address);
        file_.expect(block, "OCHK");
        if (size < 8) file_.damaged("a header continuation is too short");
        address += 4;
        size -= 8;
      }
      chunks_.push_back({address, size});
      return;
    }
    if ((flags_ & 2U) != 0 && (type == kDatatype || type == kDataspace)) file_.unsupported("shared message");
    messages_.push_back({type, std::move(data)});
  }

  const File::Impl& file_;
  std::deque<Chunk> chunks_;
  std::vector<Message> messages_;
  bool ordered_ = false;
  uint8_t flags_ = 0;
};

}  // namespace

std::vector<Message> read_messages(const File::Impl& file, uint64_t address) {
  return HeaderReader(file).read(address);
}

const Message* find_message(const std::vector<Message>& messages, uint16_t type) {
  const auto found =
      std::find_if(messages.begin(), messages.end(), [type](const Message& message) { return message.type == type; });
  return found != messages.end() ? &*found : nullptr;
}

}  // namespace onward::hdf5
