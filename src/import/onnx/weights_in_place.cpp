#include "import/onnx/weights_in_place.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>

namespace onward::importer {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

// Field numbers of onnx.proto.
constexpr int kModelGraph = 7;
constexpr int kGraphInitializer = 5;
constexpr int kTensorRawData = 9;
// Smaller weights are copied: a page would stay for each.
constexpr size_t kLeast = 1024;

struct Field {
  int number = 0;
  bool delimited = false;  // its content has a length
  size_t begin = 0;        // offsets in the file: of the tag, the content and what follows
  size_t content = 0;
  size_t end = 0;

  bool is(int wanted) const { return number == wanted && delimited; }
  size_t size() const { return end - content; }
};

class Reader {
 public:
  explicit Reader(const Bytes& file) : file_(file) {}

  // Of the message that lies in [begin, end); nothing where it is damaged or has groups.
  std::optional<std::vector<Field>> fields(size_t begin, size_t end) const {
    const auto* data = reinterpret_cast<const uint8_t*>(file_.data());
    CodedInputStream stream(data + begin, static_cast<int>(end - begin));
    std::vector<Field> found;
    while (true) {
      const auto at = begin + static_cast<size_t>(stream.CurrentPosition());
      const uint32_t tag = stream.ReadTag();
      if (tag == 0) return at == end ? std::optional(std::move(found)) : std::nullopt;
      Field field{.number = WireFormatLite::GetTagFieldNumber(tag), .begin = at};
      if (!skip(stream, WireFormatLite::GetTagWireType(tag), begin, field)) return std::nullopt;
      field.end = begin + static_cast<size_t>(stream.CurrentPosition());
      found.push_back(field);
    }
  }

  void copy(const Field& field, std::string& out) const { out += text(field.begin, field.end); }
  std::string_view text(size_t begin, size_t end) const { return file_.text().substr(begin, end - begin); }
  Bytes slice(const Field& field) const { return file_.slice(field.content, field.size()); }

 private:
  static bool skip(CodedInputStream& stream, WireFormatLite::WireType type, size_t begin, Field& field) {
    uint32_t length = 0;
    uint64_t number = 0;
    switch (type) {
      case WireFormatLite::WIRETYPE_VARINT:
        return stream.ReadVarint64(&number);
      case WireFormatLite::WIRETYPE_FIXED64:
        return stream.ReadLittleEndian64(&number);
      case WireFormatLite::WIRETYPE_FIXED32:
        return stream.ReadLittleEndian32(&length);
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        if (!stream.ReadVarint32(&length) || length > INT32_MAX) return false;
        field.delimited = true;
        field.content = begin + static_cast<size_t>(stream.CurrentPosition());
        return stream.Skip(static_cast<int>(length));
      default:
        return false;
    }
  }

  const Bytes& file_;
};

void append_message(std::string& out, int number, std::string_view content) {
  uint8_t head[10];
  uint8_t* end = CodedOutputStream::WriteVarint32ToArray(
      WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED), head);
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(content.size()), end);
  out.append(reinterpret_cast<const char*>(head), static_cast<size_t>(end - head)).append(content);
}

// The only field of that number, null where there is none or more than one.
const Field* only(const std::vector<Field>& fields, int number) {
  const auto same = [number](const Field& field) { return field.number == number; };
  const auto first = std::find_if(fields.begin(), fields.end(), same);
  if (first == fields.end() || !first->delimited) return nullptr;
  return std::find_if(first + 1, fields.end(), same) == fields.end() ? &*first : nullptr;
}

// The initializer's raw_data, and in `rest` everything else.
std::optional<Field> large_raw_data(const Reader& reader, const Field& initializer, std::string& rest) {
  const auto fields = reader.fields(initializer.content, initializer.end);
  const Field* raw = fields ? only(*fields, kTensorRawData) : nullptr;
  if (raw == nullptr || raw->size() < kLeast) return std::nullopt;
  rest = reader.text(initializer.content, raw->begin);
  rest += reader.text(raw->end, initializer.end);
  return *raw;
}

std::optional<std::string> lean_graph(const Reader& reader, const Field& graph, std::vector<Bytes>& weights) {
  const auto fields = reader.fields(graph.content, graph.end);
  if (!fields) return std::nullopt;
  std::string lean;
  for (const Field& field : *fields) {
    std::string rest;
    const auto raw = field.is(kGraphInitializer) ? large_raw_data(reader, field, rest) : std::nullopt;
    if (field.is(kGraphInitializer)) weights.push_back(raw ? reader.slice(*raw) : Bytes());
    if (raw) {
      append_message(lean, kGraphInitializer, rest);
    } else {
      reader.copy(field, lean);
    }
  }
  return lean;
}

}  // namespace

std::optional<LeanModel> without_weights(const Bytes& file) {
  if (file.size() > INT32_MAX) return std::nullopt;
  const Reader reader(file);
  const auto fields = reader.fields(0, file.size());
  const Field* graph = fields ? only(*fields, kModelGraph) : nullptr;
  if (graph == nullptr) return std::nullopt;
  LeanModel model;
  const auto lean = lean_graph(reader, *graph, model.weights);
  const auto lies = [](const Bytes& one) { return !one.empty(); };
  if (!lean || std::none_of(model.weights.begin(), model.weights.end(), lies)) return std::nullopt;
  model.message = reader.text(0, graph->begin);
  append_message(model.message, kModelGraph, *lean);
  model.message += reader.text(graph->end, file.size());
  return model;
}

}  // namespace onward::importer
