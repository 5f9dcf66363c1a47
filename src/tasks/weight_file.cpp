#include "tasks/weight_file.h"

#include <unordered_map>

#include "base/mapped_file.h"

namespace onward::tasks {
namespace {

// Fewer bytes than the program itself takes are not worth a file.
constexpr size_t kLeast = size_t{16} << 20;
constexpr const char* kName = "weights";

}  // namespace

WeightFile::WeightFile(ir::Model& model, int opset) : opset_(opset) {
  const exporter::Serialized all = exporter::serialize(model, {.opset = opset, .inline_limit = kLeast}, kName);
  if (all.external.empty()) return;
  std::vector<ByteView> parts;
  for (const Bytes& part : all.external) parts.push_back(part.view());
  const std::filesystem::path path = folder_.emplace().path() / kName;
  write_file(path, parts);
  file_ = exporter::DataFile{kName, map_file(path)};
  std::unordered_map<std::string, ir::Value*> constants;
  for (ir::Value& value : model.graph->values()) {
    if (value.is_constant()) constants.emplace(value.name, &value);
  }
  for (size_t i = 0; i < all.external_tensors.size(); ++i) {
    const auto& [name, tensor] = all.external_tensors[i];
    const Bytes moved = file_->bytes.slice(all.external_offsets[i], tensor.bytes().size());
    ir::Graph::move_constant(*constants.at(name), ir::Tensor(tensor.dtype(), tensor.dims(), moved));
  }
}

runtime::Session WeightFile::open(ir::Model& model, const std::string& name,
                                  const runtime::SessionOptions& session) const {
  exporter::Serialized serialized = exporter::serialize(model, {.opset = opset_, .inline_limit = 0, .lying = file_});
  runtime::SessionOptions options = session;
  options.weights = std::move(serialized.external_tensors);
  if (folder_) options.data_folder = folder_->path();
  return runtime::Session::from_bytes(serialized.joined(), name, options);
}

}  // namespace onward::tasks
