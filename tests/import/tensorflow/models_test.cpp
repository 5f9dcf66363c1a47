// Converts tests/fixtures/tensorflow and compares with what TensorFlow computed (tests/fixtures/make_tensorflow.py).
#include <gtest/gtest.h>

#include <map>

#include "support/recorded.h"

namespace onward {
namespace {

const std::filesystem::path kModels = std::filesystem::path(ONWARD_SOURCE_DIR) / "tests/fixtures/tensorflow";

std::map<std::string, int> count(const ir::Model& model) {
  std::map<std::string, int> counts;
  for (const ir::Node& node : model.graph->nodes()) ++counts[node.op_type];
  return counts;
}

std::map<std::string, int> operators(const std::string& name) {
  return count(convert::import_file(kModels / name, {}));
}

std::map<std::string, int> optimized_operators(const std::string& name) {
  ir::Model model = convert::import_file(kModels / name, {});
  convert::optimize(model, {.opset = 20});
  return count(model);
}

TEST(TensorFlowModel, GivesWhatTensorFlowGave) {
  for (const std::string name : {"recurrent", "masked_recurrent", "transformer", "squeezed"}) {
    testing_support::expect_recorded(kModels / name, kModels / (name + ".npz"), 1e-5);
  }
}

// Keras' loops over time steps become the operators that ONNX Runtime has kernels for, masked or not.
TEST(TensorFlowModel, RecognisesRecurrentLayers) {
  std::map<std::string, int> plain = operators("recurrent");
  EXPECT_EQ(plain["LSTM"], 2);
  EXPECT_EQ(plain["GRU"], 1);
  EXPECT_EQ(plain["RNN"], 2);
  EXPECT_EQ(plain["Loop"], 0);
  std::map<std::string, int> masked = operators("masked_recurrent");
  EXPECT_EQ(masked["LSTM"], 2);
  EXPECT_EQ(masked["GRU"], 2);
  EXPECT_EQ(masked["RNN"], 1);
  EXPECT_EQ(masked["Loop"], 0);
}

// What a SavedModel has in small parts becomes the operators that its author meant.
TEST(TensorFlowModel, RecognisesLayersInTheirParts) {
  const std::map<std::string, int> transformer = optimized_operators("transformer");
  EXPECT_EQ(transformer.at("LayerNormalization"), 2);
  EXPECT_EQ(transformer.at("Gelu"), 1);
  EXPECT_EQ(transformer.at("MatMul"), 8) << "four projections, two of attention, two dense layers";
  for (const char* part : {"Einsum", "Shape", "Reciprocal", "ReduceMean"}) EXPECT_FALSE(transformer.contains(part));
  const std::map<std::string, int> squeezed = optimized_operators("squeezed");
  EXPECT_EQ(squeezed.at("HardSwish"), 1);
  EXPECT_EQ(squeezed.at("HardSigmoid"), 1);
  EXPECT_EQ(squeezed.at("BatchNormalization"), 1);
  EXPECT_EQ(squeezed.at("Transpose"), 2) << "one into the images' order, one out of it";
  EXPECT_FALSE(squeezed.contains("Shape"));
}

}  // namespace
}  // namespace onward
