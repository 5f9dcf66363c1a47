#include "formats/torchscript/archive.h"

#include <algorithm>

#include "base/error.h"
#include "formats/torch/checkpoint.h"
#include "formats/torch/globals.h"

namespace onward::torchscript {
namespace {

using pickle::Kind;
using pickle::Value;

constexpr int kMaxTags = 8;

pickle::Document read_pickle(const Bytes& bytes, const std::string& what) {
  const auto harmless = [&](const std::string& global) {
    if (!global.starts_with("__torch__.")) torchfile::require_harmless_global(what, global);
  };
  return pickle::Document::read(bytes.view(), what, nullptr, harmless);
}

// dtype and sizes of a pickled tensor whose storage the archive left out.
std::optional<TracedInput> traced_tensor(const Value& value) {
  if (value.kind != Kind::kObject || pickle::callable_name(value.object()) != "torch._utils._rebuild_tensor_v2") {
    return std::nullopt;
  }
  const pickle::Items& args = value.object().args->items();
  if (args.size() < 4) return std::nullopt;
  const std::optional<torchfile::StorageKey> key = torchfile::TensorReader::storage_key(*args[0]);
  if (!key) return std::nullopt;
  return TracedInput{key->dtype, torchfile::int_list(*args[2])};
}

std::vector<int64_t> split_qualified(const std::string& qualified) {
  std::vector<int64_t> dots;
  for (size_t i = 0; i < qualified.size(); ++i) {
    if (qualified[i] == '.') dots.push_back(static_cast<int64_t>(i));
  }
  return dots;
}

}  // namespace

const Value& untagged(const Value& value) {
  const Value* inner = &value;
  for (int i = 0; i < kMaxTags && inner->kind == Kind::kObject; ++i) {
    const pickle::Object& object = inner->object();
    if (!pickle::callable_name(object).starts_with("torch.jit._pickle.") || !object.args->is_sequence() ||
        object.args->items().empty()) {
      break;
    }
    inner = object.args->items()[0];
  }
  return *inner;
}

bool Archive::looks_like(const zip::Archive& archive) {
  for (const zip::Entry& entry : archive.entries()) {
    const size_t slash = entry.name.find('/');
    if (slash != std::string::npos && entry.name.substr(slash + 1) == "constants.pkl") return true;
  }
  return false;
}

Archive Archive::open(const Bytes& file, std::string_view what) {
  zip::Archive archive = zip::Archive::open(file, what);
  std::string root = torchfile::archive_root(archive);
  return Archive(std::move(archive), std::move(root), what);
}

Archive::Archive(zip::Archive archive, std::string root, std::string_view what)
    : archive_(std::move(archive)), root_(std::move(root)), what_(what) {
  if (!archive_.contains(root_ + "constants.pkl")) {
    fail_unsupported(what_ + ": no TorchScript archive: it holds no code",
                     "a checkpoint (.pth) converts together with its class: add --class module:Class");
  }
  data_ = read_pickle(archive_.read(root_ + "data.pkl"), what_ + ": data.pkl");
  constants_ = read_pickle(archive_.read(root_ + "constants.pkl"), what_ + ": constants.pkl");
  const bool big = torchfile::is_big_endian(archive_, root_);
  tensors_ = std::make_shared<torchfile::TensorReader>(torchfile::zip_loader(archive_, root_, "data/", big), what_);
  constant_tensors_ =
      std::make_shared<torchfile::TensorReader>(torchfile::zip_loader(archive_, root_, "constants/", big), what_);
  read_traced_inputs();
}

const pickle::Items& Archive::constants() const {
  const Value& root = untagged(constants_.root());
  if (!root.is_sequence()) fail_data(what_ + ": constants.pkl is no tuple");
  return root.items();
}

std::optional<Bytes> Archive::extra_file(const std::string& name) const {
  const std::string path = root_ + "extra/" + name;
  return archive_.contains(path) ? std::optional(archive_.read(path)) : std::nullopt;
}

void Archive::read_traced_inputs() {
  const std::string name = root_ + "traced_inputs.pkl";
  if (!archive_.contains(name)) return;
  const pickle::Document document = read_pickle(archive_.read(name), what_ + ": traced_inputs.pkl");
  const pickle::Entries* methods = pickle::mapping_entries(untagged(document.root()));
  if (methods == nullptr) return;
  for (const auto& [method, inputs] : *methods) {
    const Value& list = untagged(*inputs);
    if (!method->is_string() || !list.is_sequence()) continue;
    std::vector<std::optional<TracedInput>>& traced = traced_[method->text()];
    for (const Value* item : list.items()) traced.push_back(traced_tensor(*item));
  }
}

const CodeFile* Archive::file_of(const std::string& qualified) const {
  const std::vector<int64_t> dots = split_qualified(qualified);
  if (dots.empty()) return nullptr;
  std::string path = qualified.substr(0, static_cast<size_t>(dots.back()));
  std::replace(path.begin(), path.end(), '.', '/');
  path = "code/" + path + ".py";
  const auto found = files_.find(path);
  if (found != files_.end()) return found->second.get();
  std::shared_ptr<const CodeFile> file;
  if (archive_.contains(root_ + path)) {
    const Bytes debug =
        archive_.contains(root_ + path + ".debug_pkl") ? archive_.read(root_ + path + ".debug_pkl") : Bytes();
    file = std::make_shared<const CodeFile>(path, archive_.read(root_ + path), debug, what_);
  }
  return files_.emplace(path, std::move(file)).first->second.get();
}

Archive::ClassRef Archive::find_class(const std::string& qualified) const {
  const CodeFile* file = file_of(qualified);
  if (file == nullptr) return {};
  return {file->unit().find_class(qualified.substr(qualified.rfind('.') + 1)), file};
}

Archive::FunctionRef Archive::find_function(const std::string& qualified) const {
  const CodeFile* file = file_of(qualified);
  if (file == nullptr) return {};
  return {file->unit().find_function(qualified.substr(qualified.rfind('.') + 1)), file};
}

const std::vector<std::optional<TracedInput>>* Archive::traced_inputs(const std::string& method) const {
  const auto found = traced_.find(method);
  return found == traced_.end() ? nullptr : &found->second;
}

}  // namespace onward::torchscript
