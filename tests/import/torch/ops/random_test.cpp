// Random operators: the numbers drawn have the distribution's mean, deviation and bounds, and change from run to run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "export/onnx_writer.h"
#include "import/torch/op_table.h"
#include "passes/pipeline.h"
#include "runtime/session.h"
#include "schema/schema_inference.h"

namespace onward::importer::torch {
namespace {

constexpr int64_t kCount = 20000;

runtime::Session session_of(ir::Model& model) {
  const exporter::Serialized file = exporter::serialize(model, {});
  std::string bytes;
  for (const Bytes& part : file.parts) bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
  return runtime::Session::from_bytes(Bytes::from_string(std::move(bytes)), "random");
}

struct Distribution {
  const char* op;
  const char* overload;
  std::vector<Arg> positional;  // after self
  double self;                  // every element of self
  ir::DType dtype;
  double mean;
  double deviation;
  double low;
  double high;
};

void PrintTo(const Distribution& one, std::ostream* out) { *out << one.op << "." << one.overload; }

class Random : public testing::TestWithParam<Distribution> {};

TEST_P(Random, HasTheDistribution) {
  const Distribution& wanted = GetParam();
  schema::SchemaInference inference;
  ir::Model model;
  ir::Builder builder(*model.graph, inference);
  ir::Value* self = model.graph->add_input("self", ir::DType::kFloat, ir::Shape{ir::Dim("n")});
  Arguments arguments{{TensorArg{self}}, {}};
  arguments.positional.insert(arguments.positional.end(), wanted.positional.begin(), wanted.positional.end());
  const OpTable::Entry* entry = op_table().resolve(wanted.op, arguments, wanted.overload);
  ASSERT_NE(entry, nullptr);
  model.graph->add_output(OpTable::call(*entry, builder, arguments).front(), "y");
  passes::optimize(*model.graph, inference);
  const runtime::Session session = session_of(model);
  const std::vector<double> fill(kCount, wanted.self);
  const std::vector<ir::Tensor> feeds = {ir::Tensor::from_doubles(ir::DType::kFloat, {kCount}, fill)};
  const ir::Tensor first = session.run(feeds).at(0);
  EXPECT_EQ(ir::dtype_name(first.dtype()), ir::dtype_name(wanted.dtype));
  ASSERT_EQ(first.count(), static_cast<size_t>(kCount));

  const std::vector<double> values = first.doubles();
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kCount;
  const double deviation = std::sqrt(squares / kCount - mean * mean);
  // Six standard errors: by chance once in 500 million runs.
  EXPECT_NEAR(mean, wanted.mean, 6 * wanted.deviation / std::sqrt(kCount));
  EXPECT_NEAR(deviation, wanted.deviation, 0.15 * wanted.deviation);
  EXPECT_GE(*std::min_element(values.begin(), values.end()), wanted.low);
  EXPECT_LE(*std::max_element(values.begin(), values.end()), wanted.high);
  EXPECT_NE(session.run(feeds).at(0).doubles(), values) << "a second run draws the same";
}

const double kNone = std::numeric_limits<double>::infinity();
const std::vector<Distribution> kDistributions = {
    {"aten::rand_like", "", {}, 0, ir::DType::kFloat, 0.5, std::sqrt(1 / 12.0), 0, 1},
    {"aten::randn_like", "", {}, 0, ir::DType::kFloat, 0, 1, -kNone, kNone},
    {"aten::randint_like", "low_dtype", {int64_t{3}, int64_t{7}}, 0, ir::DType::kFloat, 4.5, std::sqrt(1.25), 3, 6},
    {"aten::normal", "Tensor_float", {2.0}, 10, ir::DType::kFloat, 10, 2, -kNone, kNone},
    {"aten::normal_", "", {5.0, 0.1}, 0, ir::DType::kFloat, 5, 0.1, -kNone, kNone},
    {"aten::uniform", "", {2.0, 4.0}, 0, ir::DType::kFloat, 3, 2 * std::sqrt(1 / 12.0), 2, 4},
    {"aten::bernoulli", "", {}, 0.25, ir::DType::kFloat, 0.25, std::sqrt(0.1875), 0, 1},
    {"aten::bernoulli_", "float", {0.75}, 0, ir::DType::kFloat, 0.75, std::sqrt(0.1875), 0, 1},
    {"aten::exponential", "", {2.0}, 0, ir::DType::kFloat, 0.5, 0.5, 0, kNone},
    {"aten::geometric", "", {0.5}, 0, ir::DType::kFloat, 2, std::sqrt(2.0), 1, kNone},
    {"aten::random", "to", {int64_t{4}}, 0, ir::DType::kFloat, 1.5, std::sqrt(1.25), 0, 3},
    // Weights all alike: without replacement each class comes once.
    {"aten::multinomial",
     "",
     {kCount},
     1,
     ir::DType::kInt64,
     (kCount - 1) / 2.0,
     kCount / std::sqrt(12.0),
     0,
     kCount - 1.0},
};

TEST(RandomClasses, AreAsOftenAsTheirWeightsSay) {
  schema::SchemaInference inference;
  ir::Model model;
  ir::Builder builder(*model.graph, inference);
  ir::Value* weights = model.graph->add_input("weights", ir::DType::kFloat, ir::Shape{2, 4});
  const Arguments arguments{{TensorArg{weights}, kCount, true}, {}};
  const OpTable::Entry* entry = op_table().resolve("aten::multinomial", arguments, "");
  ASSERT_NE(entry, nullptr);
  model.graph->add_output(OpTable::call(*entry, builder, arguments).front(), "y");
  const runtime::Session session = session_of(model);
  const std::vector<double> rows = {0, 1, 3, 0, 2, 2, 0, 4};
  const std::vector<ir::Tensor> feeds = {ir::Tensor::from_doubles(ir::DType::kFloat, {2, 4}, rows)};
  const ir::Tensor got = session.run(feeds).at(0);
  ASSERT_EQ(got.dims(), (ir::Dims{2, kCount}));
  const std::vector<double> shares = {0, 0.25, 0.75, 0, 0.25, 0.25, 0, 0.5};
  std::vector<double> found(shares.size());
  const std::vector<double> classes = got.doubles();
  for (size_t i = 0; i < classes.size(); ++i) {
    found.at((i < kCount ? 0 : 4) + static_cast<size_t>(classes[i])) += 1.0 / kCount;
  }
  for (size_t i = 0; i < shares.size(); ++i) {
    EXPECT_NEAR(found[i], shares[i], 6 * std::sqrt(shares[i] * (1 - shares[i]) / kCount)) << "weight " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Torch, Random, testing::ValuesIn(kDistributions));

}  // namespace
}  // namespace onward::importer::torch
