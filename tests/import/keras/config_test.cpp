#include "import/keras/config.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "import/keras/weights.h"

namespace onward::importer::keras {
namespace {

TEST(Names, AreSnakeCaseAsKerasWritesThem) {
  EXPECT_EQ(snake_case("Conv2DTranspose"), "conv2d_transpose");
  EXPECT_EQ(snake_case("StackedRNNCells"), "stacked_rnn_cells");
  EXPECT_EQ(snake_case("ReLU"), "re_lu");
  EXPECT_EQ(snake_case("LSTMCell"), "lstm_cell");
  NameCounter names;
  EXPECT_EQ(names.next("Dense"), "dense");
  EXPECT_EQ(names.next("Dense"), "dense_1");
}

TEST(Config, SortsDictsLikeKeras) {
  const Json tensors =
      Json::parse(R"({"b": {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}},
                                       "a": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["y", 1, 2]}}]})");
  std::vector<std::string> order;
  for_each_tensor(tensors, [&](const TensorRef& ref) { order.push_back(ref.layer); });
  EXPECT_EQ(order, (std::vector<std::string>{"y", "x"}));
}

TEST(Config, TellsOperatorsFromLayersWithoutModules) {
  EXPECT_TRUE(is_operation(read_layer(Json::parse(R"({"class_name": "Add", "config": {"name": "add"}})"))));
  EXPECT_FALSE(
      is_operation(read_layer(Json::parse(R"({"class_name": "Add", "config": {"name": "add", "trainable": true}})"))));
}

TEST(Config, RefusesASubclassedModelByName) {
  try {
    read_model(Json::parse(R"({"class_name": "MyModel", "config": {"units": 3}})"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnimplemented);
    EXPECT_NE(error.message().find("MyModel"), std::string::npos);
  }
}

TEST(Config, ReadsKeras2CallsWithArgumentsAsTensors) {
  const Model model = read_model(Json::parse(R"({"class_name": "Functional", "config": {"name": "m", "layers": [
      {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_input_shape": [null, 2]}, "inbound_nodes": []},
      {"class_name": "TFOpLambda", "name": "t", "config": {"name": "t", "function": "math.add"},
       "inbound_nodes": [["x", 0, 0, {"y": ["x", 0, 0], "name": null}]]}],
      "input_layers": [["x", 0, 0]], "output_layers": [["t", 0, 0]]}})"));
  const Call& call = model.layers.at(1).calls.at(0);
  EXPECT_TRUE(is_tensor(call.args.at(size_t{0})));
  EXPECT_TRUE(is_tensor(call.kwargs.at("y")));
}

}  // namespace
}  // namespace onward::importer::keras
