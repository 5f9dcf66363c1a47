#include "formats/tensorflow/graph.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include "base/error.h"
#include "formats/tensorflow/messages.h"

namespace onward::tensorflow {
namespace {

DataType data_type(int value) { return static_cast<DataType>(value); }

AttrValue::List read_list(proto::AttrValue::ListValue& m) {
  AttrValue::List list;
  for (auto& text : *m.mutable_s()) list.strings.push_back(std::move(text));
  list.ints.assign(m.i().begin(), m.i().end());
  list.floats.assign(m.f().begin(), m.f().end());
  list.bools.assign(m.b().begin(), m.b().end());
  for (const int type : m.type()) list.types.push_back(data_type(type));
  for (const auto& shape : m.shape()) list.shapes.push_back(read_shape(shape));
  for (const auto& function : m.func()) list.functions.push_back({function.name()});
  return list;
}

AttrValue read_attr(proto::AttrValue& m, const std::string& what) {
  switch (m.value_case()) {
    case proto::AttrValue::kList:
      return AttrValue(read_list(*m.mutable_list()));
    case proto::AttrValue::kS:
      return AttrValue(std::move(*m.mutable_s()));
    case proto::AttrValue::kI:
      return AttrValue(m.i());
    case proto::AttrValue::kF:
      return AttrValue(m.f());
    case proto::AttrValue::kB:
      return AttrValue(m.b());
    case proto::AttrValue::kType:
      return AttrValue(data_type(m.type()));
    case proto::AttrValue::kShape:
      return AttrValue(AttrValue::Shape{read_shape(m.shape())});
    case proto::AttrValue::kTensor:
      return AttrValue(read_tensor(*m.mutable_tensor(), what));
    case proto::AttrValue::kPlaceholder:
      return AttrValue(AttrValue::Placeholder{m.placeholder()});
    case proto::AttrValue::kFunc:
      return AttrValue(FunctionRef{m.func().name()});
    default:
      return {};
  }
}

Node read_node(proto::NodeDef& m) {
  Node node;
  node.attrs = read_attrs(*m.mutable_attr(), "node \"" + m.name() + "\" (" + m.op() + ")");
  node.name = std::move(*m.mutable_name());
  node.op = std::move(*m.mutable_op());
  for (auto& input : *m.mutable_input()) node.inputs.push_back(std::move(input));
  return node;
}

Argument read_argument(const proto::OpDef::ArgDef& m) {
  return {m.name(), data_type(m.type()), m.type_attr(), m.number_attr(), m.type_list_attr()};
}

Function read_function(proto::FunctionDef& m) {
  Function function;
  function.name = m.signature().name();
  for (const auto& argument : m.signature().input_arg()) function.inputs.push_back(read_argument(argument));
  for (const auto& argument : m.signature().output_arg()) function.outputs.push_back(read_argument(argument));
  for (auto& node : *m.mutable_node_def()) function.nodes.push_back(read_node(node));
  for (const auto& [name, value] : m.ret()) function.returns[name] = value;
  for (const std::string& name : m.signature().control_output()) {
    const auto found = m.control_ret().find(name);
    if (found != m.control_ret().end()) function.control_returns.push_back(found->second);
  }
  for (auto& [index, attrs] : *m.mutable_arg_attr()) {
    function.argument_attrs[index] = read_attrs(*attrs.mutable_attr(), "function \"" + function.name + "\"");
  }
  return function;
}

// The first syntax error of a text file.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (!text.empty()) return;
    text = "line " + std::to_string(line + 1) + ", column " + std::to_string(column + 1) + ": " + message;
  }
  std::string text;
};

}  // namespace

Attrs read_attrs(google::protobuf::Map<std::string, proto::AttrValue>& message, const std::string& what) {
  Attrs attrs;
  for (auto& [name, value] : message) attrs.emplace(name, read_attr(value, what));
  return attrs;
}

Graph read_graph(proto::GraphDef& m) {
  Graph graph;
  graph.producer = m.versions().producer();
  graph.nodes.reserve(static_cast<size_t>(m.node_size()));
  for (auto& node : *m.mutable_node()) graph.nodes.push_back(read_node(node));
  for (auto& function : *m.mutable_library()->mutable_function()) {
    Function read = read_function(function);
    const std::string name = read.name;
    if (!graph.functions.emplace(name, std::move(read)).second) {
      fail_data("two functions are named \"" + name + "\"");
    }
  }
  return graph;
}

void parse_binary(const Bytes& file, std::string_view what, google::protobuf::Message& message) {
  if (file.size() > INT32_MAX) {
    throw Error(Code::kResourceExhausted, std::string(what) + ": a protobuf file may have 2 GiB at most");
  }
  google::protobuf::io::ArrayInputStream array(file.data(), static_cast<int>(file.size()));
  google::protobuf::io::CodedInputStream stream(&array);
  stream.SetTotalBytesLimit(INT32_MAX);
  if (!message.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    fail_data(std::string(what) + ": not a TensorFlow file, or a damaged one");
  }
}

void parse_text(const Bytes& file, std::string_view what, google::protobuf::Message& message) {
  google::protobuf::TextFormat::Parser parser;
  FirstError error;
  parser.AllowUnknownField(true);
  parser.SetRecursionLimit(100);
  parser.RecordErrorsTo(&error);
  if (file.size() > INT32_MAX) {
    throw Error(Code::kResourceExhausted, std::string(what) + ": a protobuf file may have 2 GiB at most");
  }
  google::protobuf::io::ArrayInputStream array(file.data(), static_cast<int>(file.size()));
  if (!parser.Parse(&array, &message)) fail_data(std::string(what) + ": " + error.text);
}

Graph read_graph(const Bytes& file, std::string_view what) {
  proto::GraphDef message;
  parse_binary(file, what, message);
  return read_graph(message);
}

Graph read_graph_text(const Bytes& file, std::string_view what) {
  proto::GraphDef message;
  parse_text(file, what, message);
  return read_graph(message);
}

}  // namespace onward::tensorflow
