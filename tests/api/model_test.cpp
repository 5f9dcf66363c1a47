#include "onward/model.h"

#include <gmock/gmock.h>

#include <thread>

#include "files.h"

namespace onward {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Model, TellsItsInputsAndPredicts) {
  const Model model = *Model::load(fixture("linear"));
  ASSERT_EQ(model.inputs().size(), 1);
  EXPECT_EQ(model.inputs()[0].name, "x");
  EXPECT_EQ(model.inputs()[0].dtype, DType::kFloat32);
  EXPECT_EQ(model.inputs()[0].shape[1].size, 3);
  const std::vector<Tensor> inputs{floats({1, 3}, {1, 2, 3})};
  const auto outputs = model.predict(inputs);
  ASSERT_TRUE(outputs.ok()) << outputs.status().text();
  EXPECT_EQ(outputs->front().dims(), (Dims{1, 3}));
  EXPECT_THAT(outputs->front().values<float>(), ElementsAre(3, 5, 7));
}

TEST(Model, AnswersOutliveIt) {
  std::vector<Tensor> answers;
  {
    const Model model = *Model::load(fixture("linear"));
    answers = *model.predict(std::vector<Tensor>{floats({1, 3}, {1, 2, 3})});
  }
  EXPECT_THAT(answers.front().values<float>(), ElementsAre(3, 5, 7));
}

// What is left when the program ends, after everything that it made later has gone.
std::optional<Model> left_model;
std::vector<Tensor> left_answers;

TEST(Model, MayBeLeftToTheEndOfTheProgram) {
  left_model = *Model::load(fixture("linear"));
  left_answers = *left_model->predict(std::vector<Tensor>{floats({1, 3}, {1, 2, 3})});
  EXPECT_THAT(left_answers.front().values<float>(), ElementsAre(3, 5, 7));
}

TEST(Model, PredictsByName) {
  const Model model = *Model::load(fixture("pair"));
  const std::map<std::string, Tensor> inputs{{"b", *Tensor::from<int64_t>({2}, {1, 3})},
                                             {"a", *Tensor::from<int64_t>({2}, {1, 2})}};
  const auto outputs = model.predict(inputs, {"total"});
  ASSERT_TRUE(outputs.ok()) << outputs.status().text();
  EXPECT_EQ(outputs->size(), 1);
  EXPECT_THAT(outputs->at("total").values<int64_t>(), ElementsAre(2, 5));
  EXPECT_THAT(model.predict({{"c", Tensor()}}).status().message(), HasSubstr("no elements"));
  EXPECT_THAT(model.predict({{"a", inputs.at("a")}}).status().message(), HasSubstr("input \"b\" is missing"));
}

TEST(Model, TakesAndGivesStrings) {
  const Model model = *Model::load(fixture("text"));
  const auto outputs = model.predict(std::vector<Tensor>{*Tensor::of_strings({2}, {"ä", ""})});
  ASSERT_TRUE(outputs.ok()) << outputs.status().text();
  EXPECT_THAT(outputs->front().strings(), ElementsAre("ä", ""));
}

TEST(Model, FailuresAreStatuses) {
  const Status missing = Model::load("no/such/file.onnx").status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr("no/such/file.onnx"));
  EXPECT_FALSE(Model::load(written("broken.onnx", "no model")).ok());
  const Model model = *Model::load(fixture("linear"));
  const Status wrong = model.predict(std::vector<Tensor>{floats({1, 2}, {1, 2})}).status();
  EXPECT_EQ(wrong.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(wrong.message(), HasSubstr("dimension 1 is 2 instead of 3"));
}

TEST(Model, RunsInSeveralThreads) {
  const Model model = *Model::load(fixture("linear"));
  std::vector<std::thread> threads;
  std::vector<float> answers(4);
  for (size_t i = 0; i < answers.size(); ++i) {
    threads.emplace_back([&, i] {
      const std::vector<Tensor> inputs{floats({1, 3}, {static_cast<float>(i), 0, 0})};
      for (int round = 0; round < 50; ++round) answers[i] = model.predict(inputs)->front().values<float>()[0];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(answers, ElementsAre(1, 3, 5, 7));
}

TEST(Model, CustomOperatorsComeFromALibrary) {
  const std::vector<Tensor> inputs{floats({1, 2}, {1, 2})};
  ASSERT_TRUE(register_translation(Framework::kTensorFlow, "TimesByLibrary", [](TranslationContext& ctx) {
                const GraphValue x = ctx.input(0);
                return ctx.custom_ops("mylib", "Scale", {x}, {{"", ctx.dtype(x), *ctx.shape(x)}}, {{"by", 3.0}});
              }).ok());
  const auto source = written("m.pbtxt", graphdef("TimesByLibrary"));
  const auto target = scratch("m.onnx");
  ASSERT_TRUE(convert_file(source, target).ok());
  EXPECT_THAT(Model::load(target).status().message(), HasSubstr("Scale"));
  const auto model = Model::load(target, {.custom_ops = {SCALE_OP_LIBRARY}});
  ASSERT_TRUE(model.ok()) << model.status().text();
  EXPECT_THAT(model->predict(inputs)->front().values<float>(), ElementsAre(3, 6));
  // An ONNX file with such a node goes through the converter, too.
  ASSERT_TRUE(convert_file(target, scratch("again.onnx"), {.opset = 20}).ok());
  EXPECT_TRUE(Model::load(scratch("again.onnx"), {.custom_ops = {SCALE_OP_LIBRARY}}).ok());

  const Status missing = Model::load(target, {.custom_ops = {"no/such/lib.so"}}).status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr("no/such/lib.so"));
  const Status no_library = Model::load(target, {.custom_ops = {source}}).status();
  EXPECT_EQ(no_library.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(no_library.message(), HasSubstr("m.pbtxt can't be used as custom operators"));
}

}  // namespace
}  // namespace onward
