// Zip archives as model files use them: stored members are views of the file's own bytes, deflated ones are inflated on
// demand.
//
// Written for files from strangers. `open` reads the central directory, compares each entry with its local header and
// throws Error(kDataLoss) for truncation, several disks, encryption, absolute or climbing names, duplicated names,
// overlapping records, unknown methods and claimed sizes that deflate cannot reach; Error(kResourceExhausted) for what
// is over the limits. Nothing is inflated before all of that has been checked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace onward::zip {

struct Limits {
  uint64_t entries = 1 << 20;
  uint64_t inflated_total = uint64_t{8} << 30;  // sum of the inflated sizes of all deflated members
  // A deflated member of more than `free_size` bytes may be at most `ratio` times as large as its compressed form.
  uint64_t ratio = 200;
  uint64_t free_size = uint64_t{16} << 20;
};

struct Entry {
  std::string name;
  uint64_t size = 0;             // after inflating
  uint64_t compressed_size = 0;  // in the file; equals `size` where stored
  uint64_t data_offset = 0;      // of the first data byte in the file
  uint32_t crc = 0;
  bool stored = true;
};

// kNone skips the checksum of a *stored* member (a large tensor); inflated ones are always checked.
enum class Check { kCrc, kNone };

// True where the bytes start like a zip file.
bool looks_like_zip(ByteView file);

// Immutable, cheap to copy, safe to use from several threads; keeps the file's bytes alive.
class Archive {
 public:
  // `what` names the file in messages.
  static Archive open(Bytes file, std::string_view what = "zip file", const Limits& limits = {});

  // All members but folders, in the order of the central directory.
  const std::vector<Entry>& entries() const;
  std::vector<std::string> names() const;
  // nullptr where there is no such member.
  const Entry* find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }

  // The member's bytes: a slice of the file where stored, else inflated. Throws Error(kNotFound) for an unknown name
  // and Error(kDataLoss) for a wrong checksum or damaged data.
  Bytes read(std::string_view name, Check check = Check::kCrc) const;
  Bytes read(const Entry& entry, Check check = Check::kCrc) const;

  const std::string& what() const;

 private:
  struct State;
  explicit Archive(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// Builds an archive of stored members, for writing with write_file. The time stamps are fixed, so equal members give
// equal bytes.
class Writer {
 public:
  // The bytes must stay alive until `parts` has been used. Throws Error(kInvalidArgument) for a name already added.
  void add(std::string name, ByteView data);
  void add(std::string name, Bytes data);
  // The file as a sequence of views into this writer and the members. Call once, after the last `add`.
  std::vector<ByteView> parts();

 private:
  struct Member {
    std::string name;
    ByteView data;
    uint32_t crc = 0;
    uint64_t offset = 0;
    std::string header;
  };
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Bytes> kept_;
  std::string directory_;
};

uint32_t crc32(ByteView bytes);

}  // namespace onward::zip
