#include "export/onnx_writer.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "base/mapped_file.h"
#include "export/names.h"
#include "schema/protos.h"

namespace onward::exporter {
namespace {

// Field numbers of onnx.proto that are written by hand around the weights.
constexpr uint32_t kModelGraph = 7;
constexpr uint32_t kGraphInitializer = 5;
constexpr uint32_t kTensorRawData = 9;
constexpr size_t kExternalAlignment = 4096;
// Smaller tensors stay inline even in a model with external data.
constexpr size_t kExternalMinimum = 1024;

void append_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7fU) | 0x80U));
    value >>= 7U;
  }
  out.push_back(static_cast<char>(value));
}

void append_length_header(std::string& out, uint32_t field, size_t length) {
  append_varint(out, (static_cast<uint64_t>(field) << 3U) | 2U);
  append_varint(out, length);
}

template <class Message>
std::string serialized(const Message& message) {
  std::string text;
  if (!message.SerializeToString(&text)) throw Error(Code::kResourceExhausted, "the model is too large for protobuf");
  return text;
}

// The ONNX IR version that came with an opset.
int ir_version(int opset) {
  if (opset <= 14) return 7;
  if (opset <= 18) return 8;
  if (opset <= 20) return 9;
  return opset <= 22 ? 10 : 11;
}

class GraphWriter {
 public:
  explicit GraphWriter(const ir::Graph& graph) : graph_(graph) {}

  // Everything but the initializers.
  onnx::GraphProto write() {
    onnx::GraphProto proto;
    proto.set_name(graph_.name.empty() ? "onward" : graph_.name);
    for (const ir::Value* input : graph_.inputs()) write_value(*input, *proto.add_input());
    for (const ir::Value* output : graph_.outputs()) write_value(*output, *proto.add_output());
    for (const ir::Node& node : graph_.nodes()) write_node(node, *proto.add_node());
    return proto;
  }

  const std::set<std::string>& domains() const { return domains_; }

  static void for_each_initializer(const ir::Graph& graph, const auto& visit) {
    for (const ir::Value& value : graph.values()) {
      if (value.is_constant() && !value.uses().empty()) visit(value);
    }
  }

 private:
  static void write_value(const ir::Value& value, onnx::ValueInfoProto& proto) {
    proto.set_name(value.name);
    if (value.dtype != ir::DType::kUndefined) schema::fill_type(value, *proto.mutable_type());
  }

  void write_node(const ir::Node& node, onnx::NodeProto& proto) {
    if (node.domain == "tf" || node.domain == "keras" || node.domain == "torch") {
      throw Error(Code::kInternal, "an untranslated operator reached the exporter: " + node.op_type);
    }
    domains_.insert(node.domain);
    proto.set_op_type(node.op_type);
    proto.set_name(node.name);
    if (!node.domain.empty()) proto.set_domain(node.domain);
    for (const ir::Value* input : node.inputs()) proto.add_input(input != nullptr ? input->name : "");
    for (const ir::Value* output : node.outputs()) {
      proto.add_output(may_be_absent(node, *output) ? "" : output->name);
    }
    while (proto.output_size() > 1 && proto.output(proto.output_size() - 1).empty())
      proto.mutable_output()->RemoveLast();
    for (const auto& [name, attr] : node.attrs) write_attribute(name, attr, *proto.add_attribute());
  }

  void write_attribute(const std::string& name, const ir::Attr& attr, onnx::AttributeProto& proto) {
    const auto* subgraph = attr.get_if<std::shared_ptr<ir::Graph>>();
    if (subgraph == nullptr) return schema::fill_attribute(name, attr, proto);
    proto.set_name(name);
    proto.set_type(onnx::AttributeProto::GRAPH);
    GraphWriter writer(**subgraph);
    *proto.mutable_g() = writer.write();
    proto.mutable_g()->set_name(name);
    for_each_initializer(**subgraph, [&](const ir::Value& value) {
      auto* initializer = proto.mutable_g()->add_initializer();
      schema::fill_tensor(*value.constant(), *initializer);
      initializer->set_name(value.name);
    });
    domains_.insert(writer.domains_.begin(), writer.domains_.end());
  }

  const ir::Graph& graph_;
  std::set<std::string> domains_;
};

