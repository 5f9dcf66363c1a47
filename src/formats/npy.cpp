#include "formats/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/utf8.h"
#include "formats/zip.h"

namespace onward::npy {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
// Elements of 0 bytes, of which a short file can name any number.
constexpr uint64_t kMaxEmptyStrings = uint64_t{1} << 16;

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// Reads the header's Python dict of a string, a bool and a tuple of integers.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& what) : text_(text), what_(what) {}

  Header run() {
    Header header;
    bool descr = false;
    bool order = false;
    bool shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        if (peek() == '[') unsupported("a structured dtype");
        header.descr = quoted();
        descr = true;
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
        order = true;
      } else if (key == "shape") {
        header.shape = tuple();
        shape = true;
      } else {
        damaged();
      }
      if (!accept(',') && peek() != '}') damaged();
    }
    if (!descr || !order || !shape) damaged();
    return header;
  }

  [[noreturn]] void unsupported(const std::string& thing) const {
    fail_unsupported(what_ + ": the array holds " + thing,
                     "save it as a plain numeric or string array (numpy.save with allow_pickle=False)");
  }

 private:
  [[noreturn]] void damaged() const { fail_data(what_ + ": damaged .npy header"); }

  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) damaged();
  }
  std::string quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') damaged();
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) damaged();
    std::string text(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return text;
  }
  bool boolean() {
    (void)peek();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    damaged();
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> numbers;
    expect('(');
    while (!accept(')')) {
      (void)peek();
      int64_t number = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
      if (error != std::errc()) damaged();
      at_ = static_cast<size_t>(end - text_.data());
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2
      numbers.push_back(number);
      if (!accept(',') && peek() != ')') damaged();
    }
    return numbers;
  }

  std::string_view text_;
  const std::string& what_;
  size_t at_ = 0;
};

struct Type {
  std::string dtype;  // "string" for U and S
  char kind = 0;
  size_t size = 0;  // of one element in the file
  bool big_endian = false;
};

std::string numeric_name(char kind, size_t size) {
  const std::string bits = std::to_string(size * 8);
  switch (kind) {
    case 'b':
      return "bool";
    case 'i':
      return "int" + bits;
    case 'u':
      return "uint" + bits;
    case 'f':
      return "float" + bits;
    case 'c':
      return "complex" + bits;
    default:
      return {};
  }
}

Type parse_descr(const std::string& descr, const HeaderParser& parser, const std::string& what) {
  Type type;
  std::string_view text = descr;
  if (!text.empty() && (text[0] == '<' || text[0] == '>' || text[0] == '|' || text[0] == '=')) {
    type.big_endian = text[0] == '>';
    text.remove_prefix(1);
  }
  if (text.empty()) fail_data(what + ": damaged .npy header");
  type.kind = text[0];
  if (type.kind == '?') {
    type.kind = 'b';
    text = "b1";
  }
  if (type.kind == 'O') parser.unsupported("pickled objects, which are never loaded");
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), type.size);
  if (error != std::errc() || end != text.data() + text.size() || type.size > (1U << 28)) {
    parser.unsupported("elements of type '" + descr + "'");
  }
  if (type.kind == 'U') {
    type.size *= 4;
    type.dtype = "string";
  } else if (type.kind == 'S' || type.kind == 'a') {
    type.dtype = "string";
  } else {
    type.dtype = numeric_name(type.kind, type.size);
    if (dtype_size(type.dtype) != type.size || type.dtype.empty())
      parser.unsupported("elements of type '" + descr + "'");
  }
  return type;
}

std::string string_of(ByteView element, const Type& type, const std::string& what) {
  std::string text;
  if (type.kind == 'U') {
    for (size_t at = 0; at < element.size(); at += 4) {
      uint32_t code = ByteReader(element.subspan(at, 4)).read<uint32_t>();
      if (type.big_endian) code = __builtin_bswap32(code);
      if (code > 0x10ffff) fail_data(what + ": a character is no unicode code point");
      append_utf8(text, code);
    }
  } else {
    text = as_text(element);
  }
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

// Row-major order from Fortran order.
std::vector<std::byte> from_fortran(ByteView data, const std::vector<int64_t>& shape, size_t element) {
  std::vector<std::byte> out(data.size());
  std::vector<size_t> strides(shape.size());
  size_t stride = element;
  for (size_t i = 0; i < shape.size(); ++i) {
    strides[i] = stride;
    stride *= static_cast<size_t>(shape[i]);
  }
  std::vector<int64_t> index(shape.size(), 0);
  size_t from = 0;
  for (size_t to = 0; to < out.size(); to += element) {
    std::memcpy(out.data() + to, data.data() + from, element);
    for (size_t i = shape.size(); i-- > 0;) {
      from += strides[i];
      if (++index[i] < shape[i]) break;
      from -= strides[i] * static_cast<size_t>(shape[i]);
      index[i] = 0;
    }
  }
  return out;
}

std::string descr_of(const Array& array) {
  static constexpr std::array<std::array<std::string_view, 2>, 14> kNames = {{{"bool", "|b1"},
                                                                              {"int8", "|i1"},
                                                                              {"uint8", "|u1"},
                                                                              {"int16", "<i2"},
                                                                              {"uint16", "<u2"},
                                                                              {"int32", "<i4"},
                                                                              {"uint32", "<u4"},
                                                                              {"int64", "<i8"},
                                                                              {"uint64", "<u8"},
                                                                              {"float16", "<f2"},
                                                                              {"float32", "<f4"},
                                                                              {"float64", "<f8"},
                                                                              {"complex64", "<c8"},
                                                                              {"complex128", "<c16"}}};
  for (const auto& [dtype, descr] : kNames) {
    if (array.dtype == dtype) return std::string(descr);
  }
  switch (dtype_size(array.dtype)) {
    case 1:
      return "|u1";
    case 2:
      return "<u2";
    case 4:
      return "<u4";
    default:
      fail_unsupported("an array of type \"" + array.dtype + "\" cannot be written as .npy");
  }
}

std::string header_of(const std::string& descr, const std::vector<int64_t>& shape) {
  std::string dict = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < shape.size(); ++i) {
    dict += std::to_string(shape[i]);
    if (i + 1 < shape.size()) {
      dict += ", ";
    } else if (shape.size() == 1) {
      dict += ',';
    }
  }
  dict += "), }";
  const size_t prefix = kMagic.size() + 4;
  dict.append(63 - (prefix + dict.size()) % 64, ' ');
  dict += '\n';
  std::string header(kMagic);
  header += '\x01';
  header += '\0';
  const auto length = static_cast<uint16_t>(dict.size());
  header.append(reinterpret_cast<const char*>(&length), sizeof(length));
  return header + dict;
}

