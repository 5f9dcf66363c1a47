#include "schema/schema_inference.h"

#include <onnx/defs/schema.h>
#include <onnx/defs/shape_inference.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "schema/further_inference.h"
#include "schema/protos.h"

namespace onward::schema {
namespace {

using ir::Node;
using ir::Value;

// Constants up to this many elements are shown to the schemas' inference functions.
constexpr size_t kVisibleElements = 4096;

// More numbers than this are no shape.
constexpr int64_t kMostSizes = 64;

onnx::TensorShapeProto content_proto(const ir::Shape& content) {
  onnx::TensorShapeProto proto;
  for (const ir::Dim& dim : content) fill_dim(dim, *proto.add_dim());
  return proto;
}

// Unknown numbers, as many as a computed shape of known length has: what stands beside them in a Concat stays known.
std::optional<ir::Shape> unknown_content(const Value& value) {
  if (!is_integer(value.dtype) || !value.shape || value.shape->size() > 1) return std::nullopt;
  if (value.shape->empty()) return ir::Shape(1);
  const ir::Dim length = value.shape->front();
  if (!length.is_known() || length.value() < 0 || length.value() > kMostSizes) return std::nullopt;
  return ir::Shape(static_cast<size_t>(length.value()));
}

// What both of ONNX's contexts need of a node, made on demand.
class NodeView {
 public:
  explicit NodeView(Node& node)
      : node_(node), types_(node.inputs().size()), data_(node.inputs().size()), content_(node.inputs().size()) {
    for (size_t i = 0; i < types_.size(); ++i) {
      if (const Value* value = node.input(i)) fill_type(*value, types_[i]);
    }
  }

  const onnx::AttributeProto* attribute(const std::string& name) const {
    const auto known = attributes_.find(name);
    if (known != attributes_.end()) return known->second.get();
    std::unique_ptr<onnx::AttributeProto> proto;
    if (const ir::Attr* attr = node_.attrs.find(name); attr != nullptr && !attr->get_if<std::shared_ptr<ir::Graph>>()) {
      proto = std::make_unique<onnx::AttributeProto>();
      fill_attribute(name, *attr, *proto);
    }
    return attributes_.emplace(name, std::move(proto)).first->second.get();
  }

  size_t input_count() const { return types_.size(); }
  bool has_input(size_t index) const { return node_.input(index) != nullptr; }

  const onnx::TypeProto* input_type(size_t index) const {
    const Value* value = node_.input(index);
    return value != nullptr && value->dtype != ir::DType::kUndefined ? &types_[index] : nullptr;
  }

  const onnx::TensorProto* input_data(size_t index) const {
    const Value* value = node_.input(index);
    if (value == nullptr || !value->is_constant() || value->constant()->count() > kVisibleElements) return nullptr;
    if (!data_[index]) {
      data_[index] = std::make_unique<onnx::TensorProto>();
      fill_tensor(*value->constant(), *data_[index]);
    }
    return data_[index].get();
  }

  const onnx::TensorShapeProto* input_content(size_t index) const {
    const Value* value = node_.input(index);
    if (value == nullptr || content_[index]) return content_[index].get();
    const std::optional<ir::Shape> content = value->content ? value->content : unknown_content(*value);
    if (content) content_[index] = std::make_unique<onnx::TensorShapeProto>(content_proto(*content));
    return content_[index].get();
  }

  Node& node() const { return node_; }

 private:
  Node& node_;
  std::vector<onnx::TypeProto> types_;
  mutable std::vector<std::unique_ptr<onnx::TensorProto>> data_;
  mutable std::vector<std::unique_ptr<onnx::TensorShapeProto>> content_;
  mutable std::map<std::string, std::unique_ptr<onnx::AttributeProto>> attributes_;
};

class TypeContext final : public onnx::InferenceContext {
 public:
  explicit TypeContext(const NodeView& view) : view_(view), outputs_(view.node().outputs().size()) {}

  const onnx::AttributeProto* getAttribute(const std::string& name) const override { return view_.attribute(name); }
  size_t getNumInputs() const override { return view_.input_count(); }
  bool hasInput(size_t index) const override { return view_.has_input(index); }
  const onnx::TypeProto* getInputType(size_t index) const override {
    return index < view_.input_count() ? view_.input_type(index) : nullptr;
  }
  const onnx::TensorProto* getInputData(size_t index) const override { return view_.input_data(index); }
  size_t getNumOutputs() const override { return outputs_.size(); }
  onnx::TypeProto* getOutputType(size_t index) override { return &outputs_.at(index); }
  onnx::GraphInferencer* getGraphAttributeInferencer(const std::string&) override { return nullptr; }
  const onnx::SparseTensorProto* getInputSparseData(size_t) const override { return nullptr; }
  const onnx::TensorShapeProto* getSymbolicInput(size_t index) const override { return view_.input_content(index); }

 private:
  const NodeView& view_;
  std::vector<onnx::TypeProto> outputs_;
};

class ContentContext final : public onnx::DataPropagationContext {
 public:
  ContentContext(const NodeView& view, TypeContext& types) : view_(view), types_(types) {}

