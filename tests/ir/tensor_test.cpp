#include "ir/tensor.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace onward::ir {
namespace {

TEST(Tensor, EveryHalfSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = half_to_float(static_cast<uint16_t>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(float_to_half(value), bits) << value;
  }
  EXPECT_EQ(float_to_half(65520.0F), 0x7c00);
  EXPECT_EQ(float_to_half(65519.0F), 0x7bff);
  EXPECT_EQ(float_to_half(1.0F + 1.0F / 2048), 0x3c00);  // ties go to even
}

TEST(Tensor, ConvertsBetweenNumbers) {
  const Tensor tensor = Tensor::from_doubles(DType::kInt8, {3}, {1.9, -2.9, 300});
  EXPECT_EQ(tensor.ints(), (std::vector<int64_t>{1, -2, 44}));
  EXPECT_EQ(Tensor::from_ints(DType::kBool, {2}, {0, 7}).ints(), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(Tensor::from_doubles(DType::kBFloat16, {1}, {1.0}).doubles(), std::vector<double>{1.0});
}

TEST(Tensor, RefusesBytesThatDoNotFit) {
  EXPECT_THROW(Tensor(DType::kFloat, {3}, Bytes::from_string("12345678")), Error);
  EXPECT_THROW(Tensor(DType::kFloat, {-1}, Bytes()), Error);
  EXPECT_THROW(Tensor(DType::kFloat, {INT64_MAX, INT64_MAX}, Bytes()), Error);
  EXPECT_EQ(Tensor(DType::kFloat, {2}, Bytes::from_string("12345678")).count(), 2U);
}

}  // namespace
}  // namespace onward::ir
