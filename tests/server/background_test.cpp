#include "server/background.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace onward::server {
namespace {

class Backgrounds : public testing::TestWithParam<Background::Pace> {};

TEST_P(Backgrounds, RunTasksOneAfterAnother) {
  std::vector<int> order;  // unguarded: that is what is tested
  std::promise<void> last;
  {
    Background background(GetParam(), std::chrono::milliseconds(0));
    for (int i = 0; i < 100; ++i) {
      background.post([&, i] {
        order.push_back(i);
        if (i == 99) last.set_value();
      });
    }
    last.get_future().wait();
  }
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

INSTANTIATE_TEST_SUITE_P(All, Backgrounds, testing::Values(Background::Pace::kLeisurely, Background::Pace::kWaitedFor));

int policy_of_task(Background::Pace pace) {
  std::promise<int> policy;
  Background background(pace, std::chrono::hours(1));
  background.post([&] { policy.set_value(sched_getscheduler(0)); });
  return policy.get_future().get();
}

TEST(Background, RunsInLeisureAtALowPriority) {
  EXPECT_THAT(policy_of_task(Background::Pace::kLeisurely), testing::AnyOf(SCHED_IDLE, SCHED_BATCH));
  EXPECT_EQ(policy_of_task(Background::Pace::kWaitedFor), SCHED_OTHER);
}

// Keeps every CPU busy.
class Saturation {
 public:
  Saturation() {
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
      busy_.emplace_back([this] {
        while (!stop_.load(std::memory_order_relaxed)) {
        }
      });
    }
  }
  ~Saturation() {
    stop_ = true;
    for (std::thread& thread : busy_) thread.join();
  }
  Saturation(const Saturation&) = delete;
  Saturation& operator=(const Saturation&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> busy_;
};

TEST(Background, BeginsWhereTheProcessorsAreNeverIdle) {
  const Saturation saturation;
  std::promise<void> done;
  Background background(Background::Pace::kLeisurely, std::chrono::milliseconds(1));
  background.post([&done] { done.set_value(); });
  EXPECT_EQ(done.get_future().wait_for(std::chrono::minutes(1)), std::future_status::ready);
}

// A task that was begun in an idle moment, and a thread that it started, don't stay behind when the machine fills up.
TEST(Background, DoesNotLeaveATaskAtIdlePriority) {
  const Saturation saturation;
  std::promise<void> done;
  Background background(Background::Pace::kLeisurely, std::chrono::milliseconds(1));
  background.post([&done] {
    const auto until_it_has_a_share = [] {
      while (sched_getscheduler(0) == SCHED_IDLE) {
      }
    };
    std::thread(until_it_has_a_share).join();
    until_it_has_a_share();
    done.set_value();
  });
  EXPECT_EQ(done.get_future().wait_for(std::chrono::minutes(1)), std::future_status::ready);
}

}  // namespace
}  // namespace onward::server
