// Lookup tables: filled when the model is loaded, then constant.
#include <charconv>
#include <map>

#include "base/error.h"
#include "base/mapped_file.h"
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/types.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Tensor;
using ir::Value;

// HashTableV2(key_dtype: type, value_dtype: type, …) -> table_handle
Items table(Call& c) {
  auto resource = std::make_shared<Resource>();
  resource->kind = Resource::Kind::kTable;
  resource->name = c.node().name;
  resource->type = c.type("value_dtype");
  resource->key_type = c.type("key_dtype");
  return {ResourcePtr(std::move(resource))};
}

Tensor constant(Call& c, size_t index, const char* what) {
  const Value* value = c.input(index);
  c.require(value->is_constant(), std::string("its ") + what + " are not constant");
  return *value->constant();
}

// LookupTableImportV2(table_handle, keys: Tin, values: Tout)
Items import_table(Call& c) {
  Tensor keys = constant(c, 1, "keys");
  Tensor values = constant(c, 2, "values");
  c.require(keys.count() == values.count(), "its values are no scalars, one for each key");
  c.state().tables[&c.resource(0)] = std::make_shared<const TableContent>(TableContent{keys, values});
  return {};
}

// --- tables from text files
// ----------------------------------------------------------------------------------------------

constexpr int64_t kWholeLine = -2;
constexpr int64_t kLineNumber = -1;
constexpr size_t kMaxLines = 100'000'000;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (lines.size() > kMaxLines) fail_data("a vocabulary file has too many lines");
  }
  return lines;
}

std::string_view column(Call& c, std::string_view line, int64_t index, char delimiter) {
  for (int64_t i = 0; i < index; ++i) {
    const size_t at = line.find(delimiter);
    c.require(at != std::string_view::npos, "a line of the vocabulary file has too few columns");
    line.remove_prefix(at + 1);
  }
  return line.substr(0, line.find(delimiter));
}

Tensor read_column(Call& c, const std::vector<std::string_view>& lines, int64_t index, char delimiter, DType dtype) {
  const ir::Dims dims{static_cast<int64_t>(lines.size())};
  std::vector<std::string> texts;
  std::vector<double> numbers;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (index == kLineNumber) {
      numbers.push_back(static_cast<double>(i));
      continue;
    }
    const std::string_view text = index == kWholeLine ? lines[i] : column(c, lines[i], index, delimiter);
    if (dtype == DType::kString) {
      texts.emplace_back(text);
      continue;
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    c.require(error == std::errc() && end == text.data() + text.size(),
              "\"" + std::string(text) + "\" in the vocabulary file is no number");
    numbers.push_back(number);
  }
  if (dtype == DType::kString) {
    c.require(index != kLineNumber, "line numbers are no strings");
    return Tensor::of_strings(dims, std::move(texts));
  }
  return Tensor::from_doubles(dtype, dims, numbers);
}

// InitializeTableFromTextFileV2(table_handle, filename: string, key_index: int, value_index: int, vocab_size: int = -1,
//                               delimiter: string = "\t", offset: int = 0)
Items import_file(Call& c) {
  const Resource& resource = c.resource(0);
  const Bytes file = map_file(c.constant_text(1, "file"));
  std::vector<std::string_view> lines = lines_of(file.text());
  const auto offset = static_cast<size_t>(std::max<int64_t>(c.integer("offset"), 0));
  lines.erase(lines.begin(), lines.begin() + static_cast<ptrdiff_t>(std::min(offset, lines.size())));
  const int64_t size = c.integer("vocab_size", -1);
  if (size >= 0 && static_cast<size_t>(size) < lines.size()) lines.resize(static_cast<size_t>(size));
  const std::string delimiter = c.text("delimiter", "\t");
  const char separator = delimiter.empty() ? '\t' : delimiter[0];
  c.state().tables[&resource] = std::make_shared<const TableContent>(
      TableContent{read_column(c, lines, c.integer("key_index"), separator, to_dtype(resource.key_type)),
                   read_column(c, lines, c.integer("value_index"), separator, to_dtype(resource.type))});
  return {};
}

// --- lookups
// ---------------------------------------------------------------------------------------------------------------

const TableContent& content(Call& c) {
  const Resource& resource = c.resource(0);
  const auto found = c.state().tables.find(&resource);
  c.require(found != c.state().tables.end(), "the table \"" + resource.name + "\" is not filled by the file",
            "a table that is filled while the model runs cannot be converted");
  return *found->second;
}

// LabelEncoder knows strings, int64 and float.
DType encoder_dtype(DType dtype) {
  if (dtype == DType::kString) return dtype;
  return ir::is_floating(dtype) ? DType::kFloat : DType::kInt64;
}

ir::Attr list_attr(const Tensor& tensor) {
  if (tensor.dtype() == DType::kString) return tensor.strings();
  if (ir::is_floating(tensor.dtype())) return tensor.floats();
  return tensor.ints();
}

std::string list_name(const char* prefix, DType dtype) {
  const DType known = encoder_dtype(dtype);
  return std::string(prefix) + (known == DType::kString ? "strings" : known == DType::kFloat ? "floats" : "int64s");
}

