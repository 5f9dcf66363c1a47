#include "import/onnx/weights_in_place.h"

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "import/onnx/onnx_reader.h"

namespace onward::importer {
namespace {

constexpr int64_t kLarge = 1000;  // floats

void add_initializer(onnx::GraphProto& graph, const std::string& name, int64_t count, float first) {
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<float>(i);
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(count);
  tensor.set_raw_data(values.data(), values.size() * sizeof(float));
  tensor.set_doc_string("behind the data");
}

// y = x + small[1] + large[1000] + other[1000]
onnx::ModelProto net(int opset = 18) {
  onnx::ModelProto proto;
  proto.set_ir_version(8);
  proto.add_opset_import()->set_version(opset);
  onnx::GraphProto& graph = *proto.mutable_graph();
  graph.set_name("net");
  std::string sum = "x";
  for (const char* weight : {"small", "large", "other"}) {
    onnx::NodeProto& node = *graph.add_node();
    node.set_op_type("Add");
    node.add_input(sum);
    node.add_input(weight);
    sum = std::string("with ") + weight;
    node.add_output(sum);
    add_initializer(graph, weight, std::string(weight) == "small" ? 1 : kLarge, static_cast<float>(graph.node_size()));
  }
  for (auto* value : {graph.add_input(), graph.add_output()}) {
    auto& type = *value->mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    type.mutable_shape()->add_dim()->set_dim_value(kLarge);
  }
  graph.mutable_input(0)->set_name("x");
  graph.mutable_output(0)->set_name(sum);
  proto.set_producer_name("behind the graph");
  return proto;
}

std::string delimited(int field, const std::string& content) {
  std::string text(1, static_cast<char>(field << 3 | 2));
  size_t rest = content.size();
  for (; rest >= 128; rest >>= 7) text += static_cast<char>((rest & 127) | 128);
  return text + static_cast<char>(rest) + content;
}

bool lies_in(const Bytes& file, const Bytes& part) {
  return part.data() >= file.data() && part.data() + part.size() <= file.data() + file.size();
}

const ir::Tensor& constant(const ir::Model& model, const std::string& name) {
  for (const ir::Value& value : model.graph->values()) {
    if (value.is_constant() && value.name == name) return *value.constant();
  }
  throw std::runtime_error("no constant " + name);
}

TEST(WeightsInPlace, LeavesLargeOnesInTheFile) {
  const onnx::ModelProto proto = net();
  const Bytes file = Bytes::from_string(proto.SerializeAsString());
  const auto lean = without_weights(file);
  ASSERT_TRUE(lean);
  ASSERT_EQ(lean->weights.size(), 3U);
  EXPECT_TRUE(lean->weights[0].empty());
  onnx::ModelProto rest;
  ASSERT_TRUE(rest.ParseFromString(lean->message));
  for (int i : {1, 2}) {
    EXPECT_TRUE(lies_in(file, lean->weights[static_cast<size_t>(i)]));
    EXPECT_FALSE(rest.graph().initializer(i).has_raw_data());
    rest.mutable_graph()->mutable_initializer(i)->set_raw_data(
        std::string(lean->weights[static_cast<size_t>(i)].text()));
  }
  EXPECT_EQ(rest.SerializeAsString(), proto.SerializeAsString());
}

TEST(WeightsInPlace, ReadModelsHaveTheSameTensors) {
  for (const int opset : {13, 18}) {  // the older one is rewritten by ONNX's converter, from a copy
    const onnx::ModelProto proto = net(opset);
    const Bytes file = Bytes::from_string(proto.SerializeAsString());
    const ir::Model model = read_onnx(file, "/nonexistent");
    for (const auto& initializer : proto.graph().initializer()) {
      const ir::Tensor& tensor = constant(model, initializer.name());
      EXPECT_EQ(tensor.bytes().text(), initializer.raw_data());
      EXPECT_EQ(lies_in(file, tensor.bytes()), opset == 18 && initializer.name() != "small");
    }
  }
}

TEST(WeightsInPlace, ProtobufReadsWhatNobodyWrites) {
  const std::string text = net().SerializeAsString();
  onnx::ModelProto more;
  add_initializer(*more.mutable_graph(), "in the second piece", kLarge, 0);
  EXPECT_FALSE(without_weights(Bytes::from_string(text + more.SerializeAsString())));

  // A tensor whose raw_data comes twice: the last one holds.
  onnx::ModelProto proto = net();
  onnx::TensorProto last;
  last.set_raw_data(std::string(sizeof(float) * kLarge, 'x'));
  const std::string twice = proto.graph().initializer(1).SerializeAsString() + last.SerializeAsString();
  proto.mutable_graph()->mutable_initializer()->DeleteSubrange(1, 1);
  const std::string graph = proto.graph().SerializeAsString() + delimited(5, twice);
  proto.clear_graph();
  const ir::Model model =
      read_onnx(Bytes::from_string(proto.SerializeAsString() + delimited(7, graph)), "/nonexistent");
  EXPECT_EQ(constant(model, "large").bytes().text(), last.raw_data());

  onnx::ModelProto small = net();
  small.mutable_graph()->mutable_initializer()->DeleteSubrange(1, 2);
  EXPECT_FALSE(without_weights(Bytes::from_string(small.SerializeAsString())));
}

TEST(WeightsInPlace, TruncatedAnywhereItIsAnErrorOrLean) {
  const std::string text = net().SerializeAsString();
  for (size_t size = 0; size < text.size(); size += 7) {
    const auto lean = without_weights(Bytes::from_string(text.substr(0, size)));
    onnx::ModelProto proto;
    if (lean) {
      EXPECT_TRUE(proto.ParseFromString(lean->message)) << size;
    }
  }
}

}  // namespace
}  // namespace onward::importer
