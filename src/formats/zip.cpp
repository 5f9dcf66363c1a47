#include "formats/zip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/error.h"

namespace onward::zip {
namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kEnd64LocatorSignature = 0x07064b50;
constexpr uint16_t kZip64Extra = 0x0001;
constexpr uint16_t kFlagEncrypted = 0x0001;
constexpr uint16_t kFlagDescriptor = 0x0008;
constexpr uint16_t kFlagStrongEncryption = 0x0040;
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;
constexpr uint32_t kMax32 = std::numeric_limits<uint32_t>::max();
constexpr size_t kEndSize = 22;
constexpr size_t kEnd64LocatorSize = 20;
constexpr size_t kMaxComment = 0xffff;
constexpr uint64_t kDeflateBestRatio = 1032;  // deflate codes at most 258 bytes in 2 bits

constexpr std::string_view kDamaged = "the file is damaged or was changed; get it again from its source";

struct Directory {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t count = 0;
};

// What a central directory record says, before it is compared with the local header.
struct Record {
  Entry entry;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint64_t local_offset = 0;
};

struct Fields64 {
  uint64_t* size;
  uint64_t* compressed_size;
  uint64_t* offset;  // nullptr in a local header
};

// Replaces the fields that are all ones by their 64-bit values of the zip64 extra field.
void read_zip64(ByteView extra, std::string_view what, Fields64 fields) {
  ByteReader reader(extra, what);
  while (reader.remaining() >= 4) {
    const auto id = reader.read<uint16_t>();
    const auto length = reader.read<uint16_t>();
    ByteReader field(reader.take(length), what);
    if (id != kZip64Extra) continue;
    for (uint64_t* value : {fields.size, fields.compressed_size, fields.offset}) {
      if (value != nullptr && *value == kMax32) *value = field.read<uint64_t>();
    }
    return;
  }
}

void check_name(const std::string& what, std::string_view name) {
  const auto refuse = [&](std::string_view reason) {
    fail_data(what + ": member name \"" + std::string(name.substr(0, 200)) + "\" " + std::string(reason),
              "a model file never needs such a name; the file is not what it claims to be");
  };
  if (name.empty()) refuse("is empty");
  if (name.find('\0') != std::string_view::npos) refuse("holds a zero byte");
  if (name.front() == '/' || name.front() == '\\' || (name.size() > 1 && name[1] == ':')) refuse("is absolute");
  for (size_t start = 0; start <= name.size();) {
    const size_t end = std::min(name.find_first_of("/\\", start), name.size());
    if (name.substr(start, end - start) == "..") refuse("leaves the archive");
    start = end + 1;
  }
}

class Opener {
 public:
  Opener(ByteView file, const std::string& what, const Limits& limits) : file_(file), what_(what), limits_(limits) {}

  std::vector<Entry> run() {
    const Directory directory = find_directory();
    if (directory.count > limits_.entries) {
      throw Error(Code::kResourceExhausted, what_ + ": " + std::to_string(directory.count) + " members, at most " +
                                                std::to_string(limits_.entries) + " are read");
    }
    ByteReader reader(file_.subspan(directory.offset, directory.size), what_);
    std::vector<Record> records;
    for (uint64_t i = 0; i < directory.count; ++i) records.push_back(read_record(reader));
    if (!reader.at_end()) damaged("the central directory is longer than its members");
    for (Record& record : records) check_local(record);
    check_overlap(records, directory.offset);
    check_sizes(records);
    std::vector<Entry> entries;
    for (Record& record : records) {
      if (record.entry.name.back() != '/') entries.push_back(std::move(record.entry));
    }
    return entries;
  }

 private:
  [[noreturn]] void damaged(const std::string& why) const { fail_data(what_ + ": " + why, std::string(kDamaged)); }

  size_t find_end() const {
    if (file_.size() < kEndSize) damaged("not a zip file (too short)");
    const size_t last = file_.size() - kEndSize;
    const size_t first = last > kMaxComment ? last - kMaxComment : 0;
    for (size_t at = last + 1; at-- > first;) {
      ByteReader reader(file_.subspan(at), what_);
      if (reader.read<uint32_t>() != kEndSignature) continue;
      reader.skip(16);
      if (reader.read<uint16_t>() == file_.size() - at - kEndSize) return at;
    }
    damaged("no end-of-archive record: the file is truncated or not a zip file");
  }

  Directory find_directory() const {
    const size_t end = find_end();
    ByteReader reader(file_.subspan(end), what_);
    reader.skip(4);
    const auto disk = reader.read<uint16_t>();
    const auto directory_disk = reader.read<uint16_t>();
    const auto count_here = reader.read<uint16_t>();
    Directory directory;
    directory.count = reader.read<uint16_t>();
    directory.size = reader.read<uint32_t>();
    directory.offset = reader.read<uint32_t>();
    size_t directory_end = end;
    const bool has_locator =
        end >= kEnd64LocatorSize &&
        ByteReader(file_.subspan(end - kEnd64LocatorSize), what_).read<uint32_t>() == kEnd64LocatorSignature;
    if (has_locator) {
      directory_end = read_end64(end - kEnd64LocatorSize, directory);
    } else if (disk != 0 || directory_disk != 0 || count_here != directory.count) {
      damaged("an archive over several disks");
    }
    if (directory.offset > directory_end || directory.size != directory_end - directory.offset) {
      damaged("the central directory is not where the file says");
    }
    return directory;
  }

