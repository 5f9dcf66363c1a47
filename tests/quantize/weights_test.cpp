#include "quantize/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quantize/weight_only.h"

namespace onward::quantize {
namespace {

std::vector<float> random_values(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(0, 1);
  std::vector<float> values(count);
  for (float& value : values) value = distribution(random) * std::exp2(static_cast<float>(random() % 8) - 4);
  return values;
}

TEST(Weights, EveryTypeReadsBackNearEveryValue) {
  for (const WeightType type : {WeightType::kInt7, WeightType::kInt8, WeightType::kUInt8}) {
    const IntegerRange range = integer_range(type);
    for (unsigned seed = 0; seed < 20; ++seed) {
      const ir::Dims dims{3, 4, 5};
      for (size_t axis = 0; axis < 3; ++axis) {
        const ir::Tensor weight = ir::Tensor::of(dims, random_values(60, seed));
        const QuantizedWeight quantized = quantize_weight(weight, axis, range);
        ASSERT_EQ(quantized.scales.size(), static_cast<size_t>(dims[axis]));
        const std::vector<float> back = quantized.floats(axis);
        const std::vector<float> exact = weight.floats();
        double error = 0;
        double signal = 0;
        for (size_t i = 0; i < exact.size(); ++i) {
          error += std::pow(static_cast<double>(back[i] - exact[i]), 2);
          signal += std::pow(static_cast<double>(exact[i]), 2);
        }
        EXPECT_LT(error, signal / 1000);
        for (const int64_t integer : quantized.values.ints()) {
          EXPECT_GE(integer, range.low);
          EXPECT_LE(integer, range.high);
        }
      }
    }
  }
}

TEST(Weights, SevenBitsNeverOverflowSixteen) {
  const IntegerRange range = integer_range(WeightType::kInt7);
  // Two products with the greatest activation, as x86 CPUs without VNNI add them.
  EXPECT_LE(255 * range.high * 2, 32767);
  EXPECT_GE(255 * range.low * 2, -32768);
}

TEST(Weights, ZeroChannelsAndLeastScales) {
  const ir::Tensor weight = ir::Tensor::of({2, 2}, std::vector<float>{0, 0, 1, -1});
  const QuantizedWeight plain = quantize_weight(weight, 0, integer_range(WeightType::kInt8));
  EXPECT_EQ(plain.scales[0], 1);
  EXPECT_EQ(plain.floats(0)[0], 0);
  const std::vector<float> least{0.5F, 0.25F};
  const QuantizedWeight coarse = quantize_weight(weight, 0, integer_range(WeightType::kInt8), least);
  EXPECT_EQ(coarse.scales, least);
  EXPECT_EQ(coarse.floats(0), (std::vector<float>{0, 0, 1, -1}));
}

TEST(Blocks, FittingIsNoWorseThanTheFullRange) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const std::vector<float> values = random_values(32, seed);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const float span = std::max(*high, 0.0F) - std::min(*low, 0.0F);
    const Block block = fit_block(values, 4, {});
    double error = 0;
    for (const float value : values) {
      const int level = to_level(value, block, 4);
      EXPECT_GE(level, 0);
      EXPECT_LE(level, 15);
      error += std::pow(static_cast<double>(value - block.scale * static_cast<float>(level - block.zero)), 2);
    }
    // Rounding to the full range alone can be off by half a step, or a little more where its zero was rounded.
    EXPECT_LE(error, 32 * std::pow(static_cast<double>(span) / 15, 2));
  }
}

TEST(Blocks, ImportantValuesAreMoreExact) {
  std::vector<float> values = random_values(32, 5);
  values[3] = 8;  // an outlier that nothing multiplies much
  std::vector<double> weights(32, 1.0);
  weights[3] = 1e-6;
  const auto error_without_outlier = [&](const Block& block) {
    double error = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      if (i == 3) continue;
      error += std::pow(static_cast<double>(values[i]) -
                            static_cast<double>(block.scale) * (to_level(values[i], block, 4) - block.zero),
                        2);
    }
    return error;
  };
  EXPECT_LE(error_without_outlier(fit_block(values, 4, weights)), error_without_outlier(fit_block(values, 4, {})));
}

}  // namespace
}  // namespace onward::quantize
