#include "onward/convert.h"

#include <gmock/gmock.h>

#include <thread>

#include "files.h"

namespace onward {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ConvertFile, SaysWhatItMade) {
  const auto source = written("m.pbtxt", graphdef("Relu", "attr { key: 'T' value { type: DT_FLOAT } }"));
  const auto done = convert_file(source, scratch("m.onnx"), {.opset = 15});
  ASSERT_TRUE(done.ok()) << done.status().text();
  EXPECT_EQ(done->opset, 15);
  EXPECT_EQ(done->nodes, 1);
  EXPECT_EQ(done->bytes, std::filesystem::file_size(scratch("m.onnx")));
  EXPECT_EQ(done->inputs.front().name, "x");
  EXPECT_EQ(done->outputs.front().shape.back().size, 2);
  const Model model = *Model::load(scratch("m.onnx"));
  EXPECT_THAT(model.predict(std::vector<Tensor>{floats({1, 2}, {-1, 2})})->front().values<float>(), ElementsAre(0, 2));
}

TEST(ConvertFile, TakesShapesOfInputs) {
  const auto source = written("m.pbtxt", graphdef("Relu"));
  ConvertOptions options;
  options.import.input_shapes["x"] = {{5}, {2}};
  EXPECT_EQ(convert_file(source, scratch("m.onnx"), options)->inputs.front().shape.front().size, 5);
}

TEST(ConvertFile, RefusesWhatMakesNoSense) {
  const auto source = written("m.pbtxt", graphdef("NoSuchOp"));
  const Status blocked = convert_file(source, scratch("m.onnx")).status();
  EXPECT_EQ(blocked.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(blocked.message(), HasSubstr("NoSuchOp"));
  EXPECT_FALSE(std::filesystem::exists(scratch("m.onnx")));
  EXPECT_THAT(convert_file(source, source).status().message(), HasSubstr("would overwrite"));
  EXPECT_EQ(convert_file(fixture("linear"), scratch("m.onnx"), {.opset = 3}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(ConvertToBytes, GivesWhatTheFileHas) {
  const auto bytes = convert_to_bytes(written("m.pbtxt", graphdef("Relu")));
  ASSERT_TRUE(bytes.ok()) << bytes.status().text();
  const auto model = Model::from_bytes(*bytes);
  ASSERT_TRUE(model.ok()) << model.status().text();
  EXPECT_THAT(model->predict(std::vector<Tensor>{floats({1, 2}, {-1, 2})})->front().values<float>(), ElementsAre(0, 2));
}

TEST(ConvertToBytes, WorksInSeveralThreads) {
  const auto source = written("m.pbtxt", graphdef("Relu"));
  const std::vector<std::byte> expected = *convert_to_bytes(source);
  std::vector<std::vector<std::byte>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) result = *convert_to_bytes(source);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, expected);
}

TEST(InspectFile, TellsOperatorsAndWeights) {
  const auto info = inspect_file(fixture("cnn"));
  ASSERT_TRUE(info.ok()) << info.status().text();
  EXPECT_EQ(info->format, "ONNX");
  EXPECT_GT(info->operators.at("Conv"), 0);
  EXPECT_GT(info->weights, 0);
  EXPECT_GT(info->weight_bytes, 0);
  EXPECT_EQ(info->inputs.size(), 1);
}

TEST(QuantizeFile, MeasuresWhatItMade) {
  QuantizeOptions options;
  options.mode = QuantizeMode::kFloat16;
  options.sample_count = 2;
  options.sample = [](size_t index) -> Result<std::vector<Tensor>> {
    const std::vector<float> pixels(16 * 96 * 96, 0.25F * static_cast<float>(index + 1));
    return std::vector<Tensor>{floats({1, 16, 96, 96}, pixels)};
  };
  const auto done = quantize_file(fixture("cnn"), scratch("small.onnx"), options);
  ASSERT_TRUE(done.ok()) << done.status().text();
  EXPECT_LT(done->bytes_after, done->bytes_before);
  EXPECT_GT(done->cosine, 0.99);
  EXPECT_THAT(done->report, HasSubstr("\"layers\""));
  EXPECT_TRUE(Model::load(scratch("small.onnx")).ok());

  options.sample = [](size_t) -> Result<std::vector<Tensor>> { return Status(StatusCode::kNotFound, "no data today"); };
  EXPECT_EQ(quantize_file(fixture("cnn"), scratch("other.onnx"), options).status().message(), "no data today");
  EXPECT_EQ(quantize_file(fixture("cnn"), scratch("other.onnx"), {.mode = QuantizeMode::kStatic}).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace onward