  // Fills `directory` from the zip64 end record; gives that record's offset.
  size_t read_end64(size_t locator, Directory& directory) const {
    ByteReader reader(file_.subspan(locator + 4), what_);
    const auto disk = reader.read<uint32_t>();
    const auto at = reader.read<uint64_t>();
    const auto disks = reader.read<uint32_t>();
    if (disk != 0 || disks > 1) damaged("an archive over several disks");
    if (at > locator) damaged("the zip64 end record is not where the file says");
    ByteReader end(file_.subspan(at, locator - at), what_);
    if (end.read<uint32_t>() != kEnd64Signature) damaged("the zip64 end record is not where the file says");
    end.skip(8 + 2 + 2 + 4 + 4);
    const auto count_here = end.read<uint64_t>();
    directory.count = end.read<uint64_t>();
    directory.size = end.read<uint64_t>();
    directory.offset = end.read<uint64_t>();
    if (count_here != directory.count) damaged("an archive over several disks");
    return at;
  }

  Record read_record(ByteReader& reader) const {
    Record record;
    if (reader.read<uint32_t>() != kCentralSignature) damaged("a broken record in the central directory");
    reader.skip(4);
    record.flags = reader.read<uint16_t>();
    record.method = reader.read<uint16_t>();
    reader.skip(4);
    Entry& entry = record.entry;
    entry.crc = reader.read<uint32_t>();
    entry.compressed_size = reader.read<uint32_t>();
    entry.size = reader.read<uint32_t>();
    const auto name_length = reader.read<uint16_t>();
    const auto extra_length = reader.read<uint16_t>();
    const auto comment_length = reader.read<uint16_t>();
    reader.skip(8);
    record.local_offset = reader.read<uint32_t>();
    entry.name = as_text(reader.take(name_length));
    read_zip64(reader.take(extra_length), what_, {&entry.size, &entry.compressed_size, &record.local_offset});
    reader.skip(comment_length);

    check_name(what_, entry.name);
    if ((record.flags & (kFlagEncrypted | kFlagStrongEncryption)) != 0) {
      damaged("member \"" + entry.name + "\" is encrypted");
    }
    if (record.method != kStored && record.method != kDeflated) {
      fail_unsupported(
          what_ + ": member \"" + entry.name + "\" uses compression method " + std::to_string(record.method),
          "only stored and deflated members are read; pack the archive again without compression");
    }
    entry.stored = record.method == kStored;
    return record;
  }

  // Finds the data behind the local header and refuses a header that tells another story than the directory.
  void check_local(Record& record) const {
    Entry& entry = record.entry;
    const auto refuse = [&](std::string_view which) {
      damaged("member \"" + entry.name + "\": local header and central directory disagree on the " +
              std::string(which));
    };
    if (record.local_offset > file_.size()) damaged("member \"" + entry.name + "\" lies past the end");
    ByteReader reader(file_.subspan(record.local_offset), what_);
    if (reader.read<uint32_t>() != kLocalSignature) damaged("member \"" + entry.name + "\" has no local header");
    reader.skip(2);
    const auto flags = reader.read<uint16_t>();
    if (reader.read<uint16_t>() != record.method) refuse("method");
    reader.skip(4);
    const auto crc = reader.read<uint32_t>();
    uint64_t compressed_size = reader.read<uint32_t>();
    uint64_t size = reader.read<uint32_t>();
    const auto name_length = reader.read<uint16_t>();
    const auto extra_length = reader.read<uint16_t>();
    if (as_text(reader.take(name_length)) != entry.name) refuse("name");
    read_zip64(reader.take(extra_length), what_, {&size, &compressed_size, nullptr});
    if ((flags & kFlagEncrypted) != 0) refuse("encryption");
    const bool later = (flags & kFlagDescriptor) != 0;  // the values stand behind the data
    const auto differs = [later](uint64_t local, uint64_t central) {
      return local != central && !(later && (local == 0 || local == kMax32));
    };
    if (differs(crc, entry.crc)) refuse("checksum");
    if (differs(compressed_size, entry.compressed_size)) refuse("compressed size");
    if (differs(size, entry.size)) refuse("size");
    if (entry.compressed_size > reader.remaining()) {
      damaged("member \"" + entry.name + "\" reaches past the end: the file is truncated");
    }
    entry.data_offset = record.local_offset + reader.offset();
  }

