// How a dataset's elements lie in the file: compact, contiguous, or in chunks with filters.
#include <zlib.h>

#include <algorithm>
#include <set>

#include "base/release_pages.h"
#include "formats/hdf5/internal.h"

namespace onward::hdf5 {
namespace {

constexpr uint64_t kMaxInflated = uint64_t{8} << 30;

struct Filter {
  uint16_t id;
  std::vector<uint32_t> values;
};

std::vector<Filter> read_filters(const File::Impl& file, const Bytes& message) {
  ByteReader reader(message.view(), file.what);
  const auto version = reader.read<uint8_t>();
  const size_t count = reader.read<uint8_t>();
  if (version == 1) reader.skip(6);
  std::vector<Filter> filters;
  for (size_t i = 0; i < count; ++i) {
    Filter filter{reader.read<uint16_t>(), {}};
    const size_t name_size = version == 1 || filter.id >= 256 ? reader.read<uint16_t>() : 0;
    reader.skip(2);
    const size_t values = reader.read<uint16_t>();
    reader.skip(version == 1 ? (name_size + 7) / 8 * 8 : name_size);
    for (size_t k = 0; k < values; ++k) filter.values.push_back(reader.read<uint32_t>());
    if (version == 1 && values % 2 == 1) reader.skip(4);
    filters.push_back(std::move(filter));
  }
  return filters;
}

std::vector<std::byte> inflate_chunk(const File::Impl& file, ByteView packed, size_t size) {
  std::vector<std::byte> out(size);
  uLongf length = size;
  const int status = ::uncompress(reinterpret_cast<Bytef*>(out.data()), &length,
                                  reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (status != Z_OK) file.damaged("a compressed chunk does not inflate to its size");
  out.resize(length);
  return out;
}

std::vector<std::byte> unshuffle(const std::vector<std::byte>& shuffled, size_t width) {
  if (width <= 1 || shuffled.empty()) return shuffled;
  std::vector<std::byte> plain(shuffled.size());
  const size_t count = shuffled.size() / width;
  for (size_t byte = 0; byte < width; ++byte) {
    for (size_t i = 0; i < count; ++i) plain[i * width + byte] = shuffled[byte * count + i];
  }
  std::copy(shuffled.begin() + static_cast<std::ptrdiff_t>(count * width), shuffled.end(),
            plain.begin() + static_cast<std::ptrdiff_t>(count * width));
  return plain;
}

class ChunkedReader {
 public:
  ChunkedReader(const File::Impl& file, std::vector<Filter> filters, const Datatype& type, std::vector<int64_t> shape,
                std::vector<uint64_t> chunk)
      : file_(file),
        filters_(std::move(filters)),
        width_(type.size),
        shape_(std::move(shape)),
        chunk_(std::move(chunk)) {
    const uint64_t total = checked_bytes(shape_, width_, file.what);
    std::vector<int64_t> dims(chunk_.begin(), chunk_.end());
    chunk_bytes_ = checked_bytes(dims, width_, file.what);
    if (total > kMaxInflated || chunk_bytes_ > kMaxInflated) file.damaged("a chunked dataset is too large");
    // What is claimed must be plausible beside what the file holds: deflate gives at most about 1,000 to 1.
    if (total / 1032 > file.bytes.size() + (uint64_t{1} << 20))
      file.damaged("a chunked dataset is larger than its data");
    out_.resize(total);
  }

  Bytes read(uint64_t root) {
    if (root != kUndefined) visit(root, 0);
    return Bytes::from_vector(std::move(out_));
  }

  void place(const Bytes& packed, uint32_t mask, const std::vector<uint64_t>& start) {
    const std::vector<std::byte> plain = unfiltered(packed, mask);
    if (plain.size() < chunk_bytes_) file_.damaged("a chunk is too short");
    copy(plain, start, 0, 0, 0);
  }

 private:
  void visit(uint64_t address, int depth) {
    if (depth > kMaxDepth || !seen_.insert(address).second) file_.damaged("a chunk tree refers to itself");
    ByteReader reader = file_.reader(address);
    file_.expect(reader, "TREE");
    if (reader.read<uint8_t>() != 1) file_.damaged("a chunk tree has an unknown node");
    const auto level = reader.read<uint8_t>();
    const auto entries = reader.read<uint16_t>();
    reader.skip(size_t{2} * file_.offset_size);
    for (uint16_t i = 0; i < entries; ++i) {
      const auto size = reader.read<uint32_t>();
      const auto mask = reader.read<uint32_t>();
      std::vector<uint64_t> start;
      for (size_t axis = 0; axis < shape_.size(); ++axis) start.push_back(reader.read<uint64_t>());
      reader.skip(8);
      const uint64_t child = file_.read_offset(reader);
      if (level > 0) {
        visit(child, depth + 1);
      } else {
        place(file_.slice(child, size), mask, start);
      }
    }
  }

  std::vector<std::byte> unfiltered(const Bytes& packed, uint32_t mask) const {
    std::vector<std::byte> data(packed.view().begin(), packed.view().end());
    for (size_t i = filters_.size(); i-- > 0;) {
      if (i < 32 && (mask & (1U << i)) != 0) continue;
      switch (filters_[i].id) {
        case 1:
          data = inflate_chunk(file_, data, chunk_bytes_ + 4);
          break;
        case 2:
          data = unshuffle(data, filters_[i].values.empty() ? width_ : filters_[i].values.front());
          break;
        case 3:
          if (data.size() < 4) file_.damaged("a chunk is too short for its checksum");
          data.resize(data.size() - 4);
          break;
        default:
          file_.unsupported("filter " + std::to_string(filters_[i].id));
      }
    }
    return data;
  }

  // Copies the part of the chunk that lies inside the dataset, row by row.
  void copy(const std::vector<std::byte>& plain, const std::vector<uint64_t>& start, size_t axis, uint64_t from,
            uint64_t to) {
    const auto size = axis < shape_.size() ? static_cast<uint64_t>(shape_[axis]) : 1;
    if (axis == shape_.size()) {
      std::memcpy(&out_[to * width_], &plain[from * width_], width_);
      return;
    }
    if (start[axis] >= size) return;
    const uint64_t count = std::min(chunk_[axis], size - start[axis]);
    if (axis + 1 == shape_.size()) {
      std::memcpy(&out_[(to * size + start[axis]) * width_], &plain[from * chunk_[axis] * width_], count * width_);
      return;
    }
    for (uint64_t i = 0; i < count; ++i)
      copy(plain, start, axis + 1, from * chunk_[axis] + i, to * size + start[axis] + i);
  }

  const File::Impl& file_;
  std::vector<Filter> filters_;
  size_t width_;
  std::vector<int64_t> shape_;
  std::vector<uint64_t> chunk_;
  uint64_t chunk_bytes_ = 0;
  std::vector<std::byte> out_;
  std::set<uint64_t> seen_;
};

Bytes zeros(const std::vector<int64_t>& shape, size_t width, const File::Impl& file) {
  const uint64_t size = checked_bytes(shape, width, file.what);
  if (size > (uint64_t{1} << 30)) file.damaged("a dataset without data is too large");
  return Bytes::from_vector(std::vector<std::byte>(size));
}

Bytes read_chunked(const File::Impl& file, ByteReader& reader, const std::vector<Message>& messages,
                   const Datatype& type, const std::vector<int64_t>& shape) {
  const size_t rank = reader.read<uint8_t>();
  if (rank != shape.size() + 1 || shape.empty()) file.damaged("a chunked dataset has the wrong rank");
  const uint64_t root = file.read_offset(reader);
  std::vector<uint64_t> chunk;
  for (size_t i = 0; i + 1 < rank; ++i) chunk.push_back(reader.read<uint32_t>());
  if (std::find(chunk.begin(), chunk.end(), 0U) != chunk.end()) file.damaged("a chunk has no elements");
  const Message* filters = find_message(messages, kFilters);
  auto parsed = filters != nullptr ? read_filters(file, filters->data) : std::vector<Filter>{};
  return ChunkedReader(file, std::move(parsed), type, shape, chunk).read(root);
}

}  // namespace

Bytes read_layout(const File::Impl& file, const std::vector<Message>& messages, const Datatype& type,
                  const std::vector<int64_t>& shape) {
  if (find_message(messages, kExternalFiles) != nullptr) file.unsupported("external data file");
  const Message* layout = find_message(messages, kLayout);
  if (layout == nullptr) file.damaged("a dataset has no layout");
  ByteReader reader(layout->data.view(), file.what);
  const auto version = reader.read<uint8_t>();
  if (version != 3 && version != 4) file.unsupported("layout version " + std::to_string(version));
  switch (reader.read<uint8_t>()) {
    case 0: {
      const auto size = reader.read<uint16_t>();
      return layout->data.slice(reader.offset(), size);
    }
    case 1: {
      const uint64_t address = file.read_offset(reader);
      const uint64_t size = file.read_length(reader);
      return address == kUndefined ? zeros(shape, type.size, file) : apart_if_small(file.slice(address, size));
    }
    case 2:
      if (version == 4) file.unsupported("chunk index of the latest format");
      return read_chunked(file, reader, messages, type, shape);
    default:
      file.unsupported("virtual dataset");
  }
}

}  // namespace onward::hdf5
