#include "formats/hdf5/file.h"

#include "formats/hdf5/internal.h"
#include "formats/zip.h"

namespace onward::hdf5 {
namespace {

constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);
constexpr size_t kLastSuperblock = 1 << 24;

std::optional<size_t> find_superblock(ByteView file) {
  const std::string_view text = as_text(file);
  for (size_t offset = 0; offset + kSignature.size() <= text.size() && offset <= kLastSuperblock;
       offset = offset == 0 ? 512 : offset * 2) {
    if (text.substr(offset, kSignature.size()) == kSignature) return offset;
  }
  return std::nullopt;
}

struct ParsedAttribute {
  std::string name;
  Bytes datatype;
  Bytes dataspace;
  Bytes data;
};

size_t padded(size_t size) { return (size + 7) / 8 * 8; }

ParsedAttribute parse_attribute(const File::Impl& file, const Bytes& message) {
  ByteReader reader(message.view(), file.what);
  const auto version = reader.read<uint8_t>();
  if (version < 1 || version > 3) file.unsupported("attribute version " + std::to_string(version));
  const auto flags = reader.read<uint8_t>();
  if (version > 1 && (flags & 3U) != 0) file.unsupported("shared attribute type");
  const size_t name_size = reader.read<uint16_t>();
  const size_t type_size = reader.read<uint16_t>();
  const size_t space_size = reader.read<uint16_t>();
  if (version == 3) reader.skip(1);
  const auto take = [&](size_t size) {
    const size_t start = reader.offset();
    reader.skip(version == 1 ? padded(size) : size);
    return message.slice(start, size);
  };
  ParsedAttribute attribute;
  attribute.name = std::string(take(name_size).text());
  attribute.name.resize(std::min(attribute.name.size(), attribute.name.find('\0')));
  attribute.datatype = take(type_size);
  attribute.dataspace = take(space_size);
  attribute.data = message.slice(reader.offset(), reader.remaining());
  return attribute;
}

std::vector<ParsedAttribute> parse_attributes(const File::Impl& file, uint64_t address) {
  std::vector<ParsedAttribute> attributes;
  for (const Message& message : read_messages(file, address)) {
    if (message.type == kAttribute) attributes.push_back(parse_attribute(file, message.data));
    if (message.type == kAttributeInfo) {
      ByteReader reader(message.data.view(), file.what);
      reader.skip(1);
      const auto flags = reader.read<uint8_t>();
      if ((flags & 1U) != 0) reader.skip(2);
      if (file.read_offset(reader) != kUndefined) file.unsupported("dense attribute storage");
    }
  }
  return attributes;
}

}  // namespace

// A .keras archive may hold its weights just where a signature may stand.
bool looks_like_hdf5(ByteView file) { return !zip::looks_like_zip(file) && find_superblock(file).has_value(); }

ByteReader File::Impl::reader(uint64_t address) const {
  if (address >= bytes.size()) damaged("an address is past the end");
  ByteReader reader(bytes.view(), what);
  reader.seek(address);
  return reader;
}

Bytes File::Impl::slice(uint64_t address, uint64_t size) const {
  if (address > bytes.size() || size > bytes.size() - address) damaged("data reach past the end");
  return bytes.slice(address, size);
}

uint64_t File::Impl::read_sized(ByteReader& reader, size_t size) const {
  const ByteView raw = reader.take(size);
  uint64_t value = 0;
  std::memcpy(&value, raw.data(), size);
  const bool undefined = size < 8 && value == (uint64_t{1} << (8 * size)) - 1;
  return undefined ? kUndefined : value;
}

void File::Impl::expect(ByteReader& reader, std::string_view signature) const {
  if (as_text(reader.take(signature.size())) != signature) damaged("a " + std::string(signature) + " block is missing");
}

File File::open(Bytes bytes, std::string_view what) {
  const std::optional<size_t> start = find_superblock(bytes.view());
  if (!start) fail_data(std::string(what) + ": not an HDF5 file");
  auto impl = std::make_shared<Impl>();
  impl->what = what;
  impl->bytes = bytes.slice(*start, bytes.size() - *start);
  ByteReader reader = impl->reader(kSignature.size());
  const auto version = reader.read<uint8_t>();
  if (version > 3) impl->unsupported("superblock version " + std::to_string(version));
  if (version < 2) reader.skip(4);
  impl->offset_size = reader.read<uint8_t>();
  impl->length_size = reader.read<uint8_t>();
  const auto sane = [](uint8_t size) { return size == 2 || size == 4 || size == 8; };
  if (!sane(impl->offset_size) || !sane(impl->length_size)) impl->damaged("odd address sizes");
  if (version < 2) {
    reader.skip(version == 0 ? 9 : 13);
    reader.skip(size_t{4} * impl->offset_size);  // base, free space, end, driver
    reader.skip(impl->offset_size);              // the root entry's link name
  } else {
    reader.skip(1);
    reader.skip(size_t{3} * impl->offset_size);  // base, extension, end
  }
  impl->root = impl->read_offset(reader);
  return File(std::move(impl));
}

std::optional<Object> File::find(std::string_view path) const { return find_from({impl_, impl_->root}, path); }

std::optional<Object> File::find_from(const Object& group, std::string_view path) {
  Object object = group;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) {
      const std::optional<Object> next = object.member(path.substr(0, end));
      if (!next) return std::nullopt;
      object = *next;
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return object;
}

Object File::at(std::string_view path) const {
  if (std::optional<Object> object = find(path)) return *object;
  fail_not_found(impl_->what + ": no \"" + std::string(path) + "\" in the file");
}

std::vector<std::string> Object::members() const {
  std::vector<std::string> names;
  for (const auto& [name, target] : read_links(*file, read_messages(*file, address))) names.push_back(name);
  return names;
}

bool Object::is_dataset() const { return find_message(read_messages(*file, address), kLayout) != nullptr; }

std::optional<Object> Object::member(std::string_view name) const {
  const auto links = read_links(*file, read_messages(*file, address));
  const auto found = links.find(std::string(name));
  if (found == links.end()) return std::nullopt;
  return Object{file, found->second};
}

Array Object::read() const {
  const std::vector<Message> messages = read_messages(*file, address);
  const Message* type = find_message(messages, kDatatype);
  const Message* space = find_message(messages, kDataspace);
  if (type == nullptr || space == nullptr) file->damaged("an object that should be a dataset is none");
  const Datatype datatype = read_datatype(*file, type->data);
  std::vector<int64_t> shape = read_dataspace(*file, space->data);
  const Bytes raw = read_layout(*file, messages, datatype, shape);
  return decode(*file, datatype, std::move(shape), raw);
}

std::vector<std::string> Object::attribute_names() const {
  std::vector<std::string> names;
  for (const ParsedAttribute& attribute : parse_attributes(*file, address)) names.push_back(attribute.name);
  return names;
}

std::optional<Array> Object::attribute(std::string_view name) const {
  for (const ParsedAttribute& attribute : parse_attributes(*file, address)) {
    if (attribute.name != name) continue;
    const Datatype type = read_datatype(*file, attribute.datatype);
    return decode(*file, type, read_dataspace(*file, attribute.dataspace), attribute.data);
  }
  return std::nullopt;
}

std::optional<std::string> Object::text(std::string_view name) const {
  const std::optional<Array> value = attribute(name);
  if (!value || value->dtype != "string" || value->strings.size() != 1) return std::nullopt;
  return value->strings.front();
}

}  // namespace onward::hdf5
