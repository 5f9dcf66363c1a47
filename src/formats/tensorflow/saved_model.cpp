#include "formats/tensorflow/saved_model.h"

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/tensorflow/messages.h"
#include "formats/tensorflow/proto/saved_model.pb.h"

namespace onward::tensorflow {
namespace {

constexpr size_t kMaxNesting = 16;

TensorInfo read_info(const proto::TensorInfo& m, size_t depth = 0) {
  if (depth > kMaxNesting) fail_data("a signature's tensor is nested too deeply");
  TensorInfo info;
  info.type = without_ref(static_cast<DataType>(m.dtype()));
  info.shape = m.has_tensor_shape() ? read_shape(m.tensor_shape()) : std::nullopt;
  if (m.has_coo_sparse()) {
    info.sparse = true;
    const std::vector<int64_t> indices{-1, -1};
    const std::vector<int64_t> vector{-1};
    info.components.push_back({m.coo_sparse().indices_tensor_name(), DataType::kInt64, indices, {}, false});
    info.components.push_back({m.coo_sparse().values_tensor_name(), info.type, vector, {}, false});
    info.components.push_back({m.coo_sparse().dense_shape_tensor_name(), DataType::kInt64, vector, {}, false});
  } else if (m.has_composite_tensor()) {
    for (const auto& part : m.composite_tensor().components()) info.components.push_back(read_info(part, depth + 1));
  } else {
    info.name = m.name();
  }
  return info;
}

Signature read_signature(const proto::SignatureDef& m) {
  Signature signature;
  for (const auto& [name, info] : m.inputs()) signature.inputs.emplace(name, read_info(info));
  for (const auto& [name, info] : m.outputs()) signature.outputs.emplace(name, read_info(info));
  signature.method = m.method_name();
  return signature;
}

TrackedObject read_object(const proto::SavedObject& m) {
  TrackedObject object;
  for (const auto& child : m.children()) {
    if (child.node_id() < 0) fail_data("the object graph has a negative node number");
    object.children.push_back({static_cast<size_t>(child.node_id()), child.local_name()});
  }
  if (m.has_variable()) object.kind = TrackedObject::Kind::kVariable;
  if (m.has_asset()) {
    object.kind = TrackedObject::Kind::kAsset;
    object.asset = m.asset().asset_file_def_index();
  }
  if (m.has_constant()) {
    object.kind = TrackedObject::Kind::kConstant;
    object.name = m.constant().operation();
  }
  return object;
}

MetaGraph read_meta(proto::MetaGraphDef& m) {
  MetaGraph meta;
  meta.tags.assign(m.meta_info_def().tags().begin(), m.meta_info_def().tags().end());
  meta.tensorflow_version = m.meta_info_def().tensorflow_version();
  meta.graph = read_graph(*m.mutable_graph_def());
  meta.filename_tensor = m.saver_def().filename_tensor_name();
  meta.restore_op = m.saver_def().restore_op_name();
  for (const auto& [name, collection] : m.collection_def()) {
    if (!collection.has_node_list()) continue;
    meta.collections[name].assign(collection.node_list().value().begin(), collection.node_list().value().end());
  }
  for (const auto& [name, signature] : m.signature_def()) meta.signatures.emplace(name, read_signature(signature));
  for (const auto& asset : m.asset_file_def()) meta.assets.push_back({asset.tensor_info().name(), asset.filename()});
  for (const auto& object : m.object_graph_def().nodes()) meta.objects.push_back(read_object(object));
  for (const auto& [name, function] : m.object_graph_def().concrete_functions()) {
    meta.bound_inputs[name].assign(function.bound_inputs().begin(), function.bound_inputs().end());
  }
  return meta;
}

}  // namespace

std::vector<MetaGraph> read_saved_model(const std::filesystem::path& folder) {
  const std::filesystem::path binary = folder / "saved_model.pb";
  const std::filesystem::path text = folder / "saved_model.pbtxt";
  proto::SavedModel message;
  if (std::filesystem::exists(binary)) {
    parse_binary(map_file(binary), binary.string(), message);
  } else {
    parse_text(map_file(text), text.string(), message);
  }
  std::vector<MetaGraph> metas;
  for (auto& meta : *message.mutable_meta_graphs()) metas.push_back(read_meta(meta));
  if (metas.empty()) fail_data(binary.string() + ": it holds no graph");
  return metas;
}

MetaGraph read_meta_graph(const Bytes& file, std::string_view what) {
  proto::MetaGraphDef message;
  if (!file.empty() && file.text()[0] != '\x0a' && file.text()[0] != '\x12') {
    parse_text(file, what, message);
  } else {
    parse_binary(file, what, message);
  }
  return read_meta(message);
}

}  // namespace onward::tensorflow
