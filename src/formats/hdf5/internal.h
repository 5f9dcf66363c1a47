// What the parts of the HDF5 reader share.
#pragma once

#include "base/error.h"
#include "formats/hdf5/file.h"

namespace onward::hdf5 {

constexpr uint64_t kUndefined = UINT64_MAX;
constexpr size_t kMaxMessages = 1 << 16;
constexpr size_t kMaxEntries = 1 << 20;
constexpr int kMaxDepth = 64;

struct File::Impl {
  Bytes bytes;       // from the superblock's base address on
  std::string what;  // the file's name for messages
  uint8_t offset_size = 8;
  uint8_t length_size = 8;
  uint64_t root = 0;

  [[noreturn]] void damaged(const std::string& why) const { fail_data(what + ": damaged HDF5 file: " + why); }
  [[noreturn]] void unsupported(const std::string& thing) const {
    fail_unsupported(what + ": HDF5 " + thing + " is not supported",
                     "save the model again with h5py's default settings");
  }
  ByteReader reader(uint64_t address) const;
  Bytes slice(uint64_t address, uint64_t size) const;
  uint64_t read_offset(ByteReader& reader) const { return read_sized(reader, offset_size); }
  uint64_t read_length(ByteReader& reader) const { return read_sized(reader, length_size); }
  uint64_t read_sized(ByteReader& reader, size_t size) const;
  void expect(ByteReader& reader, std::string_view signature) const;
};

struct Message {
  uint16_t type;
  Bytes data;
};

enum MessageType : uint16_t {
  kDataspace = 0x01,
  kLinkInfo = 0x02,
  kDatatype = 0x03,
  kFillValue = 0x05,
  kLink = 0x06,
  kExternalFiles = 0x07,
  kLayout = 0x08,
  kFilters = 0x0b,
  kAttribute = 0x0c,
  kContinuation = 0x10,
  kSymbolTable = 0x11,
  kAttributeInfo = 0x15,
};

// The messages of the object header at `address`, continuations followed.
std::vector<Message> read_messages(const File::Impl& file, uint64_t address);
const Message* find_message(const std::vector<Message>& messages, uint16_t type);

struct Datatype {
  enum class Kind { kNumber, kFixedString, kVariableString };
  Kind kind = Kind::kNumber;
  std::string dtype;  // numpy's name; "string" for strings
  size_t size = 0;    // bytes of one element in the file
  bool big_endian = false;
  char padding = 0;  // fixed strings: 0 ends at NUL, 1 is padded with NULs, 2 with spaces
};

Datatype read_datatype(const File::Impl& file, const Bytes& message);
std::vector<int64_t> read_dataspace(const File::Impl& file, const Bytes& message);
// Elements as they lie in the file → an array.
Array decode(const File::Impl& file, const Datatype& type, std::vector<int64_t> shape, const Bytes& data);

// name → address of the object header, for a group's messages; symbolic links are left out.
std::map<std::string, uint64_t> read_links(const File::Impl& file, const std::vector<Message>& messages);

// A dataset's raw elements.
Bytes read_layout(const File::Impl& file, const std::vector<Message>& messages, const Datatype& type,
                  const std::vector<int64_t>& shape);

}  // namespace onward::hdf5