// keys → values by LabelEncoder; `fallback` where a key is none of the table's.
Value* encode(ir::Builder& b, Value* keys, const Tensor& known, const Tensor& values, const Tensor& fallback) {
  ir::Attrs attrs{{list_name("keys_", known.dtype()), list_attr(known)},
                  {list_name("values_", values.dtype()), list_attr(values)}};
  const DType out = encoder_dtype(values.dtype());
  if (out == DType::kString) {
    attrs.set("default_string", fallback.strings()[0]);
  } else if (out == DType::kFloat) {
    attrs.set("default_float", fallback.as_double());
  } else {
    attrs.set("default_int64", fallback.as_int());
  }
  Value* wide = b.Cast(keys, encoder_dtype(keys->dtype));
  Value* found = b.foreign("ai.onnx.ml", "LabelEncoder", {wide}, 1, std::move(attrs))[0];
  found->dtype = out;
  found->shape = keys->shape;
  return found;
}

// The first of equal keys counts; LabelEncoder would take the last.
TableContent without_repeats(const TableContent& table) {
  std::map<std::string, size_t> seen;
  std::vector<int64_t> kept;
  const bool text = table.keys.dtype() == DType::kString;
  const size_t width = ir::dtype_bits(table.keys.dtype()) / 8;
  for (size_t i = 0; i < table.keys.count(); ++i) {
    const std::string key =
        text ? table.keys.strings()[i] : std::string(table.keys.bytes().text().substr(i * width, width));
    if (seen.emplace(key, i).second) kept.push_back(static_cast<int64_t>(i));
  }
  if (kept.size() == table.keys.count()) return table;
  const auto picked = [&](const Tensor& tensor) {
    const ir::Dims dims{static_cast<int64_t>(kept.size())};
    if (tensor.dtype() == DType::kString) {
      std::vector<std::string> strings;
      for (const int64_t i : kept) strings.push_back(tensor.strings()[static_cast<size_t>(i)]);
      return Tensor::of_strings(dims, std::move(strings));
    }
    const size_t size = ir::dtype_bits(tensor.dtype()) / 8;
    std::string bytes;
    for (const int64_t i : kept) bytes += tensor.bytes().text().substr(static_cast<size_t>(i) * size, size);
    return Tensor(tensor.dtype(), dims, Bytes::from_string(std::move(bytes)));
  };
  return {picked(table.keys), picked(table.values)};
}

// LookupTableFindV2(table_handle, keys: Tin, default_value: Tout) -> values
Value* find(Call& c) {
  ir::Builder& b = c.b;
  const TableContent table = without_repeats(content(c));
  Value* keys = c.input(1);
  Value* fallback = c.input(2);
  const DType out = table.values.dtype();
  if (table.keys.count() == 0) return b.Expand(b.Cast(fallback, out), b.Shape(keys));
  const bool plain = fallback->is_constant() && fallback->constant()->count() == 1 &&
                     (out == DType::kString || out == DType::kInt64 || out == DType::kInt32 || out == DType::kFloat);
  if (plain) return b.Cast(encode(b, keys, table.keys, table.values, *fallback->constant()), out);
  // The place of each key, then the value there.
  std::vector<int64_t> places(table.keys.count());
  for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<int64_t>(i);
  Value* place = encode(b, keys, table.keys, Tensor::vector(places), Tensor::scalar<int64_t>(-1));
  Value* zero = b.i64(0);
  Value* values = c.evaluator().weight(table.values.reshaped({static_cast<int64_t>(places.size())}), c.node().name);
  Value* found = b.Gather(values, b.Max(place, zero), 0);
  return select(b, b.Less(place, zero), b.Cast(fallback, out), found);
}

// LookupTableSizeV2(table_handle) -> size: int64
Value* size(Call& c) { return c.b.i64(static_cast<int64_t>(without_repeats(content(c)).keys.count())); }

// LookupTableExportV2(table_handle) -> keys: Tkeys, values: Tvalues
ir::Values export_table(Call& c) {
  const TableContent table = without_repeats(content(c));
  return {c.b.constant(table.keys), c.b.constant(table.values)};
}

Items changed_later(Call& c) {
  c.fail("the table \"" + c.resource(0).name + "\" changes while the model runs",
         "fill tables before the model is saved");
}

}  // namespace

void register_tables(OpTable& t) {
  for (const char* name : {"HashTable", "HashTableV2", "MutableHashTable", "MutableHashTableV2", "AnonymousHashTable",
                           "AnonymousMutableHashTable", "MutableDenseHashTableV2"}) {
    t.add(name, table);
  }
  for (const char* name : {"LookupTableImport", "LookupTableImportV2", "InitializeTable", "InitializeTableV2"}) {
    t.effect(name, import_table);
  }
  for (const char* name : {"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"}) t.effect(name, import_file);
  for (const char* name : {"LookupTableInsertV2", "LookupTableRemoveV2"}) t.effect(name, changed_later);
  for (const char* name : {"LookupTableFind", "LookupTableFindV2"}) t.add(name, find);
  for (const char* name : {"LookupTableSize", "LookupTableSizeV2"}) t.add(name, size);
  for (const char* name : {"LookupTableExport -> keys, values", "LookupTableExportV2 -> keys, values"}) {
    t.add(name, export_table);
  }
}

}  // namespace onward::importer::tf
