// Random operators: the numbers drawn have the distribution's mean, deviation and bounds, and change from run to run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "export/onnx_writer.h"
#include "import/tensorflow/tensorflow.h"
#include "passes/pipeline.h"
#include "runtime/session.h"
#include "schema/schema_inference.h"

namespace onward::importer {
namespace {

constexpr int64_t kCount = 20000;

struct Distribution {
  const char* op;
  const char* inputs;  // after the shape's
  const char* attributes;
  double mean;
  double deviation;
  double low;
  double high;
};

void PrintTo(const Distribution& one, std::ostream* out) { *out << one.op; }

class TensorFlowRandom : public testing::TestWithParam<Distribution> {};

std::string constant(const std::string& name, const char* type, const std::string& shape, const std::string& value) {
  return "node { name: '" + name + "' op: 'Const' attr { key: 'dtype' value { type: " + type +
         " } } attr { key: 'value' value { tensor { dtype: " + type + " tensor_shape { " + shape + " } " + value +
         " } } } }\n";
}

std::string graph_of(const Distribution& wanted) {
  return "node { name: 'shape' op: 'Placeholder' attr { key: 'dtype' value { type: DT_INT32 } }\n"
         "  attr { key: 'shape' value { shape { dim { size: 1 } } } } }\n" +
         constant("low", "DT_INT64", "", "int64_val: 3") + constant("high", "DT_INT64", "", "int64_val: 7") +
         constant("seed", "DT_INT64", "dim { size: 2 }", "int64_val: 1 int64_val: 2") +
         "node { name: 'state' op: 'StatelessRandomGetKeyCounter' input: 'seed'\n"
         "  attr { key: 'Tseed' value { type: DT_INT64 } } }\n"
         "node { name: 'alg' op: 'StatelessRandomGetAlg' }\n"
         "node { name: 'y' op: '" +
         wanted.op + "' input: 'shape' " + wanted.inputs + wanted.attributes + " }\n";
}

TEST_P(TensorFlowRandom, HasTheDistribution) {
  const Distribution& wanted = GetParam();
  schema::SchemaInference inference;
  Options options;
  options.inputs = {"shape:0"};
  options.outputs = {"y:0"};
  ir::Model model = read_graphdef(Bytes::from_string(graph_of(wanted)), "random.pbtxt", true, options, inference);
  passes::optimize(*model.graph, inference);
  const exporter::Serialized file = exporter::serialize(model, {});
  std::string bytes;
  for (const Bytes& part : file.parts) bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
  const runtime::Session session = runtime::Session::from_bytes(Bytes::from_string(std::move(bytes)), "random");
  const std::vector<ir::Tensor> feeds = {ir::Tensor::from_ints(ir::DType::kInt32, {1}, {kCount})};
  const std::vector<double> values = session.run(feeds).at(0).doubles();
  ASSERT_EQ(values.size(), static_cast<size_t>(kCount));
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kCount;
  // Six standard errors: by chance once in 500 million runs.
  EXPECT_NEAR(mean, wanted.mean, 6 * wanted.deviation / std::sqrt(kCount));
  EXPECT_NEAR(std::sqrt(squares / kCount - mean * mean), wanted.deviation, 0.1 * wanted.deviation);
  EXPECT_GE(*std::min_element(values.begin(), values.end()), wanted.low);
  EXPECT_LE(*std::max_element(values.begin(), values.end()), wanted.high);
  EXPECT_NE(session.run(feeds).at(0).doubles(), values) << "a second run draws the same";
}

constexpr const char* kFloat = " attr { key: 'dtype' value { type: DT_FLOAT } }";
constexpr const char* kInt = " attr { key: 'dtype' value { type: DT_INT64 } }";
constexpr const char* kSeed = "input: 'seed' ";
constexpr const char* kState = "input: 'state' input: 'state:1' input: 'alg' ";
const double kNone = std::numeric_limits<double>::infinity();
const double kUniform = std::sqrt(1 / 12.0);
constexpr double kTruncated = 0.8796;  // of a normal distribution cut off at two standard deviations

const std::vector<Distribution> kDistributions = {
    {"RandomUniform", "", kFloat, 0.5, kUniform, 0, 1},
    {"RandomStandardNormal", "", kFloat, 0, 1, -kNone, kNone},
    {"TruncatedNormal", "", kFloat, 0, kTruncated, -2, 2},
    {"RandomUniformInt", "input: 'low' input: 'high'", "", 4.5, std::sqrt(1.25), 3, 6},
    {"StatelessRandomUniform", kSeed, kFloat, 0.5, kUniform, 0, 1},
    {"StatelessRandomNormal", kSeed, kFloat, 0, 1, -kNone, kNone},
    {"StatelessTruncatedNormal", kSeed, kFloat, 0, kTruncated, -2, 2},
    {"StatelessRandomUniformInt", "input: 'seed' input: 'low' input: 'high'", kInt, 4.5, std::sqrt(1.25), 3, 6},
    {"StatelessRandomUniformV2", kState, kFloat, 0.5, kUniform, 0, 1},
    {"StatelessRandomNormalV2", kState, kFloat, 0, 1, -kNone, kNone},
    {"StatelessTruncatedNormalV2", kState, kFloat, 0, kTruncated, -2, 2},
    {"StatelessRandomUniformIntV2", "input: 'state' input: 'state:1' input: 'alg' input: 'low' input: 'high'", kInt,
     4.5, std::sqrt(1.25), 3, 6},
    {"StatelessRandomUniformFullInt", kSeed, " attr { key: 'dtype' value { type: DT_INT32 } }", 0,
     4294967296.0 * kUniform, -2147483648.0, 2147483647.0},
};

INSTANTIATE_TEST_SUITE_P(TensorFlow, TensorFlowRandom, testing::ValuesIn(kDistributions));

}  // namespace
}  // namespace onward::importer
