// Every mode on small nets: what runs, how exact it is, and what is refused.
#include <gtest/gtest.h>

#include "base/error.h"
#include "graphs.h"
#include "quantize/marks.h"

namespace onward::quantize {
namespace {

size_t count(const ir::Model& model, std::string_view type) {
  size_t found = 0;
  for (const ir::Node& node : model.graph->nodes()) found += node.op_type == type ? 1 : 0;
  return found;
}

Result quantized(ir::Model model, const ir::Dims& dims, Options options) {
  options.runs = 1;
  return quantize(model, options, samples_of(dims, 6), host());
}

const ir::Dims kImage{1, 3, 16, 16};
const ir::Dims kSequence{2, 7, 40};

Options mode(Mode mode) {
  Options options;
  options.mode = mode;
  return options;
}

TEST(Modes, StaticComputesConvolutionsWithIntegers) {
  const Result result = quantized(conv_net(), kImage, mode(Mode::kStatic));
  EXPECT_GT(result.report.fidelity.sqnr, 25);
  EXPECT_EQ(result.model.metadata.at(kQuantizedMark), "static");
  for (const LayerReport& layer : result.report.layers) {
    if (layer.op == "Conv" && layer.weights > 8) {
      EXPECT_EQ(layer.form, "int8") << layer.name;
    }
    if (layer.op == "ConvTranspose") {
      EXPECT_EQ(layer.form, "int8 weights");
      EXPECT_NE(layer.reason.find("no integer ConvTranspose"), std::string::npos);
    }
  }
}

TEST(Modes, StaticWorksWithEveryMethodAndWeightType) {
  for (const Method method : {Method::kMinMax, Method::kPercentile, Method::kEntropy, Method::kMse}) {
    for (const WeightType weights : {WeightType::kInt7, WeightType::kUInt8}) {
      for (const bool correct : {false, true}) {
        Options options = mode(Mode::kStatic);
        options.search = false;
        options.integers = {method, 99.99, weights, correct};
        EXPECT_GT(quantized(conv_net(), kImage, options).report.fidelity.sqnr, 20);
      }
    }
  }
}

TEST(Modes, ProductsInEveryMode) {
  const std::pair<Mode, double> least[] = {
      {Mode::kStatic, 25}, {Mode::kDynamic, 25}, {Mode::kWeights8, 40}, {Mode::kWeights4, 15}, {Mode::kHalf, 55}};
  for (const auto& [one, sqnr] : least) {
    const Result result = quantized(product_net(), kSequence, mode(one));
    EXPECT_GT(result.report.fidelity.sqnr, sqnr) << result.report.mode;
  }
  EXPECT_EQ(count(quantized(product_net(), kSequence, mode(Mode::kDynamic)).model, "MatMulInteger"), 2U);
  EXPECT_EQ(count(quantized(product_net(), kSequence, mode(Mode::kWeights4)).model, "MatMulNBits"), 2U);
}

TEST(Modes, WithoutMeasuringTheModelIsTheSame) {
  for (const Mode one : {Mode::kStatic, Mode::kDynamic, Mode::kWeights8, Mode::kWeights4, Mode::kHalf}) {
    Options options = mode(one);
    options.search = false;
    Result measured = quantized(product_net(), kSequence, options);
    options.measure = false;
    Result made = quantized(product_net(), kSequence, options);
    const exporter::WriteOptions write{.opset = 18};
    EXPECT_EQ(exporter::serialize(made.model, write).joined().text(),
              exporter::serialize(measured.model, write).joined().text());
    EXPECT_FALSE(made.report.measured);
    EXPECT_EQ(made.report.checked, 0U);
    EXPECT_EQ(made.report.layers.size(), measured.report.layers.size());
  }
}

TEST(Modes, WithoutMeasuringNothingIsChosenByMeasures) {
  Options automatic = mode(Mode::kAuto);
  Options searching = mode(Mode::kStatic);
  Options limited = mode(Mode::kDynamic);
  limited.max_drop = 0.01;
  for (Options* options : {&automatic, &searching, &limited}) {
    options->measure = false;
    EXPECT_THROW(quantized(product_net(), kSequence, *options), Error);
  }
}

// ONNX Runtime would make a Gemm of MatMul and Add, and compute it with floats.
TEST(Modes, StaticProductsSubtractTheirBias) {
  const Result result = quantized(product_net(), kSequence, mode(Mode::kStatic));
  EXPECT_EQ(count(result.model, "MatMul"), 2U);
  EXPECT_EQ(count(result.model, "Sub"), 2U);
  EXPECT_EQ(count(result.model, "Add"), 1U);

  ir::Model gemm;
  ir::Builder b(*gemm.graph, inference());
  ir::Value* x = gemm.graph->add_input("x", ir::DType::kFloat, ir::Shape{2, 40});
  ir::Value* hidden = b.op("Gemm", {x, b.constant(random_weight({64, 40}, 1)), b.constant(random_tensor({64}, 2))},
                           {{"transB", int64_t{1}}});
  gemm.graph->add_output(b.op("Gemm", {b.Relu(hidden), b.constant(random_weight({64, 8}, 3))}), "y");
  Options plain = mode(Mode::kStatic);
  plain.search = false;
  const Result products = quantized(std::move(gemm), {2, 40}, plain);
  EXPECT_EQ(count(products.model, "Gemm"), 0U);
  EXPECT_EQ(count(products.model, "MatMul"), 2U);
  EXPECT_EQ(count(products.model, "Sub"), 1U);
  EXPECT_GT(products.report.fidelity.sqnr, 25);
}

TEST(Modes, SharedWeightsStayShared) {
  for (const Mode one : {Mode::kStatic, Mode::kDynamic, Mode::kWeights8}) {
    ir::Model model;
    ir::Builder b(*model.graph, inference());
    ir::Value* x = model.graph->add_input("x", ir::DType::kFloat, ir::Shape{2, 7, 40});
    ir::Value* weight = b.constant(random_weight({40, 40}, 1));
    model.graph->add_output(b.MatMul(b.Relu(b.MatMul(x, weight)), weight), "y");
    const Result result = quantized(std::move(model), kSequence, mode(one));
    size_t matrices = 0;
    for (const ir::Value& value : result.model.graph->values()) {
      matrices += value.is_constant() && value.constant()->bytes().size() >= 1600 ? 1 : 0;
    }
    EXPECT_EQ(matrices, 1U) << result.report.mode;
  }
}

TEST(Modes, WeightsOfConvolutionsAreStoredSmall) {
  const Result result = quantized(conv_net(), kImage, mode(Mode::kWeights8));
  EXPECT_GT(result.report.fidelity.sqnr, 38);
  EXPECT_LT(static_cast<double>(result.report.bytes_after), 0.6 * static_cast<double>(result.report.bytes_before));
}

TEST(Modes, HalfKeepsTheInterfaceAndWhatOverflows) {
  ir::Model model;
  ir::Builder b(*model.graph, inference());
  ir::Value* x = model.graph->add_input("x", ir::DType::kFloat, ir::Shape{1, 8});
  ir::Value* large = b.Mul(b.Relu(x), 3e5);
  model.graph->add_output(b.Div(large, 3e5), "y");
  const Result result = quantized(std::move(model), {1, 8}, mode(Mode::kHalf));
  EXPECT_GT(result.report.fidelity.sqnr, 50);
  ASSERT_EQ(result.report.layers.size(), 2U);
  EXPECT_EQ(result.report.layers[0].op, "Mul");
  EXPECT_EQ(result.model.graph->inputs()[0]->dtype, ir::DType::kFloat);
  EXPECT_EQ(result.model.graph->outputs()[0]->dtype, ir::DType::kFloat);
}

TEST(Modes, HalfInterface) {
  Options options = mode(Mode::kHalf);
  options.half_interface = true;
  ir::Model model = product_net();
  Options plain = mode(Mode::kHalf);
  EXPECT_EQ(count(quantized(product_net(), kSequence, plain).model, "Cast"), 2U);
  std::map<std::string, float> none;
  to_half(*model.graph, none, {{}, true});
  EXPECT_EQ(model.graph->inputs()[0]->dtype, ir::DType::kFloat16);
  EXPECT_EQ(model.graph->outputs()[0]->dtype, ir::DType::kFloat16);
}

TEST(Modes, AutoIsWithinTheDropAndNamesWhatItTried) {
  const Result result = quantized(conv_net(), kImage, mode(Mode::kAuto));
  EXPECT_LE(result.report.fidelity.drop(), 0.006);
  ASSERT_GE(result.report.candidates.size(), 3U);
  EXPECT_EQ(result.report.candidates[0].what, "float");
  size_t chosen = 0;
  for (const Candidate& one : result.report.candidates) {
    EXPECT_FALSE(one.verdict.empty());
    chosen += one.verdict == "chosen" ? 1 : 0;
  }
  EXPECT_EQ(chosen, 1U);
}

TEST(Modes, MaxDropTakesLayersOut) {
  Options options = mode(Mode::kStatic);
  options.max_drop = 1e-4;
  const Result result = quantized(conv_net(), kImage, options);
  EXPECT_LE(result.report.fidelity.drop(), 1e-4);
  options.max_drop = 0;
  EXPECT_THROW(quantized(conv_net(), kImage, options), Error);
}

TEST(Modes, ExcludeAndOnly) {
  Options options = mode(Mode::kWeights8);
  options.selection.exclude = {"ConvTranspose"};
  for (const LayerReport& layer : quantized(conv_net(), kImage, options).report.layers) {
    if (layer.op == "ConvTranspose") {
      EXPECT_EQ(layer.reason, "left out by --exclude");
    }
  }
  options.selection.exclude = {"no such layer"};
  EXPECT_THROW(quantized(conv_net(), kImage, options), Error);
}

TEST(Modes, RefusesWhatIsQuantizedOrHasNoWeights) {
  Result first = quantized(conv_net(), kImage, mode(Mode::kWeights8));
  EXPECT_THROW(quantized(std::move(first.model), kImage, mode(Mode::kWeights8)), Error);
  ir::Model empty;
  ir::Builder b(*empty.graph, inference());
  empty.graph->add_output(b.Relu(empty.graph->add_input("x", ir::DType::kFloat, ir::Shape{1, 8})), "y");
  EXPECT_THROW(quantized(std::move(empty), {1, 8}, mode(Mode::kWeights8)), Error);
}

TEST(Modes, StaticWantsSamples) {
  ir::Model model = conv_net();
  EXPECT_THROW(quantize(model, mode(Mode::kStatic), samples_of(kImage, 0), host()), Error);
}

TEST(Patterns, Match) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("down.*.conv1", "down.12.conv1"));
  EXPECT_TRUE(matches_pattern("*conv*", "a.conv.b"));
  EXPECT_FALSE(matches_pattern("down.*.conv1", "down.12.conv2"));
  EXPECT_FALSE(matches_pattern("conv", "conv1"));
}

}  // namespace
}  // namespace onward::quantize
