#include "import/onnx/onnx_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/defs/parser.h>

#include "base/error.h"
#include "ir/text.h"

namespace onward::importer {
namespace {

using testing::HasSubstr;

onnx::ModelProto parsed(const std::string& graph, int opset) {
  onnx::ModelProto proto;
  const std::string text = "<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) + "]>\n" + graph;
  const auto status = onnx::OnnxParser::Parse(proto, text.c_str());
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
  return proto;
}

ir::Model read(const onnx::ModelProto& proto) {
  return read_onnx(Bytes::from_string(proto.SerializeAsString()), "/nonexistent");
}

std::string refusal(const onnx::ModelProto& proto) {
  try {
    (void)read(proto);
    return "accepted";
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(OnnxReader, RaisesOlderModelsToTheCanonicalOpset) {
  const ir::Model model = read(parsed("g (float[2,3] x) => (float[2,1] y) { y = ReduceMax<axes = [1]>(x) }", 13));
  const std::string text = ir::to_text(*model.graph);
  EXPECT_THAT(text, HasSubstr("ReduceMax"));
  EXPECT_THAT(text, testing::Not(HasSubstr("axes =")));  // an input since opset 18
  EXPECT_EQ(model.opset_imports.at(""), 18);
}

TEST(OnnxReader, RefusesOldModelsThatTheConverterCouldNotBear) {
  onnx::ModelProto proto = parsed("g (float[2] x) => (float[2] y) { y = Relu(x) }", 13);
  proto.mutable_graph()->mutable_output(0)->set_name("z");
  EXPECT_THAT(refusal(proto), HasSubstr("'z'"));
  proto = parsed("g (float[2] x) => (float[2] y) { y = Relu(x) }", 13);
  proto.mutable_graph()->mutable_node(0)->set_op_type("NoSuchOperator");
  EXPECT_THAT(refusal(proto), HasSubstr("NoSuchOperator"));
}

TEST(OnnxReader, RefusesControlFlowWhoseGraphsDoNotFit) {
  const char* const if_node =
      "g (bool c, float[2] x) => (float[2] y) { y = If (c) <then_branch = t () => (float[2] a) { a = Neg(x) }, "
      "else_branch = e () => (float[2] b) { b = Abs(x) }> }";
  onnx::ModelProto proto = parsed(if_node, 18);
  EXPECT_EQ(refusal(proto), "accepted");
  proto.mutable_graph()->mutable_node(0)->mutable_attribute(1)->mutable_g()->clear_output();
  EXPECT_THAT(refusal(proto), HasSubstr("else_branch has 0 outputs instead of 1"));
  proto.mutable_graph()->mutable_node(0)->mutable_attribute()->RemoveLast();
  EXPECT_THAT(refusal(proto), HasSubstr("it has no else_branch"));

  const char* const loop =
      "g (int64 n, float[2] x) => (float[2] y) { y = Loop (n, , x) <body = b (int64 i, bool c, float[2] v) => "
      "(bool d, float[2] w) { d = Identity(c) w = Neg(v) }> }";
  proto = parsed(loop, 18);
  EXPECT_EQ(refusal(proto), "accepted");
  onnx::GraphProto* body = proto.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_g();
  body->mutable_output()->RemoveLast();
  EXPECT_THAT(refusal(proto), HasSubstr("body has 1 outputs instead of 2"));
  proto = parsed(loop, 18);
  proto.mutable_graph()->mutable_node(0)->mutable_input()->RemoveLast();
  EXPECT_THAT(refusal(proto), HasSubstr("body has 3 inputs instead of 2"));

  proto = parsed(
      "g (float[3,2] x) => (float[3,2] y) { y = Scan <num_scan_inputs = 1, body = b (float[2] v) => (float[2] w) { w = "
      "Neg(v) }> (x) }",
      18);
  EXPECT_EQ(refusal(proto), "accepted");
  for (onnx::AttributeProto& attribute : *proto.mutable_graph()->mutable_node(0)->mutable_attribute()) {
    if (attribute.name() == "num_scan_inputs") attribute.set_i(7);
  }
  EXPECT_THAT(refusal(proto), HasSubstr("num_scan_inputs does not fit"));
}

TEST(OnnxReader, LeavesConvolutionsThatDoNotFitToOnnxRuntime) {
  for (const char* x : {"float[n,3]", "float[n,3,8]", "float[n,3,8,8,8]"}) {
    EXPECT_EQ(refusal(parsed(std::string("g (") + x + " x, float[4,3,2,2] w) => (float[a] y) { y = Conv (x, w) }", 18)),
              "accepted");
  }
}

TEST(OnnxReader, RefusesExternalDataOutsideTheModelsFolder) {
  onnx::ModelProto proto = parsed("g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Add(x, w) }", 18);
  onnx::TensorProto* weight = proto.mutable_graph()->mutable_initializer(0);
  weight->clear_float_data();
  weight->set_data_location(onnx::TensorProto::EXTERNAL);
  onnx::StringStringEntryProto* entry = weight->add_external_data();
  entry->set_key("location");
  entry->set_value("../secret");
  EXPECT_THAT(refusal(proto), HasSubstr("../secret"));
}

}  // namespace
}  // namespace onward::importer
