#include "formats/torch/pt2_archive.h"

#include "base/error.h"
#include "base/json.h"

namespace onward::torchfile {
namespace {

constexpr std::string_view kFlatProgram = "serialized_exported_program.json";
constexpr std::string_view kModels = "models/";
constexpr uint64_t kMaxZeros = uint64_t{2} << 30;

// The name without its first folder.
std::string_view below_root(std::string_view name) {
  const size_t slash = name.find('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(slash + 1);
}

// "net" of "models/net.json"; "" for any other member.
std::string_view model_name(std::string_view member) {
  if (!member.starts_with(kModels) || !member.ends_with(".json")) return {};
  member.remove_prefix(kModels.size());
  member.remove_suffix(5);
  return member.find('/') == std::string_view::npos ? member : std::string_view();
}

Json parse_json(const Bytes& bytes, const std::string& what) {
  try {
    return Json::parse(bytes.text());
  } catch (const Error& error) {
    fail_data(what + ": " + error.message());
  }
}

int64_t known(const SymbolicInt& size, const std::string& what) {
  if (!size.value) fail_data(what + ": its size is no number");
  return *size.value;
}

}  // namespace

bool Pt2Archive::looks_like(const zip::Archive& archive) {
  for (const zip::Entry& entry : archive.entries()) {
    if (entry.name == kFlatProgram || below_root(entry.name) == kFlatProgram) return true;
    if (below_root(entry.name) == "archive_format" || entry.name == "archive_format") return true;
    if (!model_name(entry.name).empty() || !model_name(below_root(entry.name)).empty()) return true;
  }
  return false;
}

Pt2Archive Pt2Archive::open(const Bytes& file, std::string_view what, std::string_view model) {
  Pt2Archive archive(zip::Archive::open(file, what));
  archive.choose_model(model);
  archive.read_tables();
  return archive;
}

void Pt2Archive::choose_model(std::string_view wanted) {
  std::vector<std::pair<std::string, std::string>> models;  // name and root
  bool compiled = false;
  for (const zip::Entry& entry : archive_.entries()) {
    const std::string_view name = entry.name;
    if (name == kFlatProgram || below_root(name) == kFlatProgram) {
      root_ = name.substr(0, name.size() - kFlatProgram.size());
      program_ = name;
      return;
    }
    for (const std::string_view member : {name, below_root(name)}) {
      if (const std::string_view model = model_name(member); !model.empty()) {
        models.emplace_back(model, name.substr(0, name.size() - member.size()));
        break;
      }
    }
    compiled = compiled || name.find("data/aotinductor/") != std::string_view::npos;
  }
  if (models.empty()) {
    fail_unsupported(what() + ": the archive holds no exported program" + (compiled ? ", only compiled code" : ""),
                     "save the model with torch.export.save(torch.export.export(model, inputs), \"model.pt2\")");
  }
  std::string names;
  for (const auto& [name, root] : models) {
    names += (names.empty() ? "" : ", ") + name;
    const bool chosen = wanted.empty() ? models.size() == 1 || name == "model" : name == wanted;
    if (!chosen) continue;
    model_ = name;
    root_ = root;
    program_ = root + std::string(kModels) + name + ".json";
  }
  if (!program_.empty()) return;
  if (wanted.empty()) {
    fail_invalid(what() + ": the archive holds several programs: " + names, "choose one with --signature NAME");
  }
  fail_not_found(what() + ": the archive holds no program \"" + std::string(wanted) + "\"", "it holds " + names);
}

void Pt2Archive::read_tables() {
  big_endian_ = is_big_endian(archive_, root_);
  if (model_.empty()) {
    weights_ = std::make_shared<const Table>(read_pickle(root_ + "serialized_state_dict.pt"));
    constants_ = std::make_shared<const Table>(read_pickle(root_ + "serialized_constants.pt"));
  } else {
    weights_ = std::make_shared<const Table>(read_table("weights", "weights"));
    constants_ = std::make_shared<const Table>(read_table("constants", "constants"));
  }
}

Pt2Archive::Table Pt2Archive::read_table(const std::string& kind, const std::string& legacy) const {
  const std::string folder = root_ + "data/" + kind + "/";
  const std::string config = folder + model_ + "_" + kind + "_config.json";
  if (archive_.contains(config)) return read_config(parse_json(archive_.read(config), what() + ": " + config), folder);
  return read_pickle(root_ + "data/" + legacy + "/" + model_ + ".pt");
}

Pt2Archive::Table Pt2Archive::read_config(const Json& config, const std::string& folder) const {
  Table table;
  try {
    for (const auto& [name, entry] : config.at("config").as_object()) {
      Payload payload;
      payload.path = folder + entry.at("path_name").as_string();
      payload.pickled = entry.get("use_pickle", false);
      if (const Json* meta = entry.find("tensor_meta"); meta != nullptr && meta->is_object()) {
        payload.meta = parse_tensor_meta(*meta);
      }
      if (!table.payloads.emplace(name, std::move(payload)).second) fail_data("\"" + name + "\" is listed twice");
      table.names.push_back(name);
    }
  } catch (const Error& error) {
    const Code code = error.code() == Code::kUnimplemented ? Code::kUnimplemented : Code::kDataLoss;
    throw Error(code, what() + ": the table of " + folder + ": " + error.message(), error.hint());
  }
  return table;
}

// A member that torch.save wrote: a dict of tensors, or nothing where it is missing or empty.
Pt2Archive::Table Pt2Archive::read_pickle(const std::string& member) const {
  Table table;
  if (!archive_.contains(member)) return table;
  const Bytes bytes = archive_.read(member, zip::Check::kNone);  // the members within have checksums of their own
  if (bytes.empty()) return table;
  for (NamedTensor& named : read_checkpoint(bytes, what() + ": " + member).tensors) {
    named.tensor.storage_key = member + ":" + named.tensor.storage_key;
    table.names.push_back(named.name);
    table.unpickled.emplace(named.name, std::move(named.tensor));
  }
  return table;
}

std::vector<NamedTensor> Pt2Archive::unpickle(const Payload& payload, const std::string& place) const {
  std::vector<NamedTensor> tensors =
      read_checkpoint(archive_.read(payload.path, zip::Check::kNone), place + ": " + payload.path).tensors;
  for (NamedTensor& one : tensors) one.tensor.storage_key = payload.path + ":" + one.tensor.storage_key;
  return tensors;
}

StridedTensor Pt2Archive::load(const Payload& payload, const std::string& name) const {
  const std::string place = what() + ": \"" + name + "\"";
  if (!archive_.contains(payload.path)) fail_data(place + ": the archive lacks its record " + payload.path);
  if (payload.pickled) {
    std::vector<NamedTensor> tensors = unpickle(payload, place);
    if (tensors.size() != 1 || !tensors.front().name.empty()) {
      fail_unsupported(
          place + ": a tensor subclass keeps it in a form of its own",
          "save the program as torch.export.save(program.run_decompositions(), \"model.pt2\"): it holds the "
          "tensors within");
    }
    return std::move(tensors.front().tensor);
  }
  if (!payload.meta) fail_data(place + ": neither pickled nor described");
  if (!payload.meta->strided) fail_unsupported(place + ": a sparse tensor");
  StridedTensor tensor;
  tensor.dtype = payload.meta->dtype;
  for (const SymbolicInt& size : payload.meta->sizes) tensor.sizes.push_back(known(size, place));
  for (const SymbolicInt& stride : payload.meta->strides) tensor.strides.push_back(known(stride, place));
  tensor.offset = payload.meta->storage_offset.value.value_or(0);
  tensor.storage = archive_.read(payload.path);
  tensor.storage_key = payload.path;
  tensor.big_endian = big_endian_;
  tensor.requires_grad = payload.meta->requires_grad;
  if (tensor.storage.empty()) {  // the export kept no content: PyTorch loads zeros
    const uint64_t bytes = checked_bytes(tensor.sizes, dtype_size(tensor.dtype), place);
    if (bytes > kMaxZeros) throw Error(Code::kResourceExhausted, place + ": a record of 0 bytes for a huge tensor");
    tensor.storage = Bytes::from_vector(std::vector<std::byte>(bytes));
    tensor.storage_key.clear();
    tensor.offset = 0;
    tensor.strides.assign(tensor.sizes.size(), 1);
    int64_t stride = 1;
    for (size_t i = tensor.sizes.size(); i-- > 0;) {
      tensor.strides[i] = stride;
      stride *= std::max<int64_t>(tensor.sizes[i], 1);
    }
  }
  tensor.check(place);
  return tensor;
}

std::optional<StridedTensor> Pt2Archive::find(const Table& table, const std::string& name) const {
  if (const auto found = table.unpickled.find(name); found != table.unpickled.end()) return found->second;
  const auto found = table.payloads.find(name);
  if (found == table.payloads.end()) return std::nullopt;
  if (found->second.pickled && !found->second.meta) return std::nullopt;  // a custom object
  return load(found->second, name);
}

std::vector<NamedTensor> Pt2Archive::all(const Table& table) const {
  std::vector<NamedTensor> tensors;
  for (const std::string& name : table.names) {
    const auto payload = table.payloads.find(name);
    if (payload != table.payloads.end() && payload->second.pickled && payload->second.meta) {
      for (NamedTensor& one : unpickle(payload->second, what() + ": \"" + name + "\"")) {
        tensors.push_back({one.name.empty() ? name : name + "." + one.name, std::move(one.tensor)});
      }
      continue;
    }
    if (std::optional<StridedTensor> tensor = find(table, name)) tensors.push_back({name, std::move(*tensor)});
  }
  return tensors;
}

ExportedProgram Pt2Archive::program() const {
  return parse_exported_program(archive_.read(program_).text(), what() + ": " + program_);
}

std::optional<StridedTensor> Pt2Archive::weight(const std::string& name) const { return find(*weights_, name); }
std::optional<StridedTensor> Pt2Archive::part(const std::string& name, const std::string& attribute) const {
  for (const Table* table : {weights_.get(), constants_.get()}) {
    const auto found = table->payloads.find(name);
    if (found == table->payloads.end() || !found->second.pickled) continue;
    for (NamedTensor& inner : unpickle(found->second, what() + ": \"" + name + "\"")) {
      if (inner.name == attribute) return std::move(inner.tensor);
    }
  }
  return std::nullopt;
}
std::optional<StridedTensor> Pt2Archive::constant(const std::string& name) const { return find(*constants_, name); }
std::vector<NamedTensor> Pt2Archive::weights() const { return all(*weights_); }
std::vector<NamedTensor> Pt2Archive::constants() const { return all(*constants_); }

std::optional<Bytes> Pt2Archive::extra_file(const std::string& name) const {
  for (const std::string& folder : {root_ + "extra/", root_ + "extra_files/"}) {
    if (archive_.contains(folder + name)) return archive_.read(folder + name);
  }
  return std::nullopt;
}

}  // namespace onward::torchfile