  void check_overlap(const std::vector<Record>& records, uint64_t directory_offset) const {
    std::vector<const Record*> order;
    for (const Record& record : records) order.push_back(&record);
    std::sort(order.begin(), order.end(),
              [](const Record* a, const Record* b) { return a->local_offset < b->local_offset; });
    for (size_t i = 0; i < order.size(); ++i) {
      const uint64_t limit = i + 1 < order.size() ? order[i + 1]->local_offset : directory_offset;
      const Entry& entry = order[i]->entry;
      if (entry.data_offset > limit || entry.compressed_size > limit - entry.data_offset) {
        damaged("member \"" + entry.name + "\" overlaps what follows it");
      }
    }
  }

  void check_sizes(const std::vector<Record>& records) const {
    uint64_t total = 0;
    for (const Record& record : records) {
      const Entry& entry = record.entry;
      if (entry.stored) {
        if (entry.size != entry.compressed_size) damaged("member \"" + entry.name + "\" is stored with two sizes");
        continue;
      }
      if (entry.size / kDeflateBestRatio > entry.compressed_size + 1) {
        damaged("member \"" + entry.name + "\" claims " + std::to_string(entry.size) + " bytes in " +
                std::to_string(entry.compressed_size));
      }
      total += entry.size;
      const bool bomb = entry.size > limits_.free_size && entry.size / limits_.ratio > entry.compressed_size;
      if (bomb || total > limits_.inflated_total) {
        throw Error(Code::kResourceExhausted,
                    what_ + ": member \"" + entry.name + "\" would inflate from " +
                        std::to_string(entry.compressed_size) + " to " + std::to_string(entry.size) + " bytes",
                    "this looks like a zip bomb; if the file is honest, pack it again without compression");
      }
    }
  }

  ByteView file_;
  const std::string& what_;
  const Limits& limits_;
};

class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }

  // True where `input` inflates to exactly the size of `output`.
  bool run(ByteView input, std::span<std::byte> output) {
    if (!ready_) return false;
    constexpr size_t kStep = size_t{1} << 30;
    std::byte spare{};  // an empty member still needs somewhere to write
    int status = Z_OK;
    while (status == Z_OK) {
      const size_t in_step = std::min(input.size(), kStep);
      const size_t out_step = std::min(output.size(), kStep);
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));
      stream_.avail_in = static_cast<uInt>(in_step);
      stream_.next_out = reinterpret_cast<Bytef*>(output.empty() ? &spare : output.data());
      stream_.avail_out = static_cast<uInt>(out_step);
      status = inflate(&stream_, Z_NO_FLUSH);
      input = input.subspan(in_step - stream_.avail_in);
      output = output.subspan(out_step - stream_.avail_out);
    }
    return status == Z_STREAM_END && input.empty() && output.empty();
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

uint32_t crc32(ByteView bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

bool looks_like_zip(ByteView file) {
  if (file.size() < kEndSize) return false;
  const auto signature = ByteReader(file).read<uint32_t>();
  return signature == kLocalSignature || signature == kEndSignature;
}

struct Archive::State {
  Bytes file;
  std::string what;
  std::vector<Entry> entries;
  std::unordered_map<std::string_view, const Entry*> by_name;
};

Archive Archive::open(Bytes file, std::string_view what, const Limits& limits) {
  auto state = std::make_shared<State>();
  state->file = std::move(file);
  state->what = what;
  state->entries = Opener(state->file.view(), state->what, limits).run();
  for (const Entry& entry : state->entries) {
    if (!state->by_name.emplace(entry.name, &entry).second) {
      fail_data(state->what + ": two members are named \"" + entry.name + "\"", std::string(kDamaged));
    }
  }
  return Archive(std::move(state));
}

const std::vector<Entry>& Archive::entries() const { return state_->entries; }
const std::string& Archive::what() const { return state_->what; }

std::vector<std::string> Archive::names() const {
  std::vector<std::string> names;
  for (const Entry& entry : state_->entries) names.push_back(entry.name);
  return names;
}

const Entry* Archive::find(std::string_view name) const {
  const auto found = state_->by_name.find(name);
  return found == state_->by_name.end() ? nullptr : found->second;
}

Bytes Archive::read(std::string_view name, Check check) const {
  const Entry* entry = find(name);
  if (entry == nullptr) fail_not_found(state_->what + ": no member \"" + std::string(name) + "\"");
  return read(*entry, check);
}

Bytes Archive::read(const Entry& entry, Check check) const {
  Bytes data = state_->file.slice(entry.data_offset, entry.compressed_size);
  if (!entry.stored) {
    std::vector<std::byte> inflated(entry.size);
    if (!Inflater().run(data.view(), inflated)) {
      fail_data(state_->what + ": member \"" + entry.name + "\" does not inflate to the size it claims",
                std::string(kDamaged));
    }
    data = Bytes::from_vector(std::move(inflated));
  }
  if ((check == Check::kCrc || !entry.stored) && crc32(data.view()) != entry.crc) {
    fail_data(state_->what + ": member \"" + entry.name + "\" has a wrong checksum", std::string(kDamaged));
  }
  return data;
}

}  // namespace onward::zip
