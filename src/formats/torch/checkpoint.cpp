#include "formats/torch/checkpoint.h"

#include <memory>
#include <unordered_map>

#include "base/error.h"
#include "formats/torch/globals.h"

namespace onward::torchfile {
namespace {

Checkpoint read_zip(const Bytes& file, std::string_view what) {
  const zip::Archive archive = zip::Archive::open(file, what);
  const std::string root = archive_root(archive);
  const std::string name(what);
  Checkpoint checkpoint;
  checkpoint.form = archive.contains(root + "constants.pkl") ? "torchscript" : "torch.save";
  const Bytes pickled = archive.read(root + "data.pkl");
  const auto harmless = [&](const std::string& global) { require_harmless_global(what, global); };
  checkpoint.document = pickle::Document::read(pickled.view(), name + ": data.pkl", nullptr, harmless);
  require_harmless_calls(what, checkpoint.document);
  const TensorReader reader(zip_loader(archive, root, "data/", is_big_endian(archive, root)), name);
  checkpoint.tensors = named_tensors(checkpoint.document.root(), reader, what);
  return checkpoint;
}

}  // namespace

std::string archive_root(const zip::Archive& archive, std::string_view member) {
  std::string root;
  bool found = false;
  for (const zip::Entry& entry : archive.entries()) {
    const size_t slash = entry.name.find('/');
    const bool at_top = slash == std::string::npos && entry.name == member;
    const bool one_down = slash != std::string::npos && entry.name.substr(slash + 1) == member;
    if (!at_top && !one_down) continue;
    if (found) fail_data(archive.what() + ": the archive holds several " + std::string(member));
    found = true;
    root = at_top ? "" : entry.name.substr(0, slash + 1);
  }
  if (!found) {
    fail_data(archive.what() + ": the archive holds no " + std::string(member),
              "this is no file of torch.save or torch.jit.save");
  }
  return root;
}

bool is_big_endian(const zip::Archive& archive, const std::string& root) {
  return archive.contains(root + "byteorder") && archive.read(root + "byteorder").text() == "big";
}

TensorReader::Loader zip_loader(const zip::Archive& archive, std::string root, std::string folder, bool big_endian) {
  auto loaded = std::make_shared<std::unordered_map<std::string, Bytes>>();
  return [archive, root = std::move(root), folder = std::move(folder), big_endian, loaded](const StorageKey& key) {
    const std::string name = root + folder + key.key;
    const zip::Entry* entry = archive.find(name);
    if (entry == nullptr) fail_data(archive.what() + ": storage \"" + key.key + "\" is not in the archive");
    uint64_t wanted = 0;
    const uint64_t element = key.dtype.empty() ? 1 : dtype_size(key.dtype);
    if (__builtin_mul_overflow(static_cast<uint64_t>(key.count), element, &wanted) || entry->size < wanted) {
      fail_data(archive.what() + ": storage \"" + key.key + "\" has " + std::to_string(entry->size) +
                " bytes, its tensors need " + std::to_string(key.count) + " elements of " + std::to_string(element));
    }
    auto found = loaded->find(name);
    if (found == loaded->end()) found = loaded->emplace(name, archive.read(*entry)).first;
    return StorageBytes{found->second, big_endian};
  };
}

Checkpoint read_checkpoint(const Bytes& file, std::string_view what) {
  if (zip::looks_like_zip(file.view())) return read_zip(file, what);
  if (looks_like_tar(file.view())) return read_tar(file, what);
  return read_legacy(file, what);
}

}  // namespace onward::torchfile