onnx::ModelProto model_head(const ir::Model& model, const std::set<std::string>& domains, int opset) {
  onnx::ModelProto proto;
  proto.set_ir_version(ir_version(opset));
  proto.set_producer_name("onward");
  proto.set_producer_version(ONWARD_VERSION);
  const auto import_domain = [&](const std::string& domain, int64_t version) {
    auto* opset_import = proto.add_opset_import();
    opset_import->set_domain(domain);
    opset_import->set_version(version);
  };
  import_domain("", opset);
  for (const std::string& domain : domains) {
    if (domain.empty()) continue;
    const auto known = model.opset_imports.find(domain);
    import_domain(domain, known != model.opset_imports.end() ? known->second : domain == "ai.onnx.ml" ? 4 : 1);
  }
  std::map<std::string, std::string> metadata = model.metadata;
  if (!model.producer.empty()) metadata.emplace("source", model.producer);
  for (const auto& [key, value] : metadata) {
    auto* entry = proto.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  return proto;
}

class ModelWriter {
 public:
  ModelWriter(const ir::Graph& graph, const WriteOptions& options, const std::string& data_file)
      : options_(options), data_file_(data_file) {
    size_t total = 0;
    GraphWriter::for_each_initializer(graph,
                                      [&](const ir::Value& value) { total += value.constant()->bytes().size(); });
    external_ = total > options_.inline_limit;
    GraphWriter::for_each_initializer(graph, [&](const ir::Value& value) { add(value); });
  }

  Serialized finish(const std::string& head, const std::string& graph_rest) {
    size_t graph_size = graph_rest.size();
    for (const Bytes& part : parts_) graph_size += part.size();
    std::string front = head;
    append_length_header(front, kModelGraph, graph_size);
    front += graph_rest;
    Serialized result;
    result.parts.push_back(Bytes::from_string(std::move(front)));
    result.parts.insert(result.parts.end(), parts_.begin(), parts_.end());
    result.external = std::move(external_parts_);
    result.external_tensors = std::move(external_tensors_);
    result.external_offsets = std::move(external_offsets_);
    return result;
  }

 private:
  void add(const ir::Value& value) {
    const ir::Tensor& tensor = *value.constant();
    onnx::TensorProto proto;
    proto.set_name(value.name);
    std::string front;
    if (tensor.dtype() == ir::DType::kString) {
      schema::fill_tensor(tensor, proto);
      add_whole(proto);
    } else if (external_ && tensor.bytes().size() >= kExternalMinimum) {
      schema::fill_tensor_header(tensor, proto);
      if (const auto offset = lying_at(tensor.bytes())) {
        refer(options_.lying->name, *offset, tensor.bytes().size(), proto);
      } else {
        add_external(tensor.bytes(), proto);
        external_tensors_.emplace_back(value.name, tensor);
      }
      add_whole(proto);
    } else {
      schema::fill_tensor_header(tensor, proto);
      std::string header = serialized(proto);
      append_length_header(header, kTensorRawData, tensor.bytes().size());
      append_length_header(front, kGraphInitializer, header.size() + tensor.bytes().size());
      parts_.push_back(Bytes::from_string(front + header));
      parts_.push_back(tensor.bytes());
    }
  }

  void add_whole(const onnx::TensorProto& proto) {
    const std::string body = serialized(proto);
    std::string front;
    append_length_header(front, kGraphInitializer, body.size());
    parts_.push_back(Bytes::from_string(front + body));
  }

  void add_external(const Bytes& data, onnx::TensorProto& proto) {
    if (const size_t rest = external_size_ % kExternalAlignment; rest != 0) {
      external_parts_.push_back(Bytes::from_string(std::string(kExternalAlignment - rest, '\0')));
      external_size_ += kExternalAlignment - rest;
    }
    refer(data_file_, external_size_, data.size(), proto);
    external_offsets_.push_back(external_size_);
    external_parts_.push_back(data);
    external_size_ += data.size();
  }

  static void refer(const std::string& file, size_t offset, size_t length, onnx::TensorProto& proto) {
    proto.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto entry = [&](const char* key, const std::string& text) {
      auto* added = proto.add_external_data();
      added->set_key(key);
      added->set_value(text);
    };
    entry("location", file);
    entry("offset", std::to_string(offset));
    entry("length", std::to_string(length));
  }

  std::optional<size_t> lying_at(const Bytes& data) const {
    if (!options_.lying) return std::nullopt;
    const Bytes& file = options_.lying->bytes;
    const std::less_equal<const std::byte*> before;
    const bool inside =
        before(file.data(), data.data()) && before(data.data() + data.size(), file.data() + file.size());
    return inside ? std::optional(static_cast<size_t>(data.data() - file.data())) : std::nullopt;
  }

  const WriteOptions& options_;
  const std::string& data_file_;
  bool external_ = false;
  std::vector<Bytes> parts_;
  std::vector<Bytes> external_parts_;
  std::vector<std::pair<std::string, ir::Tensor>> external_tensors_;
  std::vector<size_t> external_offsets_;
  size_t external_size_ = 0;
};

std::vector<ByteView> views(const std::vector<Bytes>& parts) {
  std::vector<ByteView> all;
  all.reserve(parts.size());
  for (const Bytes& part : parts) all.push_back(part.view());
  return all;
}

}  // namespace

size_t Serialized::size() const {
  size_t total = 0;
  for (const Bytes& part : parts) total += part.size();
  return total;
}

Bytes Serialized::joined() const {
  std::vector<std::byte> bytes;
  bytes.reserve(size());
  for (const Bytes& part : parts) bytes.insert(bytes.end(), part.view().begin(), part.view().end());
  return Bytes::from_vector(std::move(bytes));
}

Serialized serialize(ir::Model& model, const WriteOptions& options, const std::string& data_file) {
  assign_names(*model.graph);
  GraphWriter graph(*model.graph);
  const std::string graph_rest = serialized(graph.write());
  const std::string head = serialized(model_head(model, graph.domains(), options.opset));
  return ModelWriter(*model.graph, options, data_file).finish(head, graph_rest);
}

void write_onnx(ir::Model& model, const std::filesystem::path& path, const WriteOptions& options) {
  const std::string data_file = path.filename().string() + ".data";
  const Serialized file = serialize(model, options, data_file);
  if (!file.external.empty()) write_file(path.parent_path() / data_file, views(file.external));
  write_file(path, views(file.parts));
}

}  // namespace onward::exporter
