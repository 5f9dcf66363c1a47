#include "serving/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "base/error.h"

namespace onward::serving {
namespace {

using ir::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<const Model> load(const std::string& name, ModelConfig config = {}) {
  const auto path = std::filesystem::path(ONWARD_SOURCE_DIR) / "tests" / "fixtures" / "models" / (name + ".onnx");
  return std::make_shared<const Model>(name, 1, runtime::Session::load(path), std::move(config));
}

// Endless for a test's purposes.
Job slow_job(const std::shared_ptr<const Model>& slow, const std::shared_ptr<Cancellation>& cancellation) {
  return {.model = slow, .inputs = {Tensor::filled(ir::DType::kFloat, {200, 200}, 0.5)}, .cancellation = cancellation};
}

std::future<Outcome> submit(Scheduler& scheduler, Job job) {
  auto promise = std::make_shared<std::promise<Outcome>>();
  auto future = promise->get_future();
  job.done = [promise](Outcome outcome) { promise->set_value(std::move(outcome)); };
  scheduler.submit(std::move(job));
  return future;
}

Tensor row(float value) { return Tensor::of<float>({1, 3}, {value, value, value}); }

TEST(Scheduler, GivesEachRequestItsOwnRows) {
  const auto model = load("linear");
  Scheduler scheduler({.inline_limit = {}});
  std::vector<std::future<Outcome>> pending;
  for (int i = 0; i < 200; ++i) {
    pending.push_back(submit(scheduler, {.model = model, .inputs = {row(static_cast<float>(i))}}));
  }
  for (int i = 0; i < 200; ++i) {
    const Outcome outcome = pending[static_cast<size_t>(i)].get();
    ASSERT_FALSE(outcome.error);
    EXPECT_THAT(outcome.outputs.at(0).floats(), testing::Each(static_cast<float>(2 * i + 1)));
  }
  EXPECT_EQ(model->statistics().totals().inferences, 200U);
  EXPECT_LE(model->statistics().totals().executions, 200U);
  EXPECT_EQ(scheduler.in_flight(), 0U);
}

TEST(Scheduler, KeepsModelsWhoseRowsInfluenceEachOtherApart) {
  const auto model = load("centred");
  EXPECT_FALSE(model->batches());
  EXPECT_TRUE(load("linear")->batches());
  ModelConfig alone;
  alone.max_batch = 1;
  EXPECT_FALSE(load("linear", alone)->batches());
}

TEST(Scheduler, RefusesWrongInputsAtOnce) {
  Scheduler scheduler;
  const auto model = load("linear");
  EXPECT_THAT(scheduler.run({.model = model}).error->message(), HasSubstr("has 1 inputs, 0 were given"));
  const Outcome wrong = scheduler.run({.model = model, .inputs = {Tensor::vector({1})}});
  EXPECT_EQ(wrong.error->code(), Code::kInvalidArgument);
}

TEST(Scheduler, CancelsWaitingAndRunningWork) {
  const auto slow = load("slow");
  Scheduler scheduler({.executors = 1});
  const auto running = std::make_shared<Cancellation>();
  const auto waiting = std::make_shared<Cancellation>();
  auto first = submit(scheduler, slow_job(slow, running));
  auto second = submit(scheduler, slow_job(slow, waiting));
  waiting->cancel();
  EXPECT_EQ(second.get().error->code(), Code::kCancelled);
  running->cancel();
  EXPECT_EQ(first.get().error->code(), Code::kCancelled);
}

TEST(Scheduler, EndsAtTheDeadline) {
  const auto slow = load("slow");
  Scheduler scheduler;
  Job job = slow_job(slow, nullptr);
  job.deadline = Clock::now() + std::chrono::milliseconds(50);
  EXPECT_EQ(scheduler.run(std::move(job)).error->code(), Code::kDeadlineExceeded);
  Job late = slow_job(slow, nullptr);
  late.deadline = Clock::now() - std::chrono::milliseconds(1);
  EXPECT_EQ(scheduler.run(std::move(late)).error->code(), Code::kDeadlineExceeded);
}

TEST(Scheduler, RefusesWhatItsQueueCannotHold) {
  ModelConfig config;
  config.max_queue = 1;
  const auto slow = load("slow", config);
  Scheduler scheduler({.executors = 1});
  const auto cancellation = std::make_shared<Cancellation>();
  std::vector<std::future<Outcome>> pending;
  for (int i = 0; i < 4; ++i) pending.push_back(submit(scheduler, slow_job(slow, cancellation)));
  cancellation->cancel();
  int refused = 0;
  for (auto& each : pending) refused += each.get().error->code() == Code::kResourceExhausted ? 1 : 0;
  EXPECT_GE(refused, 2);
  EXPECT_EQ(static_cast<int>(slow->statistics().totals().rejected), refused);
}

TEST(Scheduler, ASlowModelDoesNotStarveAFastOne) {
  const auto slow = load("slow");
  const auto fast = load("linear");
  Scheduler scheduler({.executors = 2, .inline_limit = {}});
  slow->note_cost(std::chrono::seconds(1), 1);
  submit(scheduler, {.model = fast, .inputs = {row(1)}}).get();
  const auto cancellation = std::make_shared<Cancellation>();
  std::vector<std::future<Outcome>> pending;
  for (int i = 0; i < 8; ++i) pending.push_back(submit(scheduler, slow_job(slow, cancellation)));
  EXPECT_FALSE(submit(scheduler, {.model = fast, .inputs = {row(2)}}).get().error) << "while slow runs go on";
  cancellation->cancel();
  for (auto& each : pending) EXPECT_TRUE(each.get().error);
}

TEST(Scheduler, StoppingAnswersEveryJob) {
  const auto slow = load("slow");
  const auto cancellation = std::make_shared<Cancellation>();
  std::future<Outcome> running;
  std::future<Outcome> waiting;
  {
    Scheduler scheduler({.executors = 1});
    running = submit(scheduler, slow_job(slow, cancellation));
    waiting = submit(scheduler, slow_job(slow, cancellation));
    std::thread([cancellation] { cancellation->cancel(); }).detach();
  }
  EXPECT_TRUE(running.get().error);
  EXPECT_TRUE(waiting.get().error);
}

}  // namespace
}  // namespace onward::serving
