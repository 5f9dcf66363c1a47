// The form of torch.save before 0.2: a tar of pickled lists of storages and tensors, and the object that refers to
// them.
#include <unordered_map>

#include "base/error.h"
#include "formats/torch/checkpoint.h"
#include "formats/torch/globals.h"

namespace onward::torchfile {
namespace {

constexpr size_t kBlock = 512;

uint64_t octal(std::string_view field, std::string_view what) {
  uint64_t value = 0;
  for (const char c : field) {
    if (c == '\0' || c == ' ') break;
    if (c < '0' || c > '7') fail_data(std::string(what) + ": damaged tar header");
    value = value * 8 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

std::unordered_map<std::string, Bytes> tar_members(const Bytes& file, const std::string& what) {
  std::unordered_map<std::string, Bytes> members;
  size_t offset = 0;
  while (file.size() - offset >= kBlock) {
    const std::string_view header = file.text().substr(offset, kBlock);
    if (header.find_first_not_of('\0') == std::string_view::npos) break;
    std::string name(header.substr(0, 100));
    name.resize(std::min(name.find('\0'), name.size()));
    if (name.starts_with("./")) name.erase(0, 2);
    const uint64_t size = octal(header.substr(124, 12), what);
    offset += kBlock;
    if (size > file.size() - offset) fail_data(what + ": the tar file is truncated");
    const bool regular = header[156] == '0' || header[156] == '\0';
    if (regular && !members.emplace(name, file.slice(offset, size)).second) {
      fail_data(what + ": two tar members are named \"" + name + "\"");
    }
    const uint64_t padded = (size + kBlock - 1) / kBlock * kBlock;
    offset += std::min<uint64_t>(padded, file.size() - offset);
  }
  return members;
}

std::string id_text(const pickle::Value& value) {
  return value.is_int() ? std::to_string(value.as_int()) : value.text();
}

// A tar member that holds pickles with raw bytes between them.
class Stream {
 public:
  Stream(const std::unordered_map<std::string, Bytes>& members, const std::string& name, const std::string& what)
      : what_(what + ": " + name) {
    const auto found = members.find(name);
    if (found == members.end()) fail_data(what + ": the tar file holds no \"" + name + "\"");
    bytes_ = found->second;
  }

  pickle::Document next() {
    size_t end = 0;
    const auto harmless = [this](const std::string& global) { require_harmless_global(what_, global); };
    pickle::Document document = pickle::Document::read(bytes_.view().subspan(offset_), what_, &end, harmless);
    require_harmless_calls(what_, document);
    offset_ += end;
    return document;
  }
  template <class T>
  T read() {
    return ByteReader(take(sizeof(T)).view(), what_).read<T>();
  }
  Bytes take(uint64_t size) {
    if (size > bytes_.size() - offset_) fail_data(what_ + ": unexpected end");
    Bytes part = bytes_.slice(offset_, size);
    offset_ += size;
    return part;
  }
  std::vector<int64_t> numbers(uint64_t count) {
    const Bytes raw = take(count * sizeof(int64_t));
    std::vector<int64_t> values(count);
    if (count > 0) std::memcpy(values.data(), raw.data(), raw.size());
    return values;
  }
  const std::string& what() const { return what_; }

 private:
  std::string what_;
  Bytes bytes_;
  size_t offset_ = 0;
};

struct TarStorage {
  std::string dtype;
  Bytes bytes;
};

std::unordered_map<std::string, TarStorage> read_storages(Stream stream) {
  std::unordered_map<std::string, TarStorage> storages;
  const int64_t count = stream.next().root().as_int();
  for (int64_t i = 0; i < count; ++i) {
    const pickle::Document entry = stream.next();
    const pickle::Items& parts = entry.root().items();
    if (parts.size() < 3) fail_data(stream.what() + ": a damaged storage record");
    TarStorage storage;
    storage.dtype = dtype_of_storage(parts[2]->text());
    if (storage.dtype.empty()) fail_data(stream.what() + ": a storage of the unknown type " + parts[2]->text());
    const auto elements = stream.read<uint64_t>();
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(elements, uint64_t{dtype_size(storage.dtype)}, &bytes)) {
      fail_data(stream.what() + ": a storage claims " + std::to_string(elements) + " elements");
    }
    storage.bytes = stream.take(bytes);
    storages[id_text(*parts[0])] = std::move(storage);
  }
  const pickle::Document views = stream.next();
  for (const pickle::Value* view : views.root().items()) {
    const pickle::Items& parts = view->items();
    if (parts.size() < 4) fail_data(stream.what() + ": a damaged storage view");
    const auto root = storages.find(id_text(*parts[1]));
    const int64_t offset = parts[2]->as_int();
    const int64_t size = parts[3]->as_int();
    if (root == storages.end() || offset < 0 || size < 0) fail_data(stream.what() + ": a damaged storage view");
    const uint64_t element = dtype_size(root->second.dtype);
    const uint64_t total = root->second.bytes.size() / element;
    if (static_cast<uint64_t>(offset) > total || static_cast<uint64_t>(size) > total - static_cast<uint64_t>(offset)) {
      fail_data(stream.what() + ": a storage view lies outside its storage");
    }
    TarStorage part{root->second.dtype, root->second.bytes.slice(static_cast<uint64_t>(offset) * element,
                                                                 static_cast<uint64_t>(size) * element)};
    storages[id_text(*parts[0])] = std::move(part);
  }
  return storages;
}

std::unordered_map<std::string, StridedTensor> read_tensors(
    Stream stream, const std::unordered_map<std::string, TarStorage>& storages) {
  std::unordered_map<std::string, StridedTensor> tensors;
  const int64_t count = stream.next().root().as_int();
  for (int64_t i = 0; i < count; ++i) {
    const pickle::Document entry = stream.next();
    const pickle::Items& parts = entry.root().items();
    if (parts.size() < 3) fail_data(stream.what() + ": a damaged tensor record");
    const auto rank = stream.read<int32_t>();
    (void)stream.read<int32_t>();
    if (rank < 0 || rank > 64) fail_data(stream.what() + ": a tensor of " + std::to_string(rank) + " dimensions");
    StridedTensor tensor;
    tensor.sizes = stream.numbers(static_cast<uint64_t>(rank));
    tensor.strides = stream.numbers(static_cast<uint64_t>(rank));
    tensor.offset = stream.read<int64_t>();
    if (!parts[1]->is_none()) {
      tensor.storage_key = id_text(*parts[1]);
      const auto storage = storages.find(tensor.storage_key);
      if (storage == storages.end()) fail_data(stream.what() + ": storage " + tensor.storage_key + " is missing");
      tensor.storage = storage->second.bytes;
      tensor.dtype = storage->second.dtype;
      tensor.check(stream.what());
      tensors[id_text(*parts[0])] = std::move(tensor);
    }
  }
  return tensors;
}

}  // namespace

bool looks_like_tar(ByteView file) { return file.size() >= kBlock && as_text(file.subspan(257, 5)) == "ustar"; }

Checkpoint read_tar(const Bytes& file, std::string_view what) {
  const std::string name(what);
  const auto members = tar_members(file, name);
  const auto storages = read_storages(Stream(members, "storages", name));
  const auto tensors = read_tensors(Stream(members, "tensors", name), storages);
  Checkpoint checkpoint;
  checkpoint.form = "torch.save (tar)";
  checkpoint.document = Stream(members, "pickle", name).next();
  TensorReader reader([](const StorageKey&) -> StorageBytes { return {}; }, name);
  reader.refer_to([&tensors](const pickle::Value& id) -> std::optional<StridedTensor> {
    if (!id.is_int() && !id.is_string()) return std::nullopt;
    const auto found = tensors.find(id_text(id));
    if (found == tensors.end()) return std::nullopt;
    return found->second;
  });
  checkpoint.tensors = named_tensors(checkpoint.document.root(), reader, what);
  return checkpoint;
}

}  // namespace onward::torchfile
