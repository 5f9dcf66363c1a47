// Converts tests/fixtures/tensorflow and compares with what TensorFlow computed (tests/fixtures/make_tensorflow.py).
#include <gtest/gtest.h>

#include <map>

#include "support/recorded.h"

namespace onward {
namespace {

const std::filesystem::path kModels = std::filesystem::path(ONWARD_SOURCE_DIR) / "tests/fixtures/tensorflow";

std::map<std::string, int> operators(const std::string& name) {
  const ir::Model model = convert::import_file(kModels / name, {});
  std::map<std::string, int> counts;
  for (const ir::Node& node : model.graph->nodes()) ++counts[node.op_type];
  return counts;
}

TEST(TensorFlowModel, GivesWhatTensorFlowGave) {
  for (const std::string name : {"recurrent", "masked_recurrent"}) {
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

}  // namespace
}  // namespace onward
