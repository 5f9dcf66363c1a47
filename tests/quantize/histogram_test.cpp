#include "quantize/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace onward::quantize {
namespace {

std::vector<float> normal(size_t count, float scale, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(0, scale);
  std::vector<float> values(count);
  for (float& value : values) value = distribution(random);
  return values;
}

constexpr Method kAll[] = {Method::kMinMax, Method::kPercentile, Method::kEntropy, Method::kMse};

TEST(Histogram, RangesHoldZeroAndLieWithinWhatWasSeen) {
  for (const float scale : {1e-6F, 0.1F, 1.0F, 3e5F}) {
    Histogram histogram;
    EXPECT_TRUE(histogram.add(normal(5000, scale, 1)));
    for (const Method method : kAll) {
      const Range range = histogram.range(method);
      EXPECT_LE(range.low, 0);
      EXPECT_GE(range.high, 0);
      EXPECT_GE(range.low, histogram.min());
      EXPECT_LE(range.high, histogram.max());
      EXPECT_GT(range.high - range.low, scale) << static_cast<int>(method);
    }
  }
}

TEST(Histogram, OrderOfSamplesDoesNotMatter) {
  const std::vector<float> small = normal(1000, 0.01F, 1);
  const std::vector<float> large = normal(1000, 50, 2);
  const std::vector<float> zeros(100, 0.0F);
  Histogram one;
  for (const auto* values : {&zeros, &small, &large}) EXPECT_TRUE(one.add(*values));
  Histogram other;
  for (const auto* values : {&large, &zeros, &small}) EXPECT_TRUE(other.add(*values));
  for (const Method method : kAll) {
    EXPECT_EQ(one.range(method).low, other.range(method).low);
    EXPECT_EQ(one.range(method).high, other.range(method).high);
  }
}

TEST(Histogram, OutliersAreClippedButForMinMax) {
  std::vector<float> values = normal(100000, 1, 3);
  values[7] = 1000;
  Histogram histogram;
  EXPECT_TRUE(histogram.add(values));
  EXPECT_EQ(histogram.range(Method::kMinMax).high, 1000);
  EXPECT_LT(histogram.range(Method::kPercentile, 99.9).high, 10);
  EXPECT_LT(histogram.range(Method::kEntropy).high, 1000);
}

TEST(Histogram, PercentileKeepsTheShare) {
  const std::vector<float> values = normal(100000, 1, 4);
  Histogram histogram;
  EXPECT_TRUE(histogram.add(values));
  const Range range = histogram.range(Method::kPercentile, 99);
  const auto outside =
      std::count_if(values.begin(), values.end(), [&](float value) { return value < range.low || value > range.high; });
  EXPECT_NEAR(static_cast<double>(outside), 1000, 150);
}

TEST(Histogram, OnlyZerosAndNothing) {
  Histogram histogram;
  EXPECT_EQ(histogram.range(Method::kMse).high, 0);
  EXPECT_TRUE(histogram.add(std::vector<float>(10, 0.0F)));
  EXPECT_EQ(histogram.count(), 10U);
  for (const Method method : kAll) EXPECT_EQ(histogram.range(method).high, 0);
}

TEST(Histogram, RefusesWhatIsNotFinite) {
  Histogram histogram;
  ASSERT_TRUE(histogram.add(std::vector<float>{1, 2}));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (size_t at = 0; at < 11; ++at) {
      std::vector<float> values(11, 5.0F);
      values[at] = at % 2 == 0 ? bad : -bad;
      EXPECT_FALSE(histogram.add(values)) << at;
    }
  }
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.max(), 2);
}

TEST(Histogram, EndsAloneGiveMinMax) {
  Histogram ends(false);
  ASSERT_TRUE(ends.add(normal(1000, 3, 1)));
  for (const Method method : kAll) {
    EXPECT_EQ(ends.range(method).low, ends.min());
    EXPECT_EQ(ends.range(method).high, ends.max());
  }
}

TEST(ChannelMoments, MeansPerChannel) {
  ChannelMoments moments;
  // Two samples, three channels, two elements each.
  moments.add(std::vector<float>{1, 3, 0, 0, -1, -1, 3, 5, 0, 0, -3, -3}, 3, 2);
  EXPECT_EQ(moments.means(), (std::vector<double>{3, 0, -2}));
  EXPECT_EQ(moments.squares(), (std::vector<double>{11, 0, 5}));
}

}  // namespace
}  // namespace onward::quantize
