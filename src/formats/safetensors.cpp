#include "formats/safetensors.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/error.h"
#include "base/json.h"

namespace onward::safetensors {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;

std::string dtype_name(const std::string& code, const std::string& what) {
  static constexpr std::array<std::array<std::string_view, 2>, 18> kNames = {{{"F32", "float32"},
                                                                              {"F16", "float16"},
                                                                              {"BF16", "bfloat16"},
                                                                              {"F64", "float64"},
                                                                              {"I64", "int64"},
                                                                              {"I32", "int32"},
                                                                              {"I16", "int16"},
                                                                              {"I8", "int8"},
                                                                              {"U8", "uint8"},
                                                                              {"U16", "uint16"},
                                                                              {"U32", "uint32"},
                                                                              {"U64", "uint64"},
                                                                              {"BOOL", "bool"},
                                                                              {"F8_E4M3", "float8_e4m3fn"},
                                                                              {"F8_E5M2", "float8_e5m2"},
                                                                              {"F8_E8M0", "float8_e8m0fnu"},
                                                                              {"C64", "complex64"},
                                                                              {"C128", "complex128"}}};
  for (const auto& [name, dtype] : kNames) {
    if (name == code) return std::string(dtype);
  }
  fail_unsupported(what + ": elements of type \"" + code + "\" are not known");
}

Json parse_header(std::string_view text, const std::string& what) {
  try {
    Json header = Json::parse(text);
    if (!header.is_object()) fail_data(what + ": the header is no JSON object");
    return header;
  } catch (const Error& error) {
    fail_data(what + ": damaged header: " + error.message());
  }
}

struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
};

Range range_of(const Json& entry, uint64_t size, const std::string& what) {
  const std::vector<int64_t> offsets = entry.at("data_offsets").as_ints();
  if (offsets.size() != 2 || offsets[0] < 0 || offsets[1] < offsets[0] || static_cast<uint64_t>(offsets[1]) > size) {
    fail_data(what + ": its bytes lie outside the file", "the file is truncated or damaged");
  }
  return {static_cast<uint64_t>(offsets[0]), static_cast<uint64_t>(offsets[1])};
}

Array tensor_of(const Json& entry, const Bytes& data, Range& range, const std::string& what) {
  Array tensor;
  try {
    tensor.dtype = dtype_name(entry.at("dtype").as_string(), what);
    tensor.shape = entry.at("shape").as_ints();
    range = range_of(entry, data.size(), what);
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    fail_data(what + ": " + error.message());
  }
  const uint64_t wanted = checked_bytes(tensor.shape, dtype_size(tensor.dtype), what);
  if (range.end - range.begin != wanted) {
    fail_data(what + ": its shape needs " + std::to_string(wanted) + " bytes, the header gives it " +
              std::to_string(range.end - range.begin));
  }
  tensor.data = data.slice(range.begin, wanted);
  return tensor;
}

void check_cover(std::vector<Range> ranges, uint64_t size, const std::string& what) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  uint64_t at = 0;
  for (const Range& range : ranges) {
    if (range.begin != at) fail_data(what + ": the tensors overlap or leave a gap at byte " + std::to_string(at));
    at = range.end;
  }
  if (at != size) fail_data(what + ": " + std::to_string(size - at) + " bytes belong to no tensor");
}

}  // namespace

bool looks_like(ByteView file) {
  if (file.size() < 10) return false;
  ByteReader reader(file);
  const auto length = reader.read<uint64_t>();
  const char first = std::to_integer<char>(reader.take(1)[0]);
  return first == '{' || (first == ' ' && length <= file.size() - 8);
}

File read(const Bytes& file, std::string_view what) {
  const std::string name(what);
  ByteReader reader(file.view(), what);
  const auto length = reader.read<uint64_t>();
  if (length > kMaxHeader || length > reader.remaining()) {
    fail_data(name + ": the header claims " + std::to_string(length) + " bytes, the file has " +
              std::to_string(reader.remaining()));
  }
  const Json header = parse_header(as_text(reader.take(length)), name);
  const Bytes data = file.slice(reader.offset(), reader.remaining());
  File result;
  std::vector<Range> ranges;
  std::unordered_set<std::string_view> names;
  for (const auto& [key, entry] : header.as_object()) {
    if (!names.insert(key).second) fail_data(name + ": two tensors are named \"" + key + "\"");
    if (key == "__metadata__") {
      if (!entry.is_object()) fail_data(name + ": the metadata are no JSON object");
      for (const auto& [label, value] : entry.as_object()) {
        if (value.is_string()) result.metadata.emplace_back(label, value.as_string());
      }
      continue;
    }
    result.tensors.emplace_back(key, tensor_of(entry, data, ranges.emplace_back(), name + ": tensor \"" + key + "\""));
  }
  check_cover(std::move(ranges), data.size(), name);
  return result;
}

}  // namespace onward::safetensors
