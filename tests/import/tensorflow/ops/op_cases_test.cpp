// Every case of cases.json: a graph of one operator, imported and run in ONNX Runtime, gives what TensorFlow gave.
// make_cases.py writes the file and is the one place to add a case.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/json.h"
#include "export/onnx_writer.h"
#include "import/tensorflow/op_table.h"
#include "import/tensorflow/tensorflow.h"
#include "passes/pipeline.h"
#include "runtime/session.h"
#include "schema/schema_inference.h"

namespace onward::importer {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// {"dtype": "float32", "shape": [2], "data": [1, 2]}
ir::Tensor tensor_of(const Json& json) {
  const ir::DType dtype = *ir::dtype_from_name(json.at("dtype").as_string());
  const ir::Dims dims = json.at("shape").as_ints();
  if (dtype == ir::DType::kString) {
    std::vector<std::string> strings;
    for (const Json& item : json.at("data").as_array()) strings.push_back(item.as_string());
    return ir::Tensor::of_strings(dims, strings);
  }
  if (!ir::is_floating(dtype)) return ir::Tensor::from_ints(dtype, dims, json.at("data").as_ints());
  std::vector<double> values;
  for (const Json& item : json.at("data").as_array()) values.push_back(item.as_double());
  return ir::Tensor::from_doubles(dtype, dims, values);
}

void compare(const ir::Tensor& expected, const ir::Tensor& got) {
  ASSERT_EQ(ir::dtype_name(expected.dtype()), ir::dtype_name(got.dtype()));
  ASSERT_EQ(expected.dims(), got.dims());
  if (expected.dtype() == ir::DType::kString) {
    ASSERT_EQ(expected.strings(), got.strings());
    return;
  }
  const std::vector<double> want = expected.doubles();
  const std::vector<double> have = got.doubles();
  const double tolerance = ir::is_floating(expected.dtype()) ? 2e-5 : 0.0;
  for (size_t i = 0; i < want.size(); ++i) {
    const bool same = want[i] == have[i] || std::abs(want[i] - have[i]) <= tolerance * (1 + std::abs(want[i]));
    ASSERT_TRUE(same) << "element " << i << " is " << have[i] << " instead of " << want[i];
  }
}

void run(const Json& json) {
  schema::SchemaInference inference;
  Options options;
  std::vector<ir::Tensor> feeds;
  for (const Json& input : json.at("inputs").as_array()) {
    options.inputs.push_back("x" + std::to_string(feeds.size()) + ":0");
    feeds.push_back(tensor_of(input));
  }
  for (const Json& output : json.at("outputs").as_array()) options.outputs.push_back(output.as_string());
  ir::Model model =
      read_graphdef(Bytes::from_string(json.at("graph").as_string()), "case.pbtxt", true, options, inference);
  passes::optimize(*model.graph, inference);
  constexpr int kStringFunctions = 20;  // the opset that has them
  const bool strings =
      std::any_of(feeds.begin(), feeds.end(), [](const ir::Tensor& t) { return t.dtype() == ir::DType::kString; });
  const exporter::Serialized file =
      strings ? exporter::serialize(model, {.opset = kStringFunctions}) : exporter::serialize(model, {});
  std::string bytes;
  for (const Bytes& part : file.parts) bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
  const runtime::Session session = runtime::Session::from_bytes(Bytes::from_string(std::move(bytes)), "case");
  const std::vector<ir::Tensor> got = session.run(feeds);
  const Json::Array& expected = json.at("results").as_array();
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) compare(tensor_of(expected[i]), got[i]);
}

TEST(TensorFlowOperators, GiveWhatTensorFlowGives) {
  const Json cases = Json::parse(text_of(ONWARD_TEST_DATA "/ops/cases.json"));
  ASSERT_GT(cases.size(), 0U);
  for (const Json& json : cases.as_array()) {
    SCOPED_TRACE(json.at("name").as_string());
    try {
      run(json);
    } catch (const Error& error) {
      ADD_FAILURE() << error.message();
    }
  }
}

TEST(TensorFlowOperators, AreMany) { EXPECT_GE(tf::op_table().entries().size(), 400U); }

}  // namespace
}  // namespace onward::importer
