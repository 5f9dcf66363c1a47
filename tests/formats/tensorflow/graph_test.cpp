#include "formats/tensorflow/graph.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/tensorflow/saved_model.h"

namespace onward::tensorflow {
namespace {

const std::filesystem::path kData = std::filesystem::path(ONWARD_TEST_DATA) / "tensorflow";

Graph parse(std::string text) { return read_graph_text(Bytes::from_string(std::move(text)), "test"); }

const Array& value_of(const Graph& graph) { return *graph.nodes.at(0).attrs.find("value")->second.get_if<Array>(); }

std::string constant(const std::string& tensor) {
  return "node { name: 'c' op: 'Const' attr { key: 'value' value { tensor { " + tensor + " } } } }";
}

TEST(GraphText, ReadsNodesAttributesAndUnknownFields) {
  const Graph graph = parse(
      "node { name: 'x' op: 'Placeholder' attr { key: 'dtype' value { type: DT_FLOAT } } novelty: 3 }"
      "node { name: 'y' op: 'Relu' input: 'x' input: '^x' } versions { producer: 1000 }");
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.producer, 1000);
  EXPECT_EQ(*graph.nodes[0].attrs.at("dtype").get_if<DataType>(), DataType::kFloat);
  EXPECT_EQ(graph.nodes[1].inputs, (std::vector<std::string>{"x", "^x"}));
}

TEST(GraphText, TellsWhereItsSyntaxIsWrong) {
  try {
    parse("node {\n  name: 'x'\n  op }\n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("line 3"), std::string::npos) << error.message();
  }
}

TEST(TensorProto, RepeatsTheLastValue) {
  const Graph graph = parse(constant("dtype: DT_INT32 tensor_shape { dim { size: 4 } } int_val: 1 int_val: 7"));
  const Array& array = value_of(graph);
  EXPECT_EQ(array.dtype, "int32");
  std::vector<int32_t> numbers(4);
  std::memcpy(numbers.data(), array.data.data(), 16);
  EXPECT_EQ(numbers, (std::vector<int32_t>{1, 7, 7, 7}));
}

TEST(TensorProto, RefusesWhatDoesNotFit) {
  EXPECT_THROW(parse(constant("dtype: DT_FLOAT tensor_shape { dim { size: 2 } } tensor_content: 'abc'")), Error);
  EXPECT_THROW(parse(constant("dtype: DT_FLOAT tensor_shape { dim { size: 1 } } float_val: 1 float_val: 2")), Error);
  EXPECT_THROW(parse(constant("dtype: DT_FLOAT tensor_shape { dim { size: -1 } } float_val: 1")), Error);
  EXPECT_THROW(parse(constant("dtype: DT_FLOAT tensor_shape { dim { size: 99999999999 } } float_val: 1")), Error);
}

TEST(SavedModel, ReadsSignaturesAndTheObjectGraph) {
  const std::vector<MetaGraph> metas = read_saved_model(kData / "counter");
  ASSERT_EQ(metas.size(), 1U);
  const MetaGraph& meta = metas[0];
  EXPECT_EQ(meta.tags, (std::vector<std::string>{"serve"}));
  const Signature& signature = meta.signatures.at("serving_default");
  EXPECT_EQ(signature.inputs.at("x").shape, (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(signature.outputs.size(), 2U);
  EXPECT_FALSE(meta.restore_op.empty());
  EXPECT_FALSE(meta.graph.functions.empty());
  EXPECT_FALSE(meta.objects.empty());
}

TEST(SavedModel, RefusesDamage) {
  const Bytes file = map_file(kData / "counter/saved_model.pb");
  EXPECT_THROW(read_graph(file.slice(0, file.size() - 7), "cut"), Error);
  EXPECT_THROW(read_meta_graph(Bytes::from_string("\x0a\xff\xff"), "cut"), Error);
}

}  // namespace
}  // namespace onward::tensorflow
