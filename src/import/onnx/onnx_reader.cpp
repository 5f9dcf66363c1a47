#include "import/onnx/onnx_reader.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/inliner/inliner.h>

#include <span>
#include <unordered_map>

#include "base/error.h"
#include "import/onnx/raise_opset.h"
#include "import/onnx/tensor_reader.h"
#include "import/onnx/weights_in_place.h"
#include "schema/protos.h"
#include "schema/schema_inference.h"

namespace onward::importer {
namespace {

using ir::Graph;
using ir::Value;

// Names of one graph, and of those around it.
class Scope {
 public:
  explicit Scope(const Scope* outer) : outer_(outer) {}

  void define(const std::string& name, Value* value) {
    if (!values_.emplace(name, value).second) fail_data("the name \"" + name + "\" is given to two values");
  }
  Value* find(const std::string& name) const {
    const auto found = values_.find(name);
    if (found != values_.end()) return found->second;
    return outer_ != nullptr ? outer_->find(name) : nullptr;
  }

 private:
  const Scope* outer_;
  std::unordered_map<std::string, Value*> values_;
};

class GraphReader {
 public:
  // `weights`: of the outermost graph's initializers, by position, where they are not in the proto.
  GraphReader(const std::filesystem::path& folder, int opset, const std::vector<Bytes>& weights)
      : folder_(folder), inference_(opset), weights_(weights) {}

  void read(onnx::GraphProto& proto, Graph& graph, const Scope* outer) const {
    Scope scope(outer);
    graph.name = proto.name();
    if (proto.sparse_initializer_size() > 0) {
      fail_unsupported("the model has sparse initializers", "save it with dense ones");
    }
    read_initializers(proto, graph, scope, outer == nullptr ? std::span(weights_) : std::span<const Bytes>());
    for (const auto& input : proto.input()) {
      if (scope.find(input.name()) != nullptr && outer == nullptr) continue;  // an initializer with a default, IR < 4
      Value* value = graph.add_input(input.name(), ir::DType::kUndefined, std::nullopt);
      schema::read_type(input.type(), *value);
      scope.define(input.name(), value);
    }
    std::unordered_map<std::string, const onnx::ValueInfoProto*> known_types;
    for (const auto& info : proto.value_info()) known_types.emplace(info.name(), &info);
    for (const auto& info : proto.output()) known_types.emplace(info.name(), &info);
    for (auto& node : *proto.mutable_node()) read_node(node, graph, scope, known_types);
    for (const auto& output : proto.output()) {
      Value* value = scope.find(output.name());
      if (value == nullptr) fail_data("the output \"" + output.name() + "\" is computed by no node");
      graph.add_output(value, output.name());
    }
  }

 private:
  using Types = std::unordered_map<std::string, const onnx::ValueInfoProto*>;

  void read_initializers(onnx::GraphProto& proto, Graph& graph, Scope& scope, std::span<const Bytes> weights) const {
    for (int i = 0; i < proto.initializer_size(); ++i) {
      onnx::TensorProto& initializer = *proto.mutable_initializer(i);
      const std::string name = initializer.name();
      const auto position = static_cast<size_t>(i);
      const Bytes in_place = position < weights.size() ? weights[position] : Bytes();
      scope.define(name, graph.add_constant(read_tensor(initializer, folder_, in_place), name));
    }
  }

  void read_node(onnx::NodeProto& proto, Graph& graph, Scope& scope, const Types& known_types) const {
    std::vector<Value*> inputs;
    for (const std::string& name : proto.input()) {
      Value* value = name.empty() ? nullptr : scope.find(name);
      if (value == nullptr && !name.empty()) {
        fail_data(fmt::format("node \"{}\" ({}) uses \"{}\", which nothing before it computes", proto.name(),
                              proto.op_type(), name));
      }
      inputs.push_back(value);
    }
    const bool plain = proto.domain().empty() || proto.domain() == "ai.onnx";
    if (plain && proto.op_type() == "Constant") return read_constant(proto, graph, scope);
    ir::Node* node = graph.add_node(plain ? "" : proto.domain(), proto.op_type(), std::move(inputs),
                                    static_cast<size_t>(proto.output_size()));
    node->name = proto.name();
    for (auto& attribute : *proto.mutable_attribute())
      node->attrs.set(attribute.name(), read_attribute(attribute, scope));
    if (const auto problem = ir::control_flow_problem(*node)) {
      fail_data(fmt::format("node \"{}\" ({}): {}", proto.name(), proto.op_type(), *problem));
    }
    infer(*node);
    for (int i = 0; i < proto.output_size(); ++i) {
      Value* value = node->output(static_cast<size_t>(i));
      const std::string& name = proto.output(i);
      value->name = name;
      if (name.empty()) continue;
      const auto known = known_types.find(name);
      if (known != known_types.end() && !value->shape) schema::read_type(known->second->type(), *value);
      scope.define(name, value);
    }
  }

  // A model that contradicts a schema is left to ONNX Runtime's verdict: its types stay unknown here.
  void infer(ir::Node& node) const {
    try {
      inference_.infer(node);
    } catch (const Error& error) {
      if (error.code() != Code::kInvalidArgument && error.code() != Code::kInternal) throw;
    }
  }

