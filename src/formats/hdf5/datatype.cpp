// Datatypes, dataspaces and the decoding of elements.
#include <algorithm>

#include "formats/hdf5/internal.h"

namespace onward::hdf5 {
namespace {

constexpr size_t kMaxRank = 32;

std::string number_name(const File::Impl& file, unsigned type_class, bool is_signed, size_t size) {
  if (type_class == 1) {
    if (size == 2) return "float16";
    if (size == 4) return "float32";
    if (size == 8) return "float64";
  } else if (size == 1 || size == 2 || size == 4 || size == 8) {
    return (is_signed ? "int" : "uint") + std::to_string(size * 8);
  }
  file.unsupported("number of " + std::to_string(size) + " bytes");
}

// Strings of variable length lie in global heap collections.
std::string heap_string(const File::Impl& file, ByteReader& reader) {
  const auto length = reader.read<uint32_t>();
  const uint64_t collection = file.read_offset(reader);
  const auto index = reader.read<uint32_t>();
  if (length == 0 || collection == kUndefined || collection == 0) return {};
  ByteReader heap = file.reader(collection);
  file.expect(heap, "GCOL");
  heap.skip(4);
  const uint64_t size = file.read_length(heap);
  const uint64_t end = std::min<uint64_t>(collection + std::min<uint64_t>(size, file.bytes.size()), file.bytes.size());
  while (heap.offset() + 8 + file.length_size <= end) {
    const auto object = heap.read<uint16_t>();
    heap.skip(6);
    const uint64_t object_size = file.read_length(heap);
    if (object == 0) break;
    if (object_size > heap.remaining()) file.damaged("a string reaches past its heap");
    if (object == index) {
      if (length > object_size) file.damaged("a string is longer than its heap object");
      return std::string(as_text(heap.take(length)));
    }
    heap.skip(std::min<uint64_t>((object_size + 7) / 8 * 8, heap.remaining()));
  }
  file.damaged("a string is missing from its heap");
}

std::string fixed_string(std::string_view raw, char padding) {
  if (padding == 2) {
    const size_t end = raw.find_last_not_of(' ');
    return std::string(raw.substr(0, end == std::string_view::npos ? 0 : end + 1));
  }
  return std::string(raw.substr(0, raw.find('\0')));
}

}  // namespace

Datatype read_datatype(const File::Impl& file, const Bytes& message) {
  ByteReader reader(message.view(), file.what);
  const auto class_and_version = reader.read<uint8_t>();
  const unsigned type_class = class_and_version & 0x0fU;
  const ByteView raw_bits = reader.take(3);
  const auto bits = static_cast<unsigned>(raw_bits[0]);
  Datatype type;
  type.size = reader.read<uint32_t>();
  switch (type_class) {
    case 0:
    case 1:
      type.big_endian = (bits & 1U) != 0;
      type.dtype = number_name(file, type_class, (bits & 8U) != 0, type.size);
      return type;
    case 3:
      type.kind = Datatype::Kind::kFixedString;
      type.dtype = "string";
      type.padding = static_cast<char>(bits & 0x0fU);
      return type;
    case 5:  // what h5py makes of a number type that HDF5 has no name for; of two bytes Keras writes bfloat16
      if (type.size != 2) break;
      type.dtype = "bfloat16";
      return type;
    case 8: {  // an enum, as h5py writes booleans: {FALSE, TRUE} over int8
      const Datatype base = read_datatype(file, message.slice(8, message.size() - 8));
      type = base;
      if (base.size == 1) type.dtype = "bool";
      return type;
    }
    case 9:
      if ((bits & 0x0fU) != 1) file.unsupported("variable-length list");
      type.kind = Datatype::Kind::kVariableString;
      type.dtype = "string";
      return type;
    default:
      break;
  }
  static constexpr const char* kNames[] = {"",         "",          "time", "", "bit field", "opaque value",
                                           "compound", "reference", "",     "", "array"};
  file.unsupported(std::string(type_class < std::size(kNames) ? kNames[type_class] : "unknown") + " datatype");
}

std::vector<int64_t> read_dataspace(const File::Impl& file, const Bytes& message) {
  ByteReader reader(message.view(), file.what);
  const auto version = reader.read<uint8_t>();
  const size_t rank = reader.read<uint8_t>();
  reader.skip(1);
  if (version != 1 && version != 2) file.unsupported("dataspace version " + std::to_string(version));
  if (rank > kMaxRank) file.damaged("a dataset has too many dimensions");
  bool null = false;
  if (version == 1) {
    reader.skip(5);
  } else {
    null = reader.read<uint8_t>() == 2;
  }
  if (null) return {0};
  std::vector<int64_t> shape;
  for (size_t i = 0; i < rank; ++i) shape.push_back(static_cast<int64_t>(file.read_length(reader)));
  checked_count(shape, file.what);
  return shape;
}

Array decode(const File::Impl& file, const Datatype& type, std::vector<int64_t> shape, const Bytes& data) {
  const uint64_t count = checked_count(shape, file.what);
  const uint64_t size = checked_bytes(shape, type.size, file.what);
  if (size > data.size()) file.damaged("a dataset is shorter than its shape says");
  Array array{type.dtype, std::move(shape), {}, {}};
  if (type.kind == Datatype::Kind::kNumber) {
    array.data = type.big_endian ? Bytes::from_vector(byte_swapped(data.slice(0, size).view(), type.dtype))
                                 : data.slice(0, size);
    return array;
  }
  if (type.size == 0) file.damaged("a string type has no size");
  ByteReader reader(data.view(), file.what);
  for (uint64_t i = 0; i < count; ++i) {
    if (type.kind == Datatype::Kind::kFixedString) {
      array.strings.push_back(fixed_string(as_text(reader.take(type.size)), type.padding));
    } else {
      array.strings.push_back(heap_string(file, reader));
    }
  }
  return array;
}

}  // namespace onward::hdf5
