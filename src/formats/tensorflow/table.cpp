#include "formats/tensorflow/table.h"

#include "base/error.h"
#include "formats/tensorflow/crc32c.h"
#include "formats/tensorflow/varint.h"

namespace onward::tensorflow {
namespace {

constexpr uint64_t kMagic = 0xdb4775248b80fb57ULL;
constexpr size_t kFooter = 48;
constexpr size_t kTrailer = 5;  // compression, masked checksum
constexpr size_t kMaxKey = 1 << 20;
constexpr size_t kMaxEntries = 10'000'000;

class TableReader {
 public:
  TableReader(const Bytes& file, const std::string& what) : file_(file), what_(what) {}

  std::vector<std::pair<std::string, Bytes>> read() {
    if (file_.size() < kFooter) fail_data(what_ + ": too short for a table");
    ByteReader footer(file_.view().last(kFooter), what_);
    handle(footer);  // of the meta index
    const Bytes index = block(handle(footer));
    footer.seek(kFooter - sizeof(uint64_t));
    if (footer.read<uint64_t>() != kMagic) fail_data(what_ + ": not a LevelDB table (the magic number is missing)");
    std::vector<std::pair<std::string, Bytes>> entries;
    size_t data = 0;
    for (const auto& [key, value] : block_entries(index)) {
      ByteReader reader(value.view(), what_);
      const Bytes content = block(handle(reader));
      // Blocks that overlap would let a small file claim any number of entries.
      data += content.size();
      if (data > file_.size()) fail_data(what_ + ": its blocks overlap");
      for (auto& entry : block_entries(content)) entries.push_back(std::move(entry));
      if (entries.size() > kMaxEntries) fail_data(what_ + ": too many entries");
    }
    return entries;
  }

 private:
  struct Handle {
    uint64_t offset = 0;
    uint64_t size = 0;
  };

  Handle handle(ByteReader& reader) const {
    const uint64_t offset = read_varint(reader, what_);
    return {offset, read_varint(reader, what_)};
  }

  Bytes block(const Handle& handle) const {
    if (handle.size > file_.size() || handle.offset > file_.size() - handle.size ||
        kTrailer > file_.size() - handle.size - handle.offset) {
      fail_data(what_ + ": a block lies outside the file", "the file is truncated or damaged");
    }
    const Bytes content = file_.slice(handle.offset, handle.size + kTrailer);
    ByteReader trailer(content.view().last(kTrailer), what_);
    const auto compression = trailer.read<uint8_t>();
    const auto stored = trailer.read<uint32_t>();
    if (masked_crc(crc32c(content.view().first(handle.size + 1))) != stored) {
      fail_data(what_ + ": a block's checksum is wrong", "the file is damaged");
    }
    if (compression != 0) fail_unsupported(what_ + ": compressed tables are not read");
    return content.slice(0, handle.size);
  }

  std::vector<std::pair<std::string, Bytes>> block_entries(const Bytes& block) const {
    ByteReader end(block.view(), what_);
    if (block.size() < sizeof(uint32_t)) fail_data(what_ + ": an empty block");
    end.seek(block.size() - sizeof(uint32_t));
    const uint64_t restarts = (static_cast<uint64_t>(end.read<uint32_t>()) + 1) * sizeof(uint32_t);
    if (restarts > block.size()) fail_data(what_ + ": a block's restart points lie outside it");
    const size_t limit = block.size() - restarts;
    ByteReader reader(block.view().first(limit), what_);
    std::vector<std::pair<std::string, Bytes>> entries;
    std::string key;
    while (!reader.at_end()) {
      const uint64_t shared = read_varint(reader, what_);
      const uint64_t unshared = read_varint(reader, what_);
      const uint64_t size = read_varint(reader, what_);
      if (shared > key.size() || shared + unshared > kMaxKey || unshared > reader.remaining()) {
        fail_data(what_ + ": a damaged key");
      }
      key.resize(shared);
      key += as_text(reader.take(unshared));
      if (size > reader.remaining()) fail_data(what_ + ": a value reaches past its block");
      entries.emplace_back(key, block.slice(reader.offset(), size));
      reader.skip(size);
    }
    return entries;
  }

  const Bytes& file_;
  const std::string& what_;
};

}  // namespace

std::vector<std::pair<std::string, Bytes>> read_table(const Bytes& file, const std::string& what) {
  return TableReader(file, what).read();
}

}  // namespace onward::tensorflow
