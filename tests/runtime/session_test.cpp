#include "runtime/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/mapped_file.h"

namespace onward::runtime {
namespace {

using ir::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

std::filesystem::path model(const std::string& name) {
  return std::filesystem::path(ONWARD_SOURCE_DIR) / "tests" / "fixtures" / "models" / (name + ".onnx");
}

template <class Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::kOk, "no error");
}

TEST(Session, DescribesInputsAndOutputs) {
  const Session session = Session::load(model("linear"));
  ASSERT_EQ(session.inputs().size(), 1U);
  EXPECT_EQ(session.inputs()[0].name, "x");
  EXPECT_EQ(session.inputs()[0].dtype, ir::DType::kFloat);
  EXPECT_EQ(ir::shape_text(session.inputs()[0].shape), "[batch,3]");
  EXPECT_EQ(session.outputs()[0].name, "y");
}

TEST(Session, RunsByNameAndByPosition) {
  const Session session = Session::load(model("pair"));
  const Tensor a = Tensor::vector({1, 2});
  const Tensor b = Tensor::vector({1, 5});
  const auto named = session.run({{"b", b}, {"a", a}}, {"same", "total"});
  ASSERT_EQ(named.size(), 2U);
  EXPECT_EQ(named[0].first, "same");
  EXPECT_THAT(named[0].second.ints(), ElementsAre(1, 0));
  EXPECT_THAT(named[1].second.ints(), ElementsAre(2, 7));
  const std::vector<Tensor> inputs{a, b};
  EXPECT_THAT(session.run(inputs).at(0).ints(), ElementsAre(2, 7));
}

TEST(Session, RunsAlikeWhetherPreparedOrNot) {
  const Session session = Session::load(model("linear"));
  for (int round = 0; round < 5; ++round) {
    for (const int64_t rows : {1, 1, 2, 1}) {
      const auto value = static_cast<float>(round);
      const std::vector<Tensor> inputs{Tensor::filled(ir::DType::kFloat, {rows, 3}, value)};
      const Tensor result = session.run(inputs).at(0);
      EXPECT_THAT(result.dims(), ElementsAre(rows, 3));
      EXPECT_THAT(result.floats(), testing::Each(2 * value + 1));
    }
  }
}

TEST(Session, PreparedRunsServeSeveralThreads) {
  const Session session = Session::load(model("linear"));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 500; ++j) {
        const auto value = static_cast<float>(i * 1000 + j);
        const std::vector<Tensor> inputs{Tensor::of<float>({1, 3}, {value, value, value})};
        for (const float got : session.run(inputs).at(0).floats()) wrong += got == 2 * value + 1 ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Session, PreparedRunsRefuseWhatOthersRefuse) {
  const Session session = Session::load(model("linear"));
  const std::vector<Tensor> good{Tensor::of<float>({1, 3}, {1, 2, 3})};
  for (int i = 0; i < 3; ++i) session.run(good);
  const std::vector<Tensor> wide{Tensor::of<float>({1, 4}, {1, 2, 3, 4})};
  const std::vector<Tensor> typed{Tensor::of<double>({1, 3}, {1, 2, 3})};
  EXPECT_EQ(error_of([&] { session.run(wide); }).code(), Code::kInvalidArgument);
  EXPECT_EQ(error_of([&] { session.run(typed); }).code(), Code::kInvalidArgument);
  RunControl stopped;
  stopped.terminate();
  EXPECT_EQ(error_of([&] { session.run(good, {}, &stopped); }).code(), Code::kCancelled);
}

TEST(Session, LoadsFromBytesThatMayGo) {
  Session session = Session::from_bytes(Bytes::copy_of(map_file(model("linear")).view()), "linear");
  const std::vector<Tensor> inputs{Tensor::of<float>({1, 3}, {1, 2, 3})};
  EXPECT_THAT(session.run(inputs).at(0).floats(), ElementsAre(3, 5, 7));
}

TEST(Session, ReadsUnalignedInputs) {
  const Session session = Session::load(model("linear"));
  std::vector<std::byte> bytes(13);
  const std::vector<float> values{1, 2, 3};
  std::memcpy(bytes.data() + 1, values.data(), 12);
  const std::vector<Tensor> inputs{
      Tensor(ir::DType::kFloat, {1, 3}, Bytes::from_vector(std::move(bytes)).slice(1, 12))};
  EXPECT_THAT(session.run(inputs).at(0).floats(), ElementsAre(3, 5, 7));
}

TEST(Session, PassesStringsAndScalarsAndEmptyTensors) {
  const Session text = Session::load(model("text"));
  const std::vector<Tensor> words{Tensor::of_strings({2}, {"grün", std::string("a\0b", 3)})};
  EXPECT_THAT(text.run(words).at(0).strings(), ElementsAre("grün", std::string("a\0b", 3)));
  const Session scalar = Session::load(model("scalar"));
  const std::vector<Tensor> numbers{Tensor::of<float>({2}, {1, 2})};
  EXPECT_EQ(scalar.run(numbers).at(0).rank(), 0U);
  const Session linear = Session::load(model("linear"));
  const std::vector<Tensor> none{Tensor::of<float>({0, 3}, {})};
  EXPECT_THAT(linear.run(none).at(0).dims(), ElementsAre(0, 3));
}

TEST(Session, RefusesWrongInputsWithWhatIsWantedAndWhatCame) {
  const Session session = Session::load(model("linear"));
  const auto run = [&](Tensor tensor) {
    const std::vector<Tensor> inputs{std::move(tensor)};
    return error_of([&] { session.run(inputs); });
  };
  const Error shape = run(Tensor::of<float>({1, 4}, {1, 2, 3, 4}));
  EXPECT_EQ(shape.code(), Code::kInvalidArgument);
  EXPECT_EQ(shape.message(), "input \"x\" must be float32 [batch,3], got float32 [1,4]: dimension 1 is 4 instead of 3");
  EXPECT_THAT(run(Tensor::of<float>({3}, {1, 2, 3})).message(), HasSubstr("1 dimensions instead of 2"));
  EXPECT_THAT(run(Tensor::of<int64_t>({1, 3}, {1, 2, 3})).message(), HasSubstr("got int64 [1,3]"));
  const auto named = [&](const std::vector<NamedTensor>& inputs) { return error_of([&] { session.run(inputs); }); };
  EXPECT_EQ(named({}).message(), "input \"x\" is missing");
  EXPECT_EQ(named({{"z", Tensor::scalar(1.0F)}}).message(), "the model has no input \"z\"; it has \"x\"");
}

TEST(Session, ExplainsFilesThatAreNoModels) {
  EXPECT_EQ(error_of([] { Session::load("no/such.onnx"); }).code(), Code::kNotFound);
  const auto path = std::filesystem::path(testing::TempDir()) / "not_a_model.onnx";
  std::ofstream(path) << "hello";
  const Error error = error_of([&] { Session::load(path); });
  EXPECT_EQ(error.code(), Code::kDataLoss);
  EXPECT_THAT(error.message(), HasSubstr("not a valid ONNX file"));
}

TEST(Session, StopsARunFromAnotherThread) {
  const Session session = Session::load(model("slow"));
  const std::vector<Tensor> inputs{Tensor::filled(ir::DType::kFloat, {128, 128}, 0.5)};
  RunControl control;
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    control.terminate();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(error_of([&] { session.run(inputs, {}, &control); }).code(), Code::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
  stopper.join();
}

}  // namespace
}  // namespace onward::runtime