  const onnx::AttributeProto* getAttribute(const std::string& name) const override { return view_.attribute(name); }
  size_t getNumInputs() const override { return view_.input_count(); }
  const onnx::TypeProto* getInputType(size_t index) const override { return view_.input_type(index); }
  size_t getNumOutputs() const override { return types_.getNumOutputs(); }
  const onnx::TypeProto* getOutputType(size_t index) const override { return types_.getOutputType(index); }
  const onnx::TensorShapeProto* getInputData(size_t index) override { return view_.input_content(index); }
  void addOutputData(size_t index, onnx::TensorShapeProto&& data) override {
    ir::Shape content;
    for (const auto& dim : data.dim()) content.push_back(read_dim(dim));
    if (std::ranges::all_of(content, [](const ir::Dim& dim) { return dim.is_unknown(); })) return;
    view_.node().output(index)->content = std::move(content);
  }

 private:
  const NodeView& view_;
  TypeContext& types_;
};

// Schemas without an inference function still say which types are equal.
void infer_equal_types(const onnx::OpSchema& schema, Node& node) {
  for (size_t i = 0; i < node.outputs().size() && !schema.outputs().empty(); ++i) {
    Value& output = *node.output(i);
    if (output.dtype != ir::DType::kUndefined) continue;
    const auto& formal = schema.outputs()[std::min(i, schema.outputs().size() - 1)];
    for (size_t k = 0; k < node.inputs().size() && !schema.inputs().empty(); ++k) {
      const auto& given = schema.inputs()[std::min(k, schema.inputs().size() - 1)];
      if (node.input(k) != nullptr && given.GetTypeStr() == formal.GetTypeStr()) {
        output.dtype = node.input(k)->dtype;
        break;
      }
    }
  }
}

// The library's messages begin with a tag such as "[ShapeInferenceError] ".
std::string without_tag(std::string message) {
  if (message.starts_with('[')) {
    const size_t end = message.find("] ");
    if (end != std::string::npos) message.erase(0, end + 2);
  }
  return message;
}

std::string described(const Node& node) {
  std::string text = node.op_type + "(";
  for (const Value* input : node.inputs()) {
    if (text.back() != '(') text += ", ";
    if (input == nullptr) {
      text += "-";
    } else {
      text += std::string(ir::dtype_name(input->dtype)) + (input->shape ? ir::shape_text(*input->shape) : "[…]");
    }
  }
  return text + ")";
}

// The operator whose inference serves for one that has none in the library.
std::string inferred_as(const std::string& op_type) {
  if (op_type == "GreaterOrEqual") return "Greater";
  return op_type == "LessOrEqual" ? "Less" : op_type;
}

const onnx::OpSchema* find_schema(const std::string& op_type, int opset) {
  if (const auto* schema = onnx::OpSchemaRegistry::Schema(op_type, opset, "")) return schema;
  return onnx::OpSchemaRegistry::Schema(op_type, newest_opset(), "");
}

// The library would read past its lists where a convolution's input and weights differ in rank.
void check_convolution(const Node& node) {
  static const std::map<std::string_view, size_t> kWeights{
      {"Conv", 1}, {"ConvInteger", 1}, {"ConvTranspose", 1}, {"DeformConv", 1}, {"QLinearConv", 3}};
  const auto found = kWeights.find(node.op_type);
  if (found == kWeights.end()) return;
  const Value* x = node.input(0);
  const Value* weights = node.input(found->second);
  if (x == nullptr || weights == nullptr || !x->shape || !weights->shape) return;
  if (x->shape->size() != weights->shape->size()) throw std::runtime_error("Input and weights differ in rank");
}

void run_inference(const onnx::OpSchema& schema, Node& node) {
  check_convolution(node);
  const NodeView view(node);
  TypeContext types(view);
  schema.GetTypeAndShapeInferenceFunction()(types);
  for (size_t i = 0; i < node.outputs().size(); ++i) read_type(*types.getOutputType(i), *node.output(i));
  infer_equal_types(schema, node);
  const Value& first = *node.output();
  if (!is_integer(first.dtype) || !first.shape || first.shape->size() > 1) return;
  ContentContext content(view, types);
  schema.GetDataPropagationFunction()(content);
  if (!first.content && !first.is_constant()) node.output()->content = unknown_content(first);
}

}  // namespace

int newest_opset() {
  static const int kNewest = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
  return kNewest;
}

bool has_schema(const std::string& op_type, int opset) {
  return onnx::OpSchemaRegistry::Schema(op_type, opset, "") != nullptr;
}

void SchemaInference::infer(Node& node) const {
  if (!node.domain.empty() || node.outputs().empty() || ir::infer_control_flow(node)) return;
  const onnx::OpSchema* schema = find_schema(inferred_as(node.op_type), opset_);
  if (schema == nullptr) throw Error(Code::kInternal, "ONNX has no operator " + node.op_type);
  try {
    run_inference(*schema, node);
    infer_further(node);
  } catch (const std::runtime_error& error) {
    fail_invalid(described(node) + ": " + without_tag(error.what()));
  }
}

}  // namespace onward::schema
