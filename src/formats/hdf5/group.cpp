// A group's members: symbol tables (B-tree version 1, local heap) and link messages.
#include <set>

#include "formats/hdf5/internal.h"

namespace onward::hdf5 {
namespace {

class SymbolTable {
 public:
  SymbolTable(const File::Impl& file, const Bytes& message) : file_(file) {
    ByteReader reader(message.view(), file.what);
    root_ = file.read_offset(reader);
    ByteReader heap = file.reader(file.read_offset(reader));
    file.expect(heap, "HEAP");
    heap.skip(4);
    const uint64_t size = file.read_length(heap);
    file.read_length(heap);
    names_ = file.slice(file.read_offset(heap), size);
  }

  std::map<std::string, uint64_t> read() {
    visit(root_, 0);
    return std::move(links_);
  }

 private:
  void visit(uint64_t address, int depth) {
    if (depth > kMaxDepth || !seen_.insert(address).second) file_.damaged("a group's tree refers to itself");
    ByteReader reader = file_.reader(address);
    const std::string_view signature = as_text(reader.take(4));
    if (signature == "SNOD") {
      read_leaf(reader);
      return;
    }
    if (signature != "TREE" || reader.read<uint8_t>() != 0) file_.damaged("a group's tree has an unknown node");
    reader.skip(1);
    const auto entries = reader.read<uint16_t>();
    reader.skip(size_t{2} * file_.offset_size);
    for (uint16_t i = 0; i < entries; ++i) {
      file_.read_length(reader);
      visit(file_.read_offset(reader), depth + 1);
    }
  }

  void read_leaf(ByteReader& reader) {
    reader.skip(2);
    const auto count = reader.read<uint16_t>();
    for (uint16_t i = 0; i < count; ++i) {
      const uint64_t name = file_.read_offset(reader);
      const uint64_t target = file_.read_offset(reader);
      const auto cache = reader.read<uint32_t>();
      reader.skip(20);
      if (name >= names_.size()) file_.damaged("a member's name is outside its heap");
      const std::string_view rest = names_.text().substr(name);
      if (links_.size() >= kMaxEntries) file_.damaged("a group has too many members");
      if (cache != 2) links_.emplace(rest.substr(0, rest.find('\0')), target);
    }
  }

  const File::Impl& file_;
  uint64_t root_ = 0;
  Bytes names_;
  std::set<uint64_t> seen_;
  std::map<std::string, uint64_t> links_;
};

void read_link(const File::Impl& file, const Bytes& message, std::map<std::string, uint64_t>& links) {
  ByteReader reader(message.view(), file.what);
  if (reader.read<uint8_t>() != 1) file.unsupported("link version");
  const auto flags = reader.read<uint8_t>();
  const uint8_t type = (flags & 0x08U) != 0 ? reader.read<uint8_t>() : 0;
  if ((flags & 0x04U) != 0) reader.skip(8);
  if ((flags & 0x10U) != 0) reader.skip(1);
  const uint64_t length = file.read_sized(reader, size_t{1} << (flags & 3U));
  if (length > reader.remaining()) file.damaged("a link's name is too long");
  const std::string name(as_text(reader.take(length)));
  if (type == 0) links.emplace(name, file.read_offset(reader));
}

}  // namespace

std::map<std::string, uint64_t> read_links(const File::Impl& file, const std::vector<Message>& messages) {
  std::map<std::string, uint64_t> links;
  for (const Message& message : messages) {
    if (message.type == kSymbolTable) links.merge(SymbolTable(file, message.data).read());
    if (message.type == kLink) read_link(file, message.data, links);
    if (message.type == kLinkInfo) {
      ByteReader reader(message.data.view(), file.what);
      reader.skip(1);
      if ((reader.read<uint8_t>() & 1U) != 0) reader.skip(8);
      if (file.read_offset(reader) != kUndefined) file.unsupported("dense link storage");
    }
  }
  return links;
}

}  // namespace onward::hdf5
