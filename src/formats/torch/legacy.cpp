// The form of torch.save before 1.6: pickles of a magic number, the protocol version, the system's sizes, the object
// and the storage keys, then each storage as an element count and its bytes.
#include <unordered_map>

#include "base/error.h"
#include "formats/torch/checkpoint.h"
#include "formats/torch/globals.h"

namespace onward::torchfile {
namespace {

constexpr std::string_view kMagic = "119547037146038801333356";  // 0x1950a86a20f9469cfc6c
constexpr int64_t kProtocol = 1001;

class LegacyReader {
 public:
  LegacyReader(const Bytes& file, std::string_view what) : file_(file), what_(what) {}

  Checkpoint run() {
    const pickle::Document magic = next("the first pickle");
    if (magic.root().kind != pickle::Kind::kBigInt || magic.root().text() != kMagic) {
      require_harmless_calls(what_, magic);
      fail_unsupported(what_ + ": a pickle, but not one of torch.save",
                       "Onward reads torch.save files (zip and legacy), TorchScript archives and safetensors");
    }
    const pickle::Document protocol = next("the protocol version");
    if (!protocol.root().is_int() || protocol.root().as_int() != kProtocol) {
      fail_data(what_ + ": unknown protocol version of a legacy file");
    }
    const pickle::Document system = next("the system information");
    if (const pickle::Value* little = system.root().find("little_endian")) big_endian_ = !little->as_bool();

    Checkpoint checkpoint;
    checkpoint.form = "torch.save (legacy)";
    checkpoint.document = next("the object");
    require_harmless_calls(what_, checkpoint.document);
    const pickle::Document keys = next("the storage keys");
    collect_storages(checkpoint.document);
    read_storages(keys.root());
    const TensorReader reader([this](const StorageKey& key) { return load(key); }, what_);
    checkpoint.tensors = named_tensors(checkpoint.document.root(), reader, what_);
    return checkpoint;
  }

 private:
  pickle::Document next(const std::string& which) {
    size_t end = 0;
    const auto harmless = [this](const std::string& global) { require_harmless_global(what_, global); };
    pickle::Document document =
        pickle::Document::read(file_.view().subspan(offset_), what_ + ": " + which, &end, harmless);
    offset_ += end;
    return document;
  }

  // The element type of each key: the storages' own records don't say it.
  void collect_storages(const pickle::Document& document) {
    for (const pickle::Value& value : document.values()) {
      const std::optional<StorageKey> key = TensorReader::storage_key(value);
      if (key) types_.emplace(key->key, key->dtype);
    }
  }

  void read_storages(const pickle::Value& keys) {
    ByteReader reader(file_.view(), what_);
    reader.seek(offset_);
    for (const pickle::Value* item : keys.items()) {
      const std::string key = item->is_int() ? std::to_string(item->as_int()) : item->text();
      const auto type = types_.find(key);
      if (type == types_.end()) fail_data(what_ + ": storage " + key + " belongs to no tensor");
      const uint64_t raw = reader.read<uint64_t>();
      const uint64_t count = big_endian_ ? __builtin_bswap64(raw) : raw;
      const uint64_t element = type->second.empty() ? 1 : dtype_size(type->second);
      if (count > reader.remaining() / element) {
        fail_data(what_ + ": storage " + key + " claims " + std::to_string(count) + " elements, the file has " +
                  std::to_string(reader.remaining()) + " bytes left");
      }
      storages_[key] = file_.slice(reader.offset(), count * element);
      reader.skip(count * element);
    }
  }

  StorageBytes load(const StorageKey& key) const {
    const auto found = storages_.find(key.key);
    if (found == storages_.end()) fail_data(what_ + ": storage " + key.key + " is not in the file");
    return {found->second, big_endian_};
  }

  const Bytes& file_;
  std::string what_;
  size_t offset_ = 0;
  bool big_endian_ = false;
  std::unordered_map<std::string, std::string> types_;
  std::unordered_map<std::string, Bytes> storages_;
};

}  // namespace

Checkpoint read_legacy(const Bytes& file, std::string_view what) { return LegacyReader(file, what).run(); }

}  // namespace onward::torchfile
