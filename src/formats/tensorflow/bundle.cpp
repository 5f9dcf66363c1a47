#include "formats/tensorflow/bundle.h"

#include <algorithm>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/release_pages.h"
#include "formats/tensorflow/crc32c.h"
#include "formats/tensorflow/messages.h"
#include "formats/tensorflow/proto/saved_model.pb.h"
#include "formats/tensorflow/slices.h"
#include "formats/tensorflow/table.h"
#include "formats/tensorflow/varint.h"

namespace onward::tensorflow {
namespace {

constexpr int32_t kMaxShards = 100'000;
constexpr std::string_view kSliceKeys("\0", 1);  // how the keys of parts begin

void check_bytes(ByteView bytes, uint32_t stored, const std::string& what) {
  if (masked_crc(crc32c(bytes)) != stored) fail_data(what + ": its checksum is wrong", "the file is damaged");
}

Bundle::Entry read_entry_message(const Bytes& value, const std::string& what) {
  proto::BundleEntryProto message;
  parse_binary(value, what, message);
  if (message.offset() < 0 || message.size() < 0) fail_data(what + ": a negative offset or size");
  Bundle::Entry entry;
  entry.type = without_ref(static_cast<DataType>(message.dtype()));
  for (const auto& dim : message.shape().dim()) entry.shape.push_back(dim.size());
  entry.shard = message.shard_id();
  entry.offset = static_cast<uint64_t>(message.offset());
  entry.size = static_cast<uint64_t>(message.size());
  entry.crc = message.crc32c();
  for (const auto& slice : message.slices()) {
    Bundle::Slice read;
    for (const auto& extent : slice.extent()) {
      read.start.push_back(extent.start());
      read.length.push_back(extent.has_length_case() == proto::TensorSliceProto::Extent::kLength ? extent.length()
                                                                                                 : -1);
    }
    entry.slices.push_back(std::move(read));
  }
  return entry;
}

// Lengths as varints, their checksum, then the bytes of all strings; the entry's checksum covers the lengths as fixed
// integers.
std::vector<std::string> read_strings(const Bytes& data, uint64_t count, const std::string& what) {
  if (count > data.size()) fail_data(what + ": fewer bytes than strings");
  ByteReader reader(data.view(), what);
  std::vector<uint64_t> lengths;
  std::vector<std::byte> fixed;
  for (uint64_t i = 0; i < count; ++i) {
    lengths.push_back(read_varint(reader, what));
    const size_t width = lengths.back() > UINT32_MAX ? sizeof(uint64_t) : sizeof(uint32_t);
    const ByteView bytes = std::as_bytes(std::span(&lengths.back(), 1)).first(width);
    fixed.insert(fixed.end(), bytes.begin(), bytes.end());
  }
  check_bytes(fixed, reader.read<uint32_t>(), what + " (the lengths)");
  std::vector<std::string> strings;
  for (const uint64_t length : lengths) strings.emplace_back(as_text(reader.take(length)));
  return strings;
}

}  // namespace

Bundle Bundle::open(const std::filesystem::path& prefix) {
  const std::string index = prefix.string() + ".index";
  const Bytes file = map_file(index);
  std::vector<Bytes> shards;
  // The header, which comes first, tells how many shards there are.
  const auto entries = read_table(file, index);
  proto::BundleHeaderProto header;
  if (entries.empty() || !entries.front().first.empty()) fail_data(index + ": not a checkpoint (no header)");
  parse_binary(entries.front().second, index, header);
  if (header.num_shards() < 0 || header.num_shards() > kMaxShards) fail_data(index + ": a bad number of shards");
  for (int32_t shard = 0; shard < header.num_shards(); ++shard) {
    char suffix[48];
    std::snprintf(suffix, sizeof(suffix), ".data-%05d-of-%05d", shard, header.num_shards());
    shards.push_back(map_file(prefix.string() + suffix));
  }
  return parse(file, std::move(shards), prefix.string());
}

Bundle Bundle::parse(const Bytes& index, std::vector<Bytes> shards, std::string what) {
  Bundle bundle;
  bundle.what_ = std::move(what);
  bundle.shards_ = std::move(shards);
  bool first = true;
  for (const auto& [key, value] : read_table(index, bundle.what_)) {
    if (first) {
      proto::BundleHeaderProto header;
      if (!key.empty()) fail_data(bundle.what_ + ": not a checkpoint (no header)");
      parse_binary(value, bundle.what_, header);
      bundle.big_endian_ = header.endianness() == 1;
      first = false;
      continue;
    }
    const bool part = key.starts_with(kSliceKeys);
    (part ? bundle.parts_ : bundle.entries_)[key] = read_entry_message(value, bundle.what_ + ": \"" + key + "\"");
  }
  if (first) fail_data(bundle.what_ + ": not a checkpoint (no header)");
  return bundle;
}

Array Bundle::read(const std::string& key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) fail_not_found(what_ + ": the checkpoint has no tensor \"" + key + "\"");
  const Entry& entry = found->second;
  return entry.slices.empty() ? read_entry(entry, what_ + ": tensor \"" + key + "\"") : join(key, entry);
}