  void read_constant(onnx::NodeProto& proto, Graph& graph, Scope& scope) const {
    if (proto.attribute_size() != 1 || proto.output_size() != 1)
      fail_data("a Constant node needs one value and one output");
    onnx::AttributeProto& value = *proto.mutable_attribute(0);
    ir::Tensor tensor;
    if (value.name() == "value") {
      tensor = read_tensor(*value.mutable_t(), folder_);
    } else if (value.name() == "value_int") {
      tensor = ir::Tensor::scalar<int64_t>(value.i());
    } else if (value.name() == "value_float") {
      tensor = ir::Tensor::scalar<float>(value.f());
    } else if (value.name() == "value_ints") {
      tensor = ir::Tensor::vector({value.ints().begin(), value.ints().end()});
    } else if (value.name() == "value_floats") {
      tensor = ir::Tensor::of<float>({value.floats_size()}, {value.floats().begin(), value.floats().end()});
    } else if (value.name() == "value_string") {
      tensor = ir::Tensor::of_strings({}, {value.s()});
    } else if (value.name() == "value_strings") {
      tensor = ir::Tensor::of_strings({value.strings_size()}, {value.strings().begin(), value.strings().end()});
    } else {
      fail_unsupported("a Constant node holds a " + value.name());
    }
    scope.define(proto.output(0), graph.add_constant(std::move(tensor), proto.output(0)));
  }

  ir::Attr read_attribute(onnx::AttributeProto& proto, const Scope& scope) const {
    switch (proto.type()) {
      case onnx::AttributeProto::INT:
        return proto.i();
      case onnx::AttributeProto::FLOAT:
        return proto.f();
      case onnx::AttributeProto::STRING:
        return proto.s();
      case onnx::AttributeProto::INTS:
        return ir::Attr::Ints(proto.ints().begin(), proto.ints().end());
      case onnx::AttributeProto::FLOATS:
        return ir::Attr::Floats(proto.floats().begin(), proto.floats().end());
      case onnx::AttributeProto::STRINGS:
        return ir::Attr::Strings(proto.strings().begin(), proto.strings().end());
      case onnx::AttributeProto::TENSOR:
        return read_tensor(*proto.mutable_t(), folder_);
      case onnx::AttributeProto::GRAPH: {
        auto graph = std::make_shared<Graph>();
        read(*proto.mutable_g(), *graph, &scope);
        return graph;
      }
      default:
        fail_unsupported("attribute \"" + proto.name() + "\" is a list of tensors, graphs or types");
    }
  }

  const std::filesystem::path& folder_;
  schema::SchemaInference inference_;
  const std::vector<Bytes>& weights_;
};

onnx::ModelProto parse(std::string_view file) {
  onnx::ModelProto proto;
  google::protobuf::io::ArrayInputStream array(file.data(), static_cast<int>(file.size()));
  google::protobuf::io::CodedInputStream stream(&array);
  if (!proto.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage() || !proto.has_graph()) {
    fail_data("not an ONNX model, or a damaged one");
  }
  return proto;
}

int default_opset(const onnx::ModelProto& proto) {
  for (const auto& opset : proto.opset_import()) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") return static_cast<int>(opset.version());
  }
  fail_data("the model does not say which ONNX opset it uses");
}

// What the ONNX library rewrites must be whole.
bool is_rewritten(const onnx::ModelProto& proto) {
  return proto.functions_size() > 0 || default_opset(proto) < schema::kCanonicalOpset;
}

struct Parsed {
  onnx::ModelProto proto;
  std::vector<Bytes> weights;  // as in LeanModel
};

Parsed parse_file(const Bytes& file) {
  if (file.size() > INT32_MAX)
    fail_data("an ONNX file may have 2 GiB at most; larger models keep their weights beside it");
  if (auto lean = without_weights(file)) {
    Parsed parsed{parse(lean->message), std::move(lean->weights)};
    if (!is_rewritten(parsed.proto)) return parsed;
  }
  return {parse(file.text()), {}};
}

}  // namespace

ir::Model read_onnx(const Bytes& file, const std::filesystem::path& folder) {
  auto [proto, weights] = parse_file(file);
  if (default_opset(proto) > schema::newest_opset()) {
    fail_unsupported(
        fmt::format("the model uses opset {}, newer than {}", default_opset(proto), schema::newest_opset()),
        "save it with an older opset, or update Onward");
  }
  if (proto.functions_size() > 0) onnx::inliner::InlineLocalFunctions(proto);
  if (default_opset(proto) < schema::kCanonicalOpset) {
    proto = raise_opset(proto, default_opset(proto), schema::kCanonicalOpset, folder);
  }
  ir::Model model;
  model.producer = proto.producer_name() + (proto.producer_version().empty() ? "" : " " + proto.producer_version());
  for (const auto& entry : proto.metadata_props()) model.metadata[entry.key()] = entry.value();
  for (const auto& opset : proto.opset_import()) {
    model.opset_imports[opset.domain() == "ai.onnx" ? "" : opset.domain()] = static_cast<int>(opset.version());
  }
  GraphReader(folder, default_opset(proto), weights).read(*proto.mutable_graph(), *model.graph, nullptr);
  return model;
}

}  // namespace onward::importer
