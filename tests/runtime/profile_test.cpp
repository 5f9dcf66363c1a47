#include "runtime/profile.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace onward::runtime {
namespace {

TEST(Profile, GathersRunsByNode) {
  const auto times = read_profile(R"([
    {"cat": "Session", "name": "model_run", "dur": 900},
    {"cat": "Node", "name": "conv_fence_before", "dur": 1},
    {"cat": "Node", "name": "conv_kernel_time", "dur": 250, "args": {"op_name": "Conv"}},
    {"cat": "Node", "name": "conv_kernel_time", "dur": 125, "args": {"op_name": "Conv"}},
    {"cat": "Node", "name": "a_token_x_kernel_time", "dur": 2},
    {"cat": "Node", "name": "head_token_12_kernel_time", "dur": 4}])");
  ASSERT_EQ(times.size(), 3U);
  EXPECT_EQ(times.at("conv"), (std::vector<double>{0.25, 0.125}));
  EXPECT_EQ(times.at("a_token_x"), (std::vector<double>{0.002}));
  EXPECT_EQ(times.at("head"), (std::vector<double>{0.004}));
}

TEST(Profile, RefusesAnotherText) { EXPECT_THROW(read_profile("{"), Error); }

}  // namespace
}  // namespace onward::runtime