Array Bundle::read_entry(const Entry& entry, const std::string& what) const {
  if (entry.shard < 0 || static_cast<size_t>(entry.shard) >= shards_.size()) {
    fail_data(what + ": it lies in shard " + std::to_string(entry.shard) + ", which the checkpoint has not");
  }
  Array array;
  array.dtype = dtype_name(entry.type);
  array.shape = entry.shape;
  if (array.dtype.empty()) {
    fail_unsupported(what + ": its elements are of type " + std::string(display_name(entry.type)));
  }
  const Bytes& shard = shards_[static_cast<size_t>(entry.shard)];
  if (entry.size > shard.size() || entry.offset > shard.size() - entry.size) {
    fail_data(what + ": it lies outside its shard", "the checkpoint is truncated or damaged");
  }
  const Bytes data = shard.slice(entry.offset, entry.size);
  if (entry.type == DataType::kString) {
    array.strings = read_strings(data, checked_count(array.shape, what), what);
    return array;
  }
  if (entry.size != checked_bytes(array.shape, dtype_size(array.dtype), what)) {
    fail_data(what + ": its size does not fit its shape");
  }
  check_bytes(data.view(), entry.crc, what);
  array.data = big_endian_ ? Bytes::from_vector(byte_swapped(data.view(), array.dtype)) : apart_if_small(data);
  return array;
}

Array Bundle::join(const std::string& key, const Entry& entry) const {
  const std::string what = what_ + ": tensor \"" + key + "\"";
  Array whole;
  whole.dtype = dtype_name(entry.type);
  whole.shape = entry.shape;
  const size_t element = dtype_size(whole.dtype);
  if (element == 0) fail_unsupported(what + ": it is kept in parts, which is not read for its type");
  const uint64_t bytes = checked_bytes(whole.shape, element, what);
  uint64_t stored = 0;
  for (const Bytes& shard : shards_) stored += shard.size();
  if (bytes > stored) fail_data(what + ": it is larger than the checkpoint");
  std::vector<std::byte> data(bytes);
  uint64_t filled = 0;
  for (const Slice& slice : entry.slices) {
    const auto part = parts_.find(slice_key(key, slice.start, slice.length));
    if (part == parts_.end()) fail_data(what + ": one of its parts is missing");
    const Array array = read_entry(part->second, what);
    paste(array, slice.start, slice.length, whole.shape, element, data, what);
    filled += array.data.size();
  }
  if (filled != bytes) fail_data(what + ": its parts do not cover it");
  whole.data = Bytes::from_vector(std::move(data));
  return whole;
}

}  // namespace onward::tensorflow