Encoded encode_strings(const Array& array) {
  std::vector<std::u32string> wide;
  size_t width = 1;
  bool unicode = true;
  for (const std::string& text : array.strings) {
    const std::optional<std::u32string> decoded = decode_utf8(text);
    if (!decoded) {
      unicode = false;
      break;
    }
    width = std::max(width, decoded->size());
    wide.push_back(*decoded);
  }
  std::string data;
  if (unicode) {
    for (std::u32string& text : wide) {
      text.resize(width, U'\0');
      data.append(reinterpret_cast<const char*>(text.data()), width * 4);
    }
  } else {
    for (const std::string& text : array.strings) width = std::max(width, text.size());
    for (std::string text : array.strings) {
      text.resize(width, '\0');
      data += text;
    }
  }
  return {header_of((unicode ? "<U" : "|S") + std::to_string(width), array.shape), Bytes::from_string(std::move(data))};
}

}  // namespace

bool looks_like(ByteView file) { return file.size() >= kMagic.size() && as_text(file).starts_with(kMagic); }

Array read(const Bytes& file, std::string_view what) {
  const std::string name(what);
  if (!looks_like(file.view())) fail_data(name + ": not an .npy file");
  ByteReader reader(file.view(), what);
  reader.skip(kMagic.size());
  const auto major = reader.read<uint8_t>();
  reader.skip(1);
  if (major < 1 || major > 3) fail_data(name + ": unknown .npy version " + std::to_string(major));
  const size_t length = major == 1 ? reader.read<uint16_t>() : reader.read<uint32_t>();
  HeaderParser parser(as_text(reader.take(length)), name);
  const Header header = parser.run();
  const Type type = parse_descr(header.descr, parser, name);

  Array array{type.dtype, header.shape, {}, {}};
  const uint64_t count = checked_count(header.shape, name);
  const uint64_t bytes = checked_bytes(header.shape, type.size, name);
  if (bytes > reader.remaining()) {
    fail_data(name + ": the shape needs " + std::to_string(bytes) + " bytes, the file has " +
              std::to_string(reader.remaining()));
  }
  if (bytes == 0 && count > kMaxEmptyStrings) fail_data(name + ": too many empty strings");
  Bytes data = file.slice(reader.offset(), bytes);
  if (header.fortran_order && header.shape.size() > 1 && bytes > 0) {
    data = Bytes::from_vector(from_fortran(data.view(), header.shape, type.size));
  }
  if (type.dtype == "string") {
    for (uint64_t i = 0; i < count; ++i) {
      array.strings.push_back(string_of(data.view().subspan(i * type.size, type.size), type, name));
    }
    return array;
  }
  array.data = type.big_endian ? Bytes::from_vector(byte_swapped(data.view(), type.dtype)) : data;
  return array;
}

std::vector<std::pair<std::string, Array>> read_npz(const Bytes& file, std::string_view what) {
  const zip::Archive archive = zip::Archive::open(file, what);
  std::vector<std::pair<std::string, Array>> arrays;
  for (const zip::Entry& entry : archive.entries()) {
    std::string name = entry.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays.emplace_back(name, read(archive.read(entry), archive.what() + ": " + entry.name));
  }
  return arrays;
}

Encoded encode(const Array& array) {
  if (array.dtype == "string") return encode_strings(array);
  const uint64_t wanted = checked_bytes(array.shape, dtype_size(array.dtype), "array");
  if (array.data.size() != wanted) fail_invalid("an array's bytes do not match its shape");
  return {header_of(descr_of(array), array.shape), array.data};
}

void write(const std::filesystem::path& path, const Array& array) {
  const Encoded encoded = encode(array);
  const std::vector<ByteView> parts = {as_bytes(encoded.header), encoded.data.view()};
  write_file(path, parts);
}

namespace {

zip::Writer npz_writer(const std::vector<std::pair<std::string, Array>>& arrays) {
  zip::Writer writer;
  for (const auto& [name, array] : arrays) {
    const Encoded encoded = encode(array);
    std::string member = encoded.header;
    member += encoded.data.text();
    writer.add(name + ".npy", Bytes::from_string(std::move(member)));
  }
  return writer;
}

}  // namespace

void write_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, Array>>& arrays) {
  zip::Writer writer = npz_writer(arrays);
  write_file(path, writer.parts());
}

Bytes encode_npz(const std::vector<std::pair<std::string, Array>>& arrays) {
  zip::Writer writer = npz_writer(arrays);
  std::string file;
  for (const ByteView part : writer.parts()) file += as_text(part);
  return Bytes::from_string(std::move(file));
}

}  // namespace onward::npy
