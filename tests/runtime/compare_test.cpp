#include "runtime/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "runtime/arrays.h"

namespace onward::runtime {
namespace {

using ir::DType;
using ir::Tensor;
using testing::HasSubstr;

std::string difference(const Tensor& got, const Tensor& expected) { return compare("y", got, expected, {}).difference; }

TEST(Compare, AllowsTheTolerance) {
  const auto result =
      compare("y", Tensor::of<float>({2}, {1.0F, 100.0F}), Tensor::of<float>({2}, {1.00005F, 100.009F}), {});
  EXPECT_EQ(result.difference, "");
  EXPECT_EQ(result.values, 2U);
  EXPECT_NEAR(result.largest_error, 0.009, 1e-4);
}

TEST(Compare, NamesTheFirstValueThatDiffers) {
  EXPECT_EQ(difference(Tensor::of<float>({2, 2}, {1, 2, 3, 4.5F}), Tensor::of<float>({2, 2}, {1, 2, 3.5F, 4})),
            "2 of 4 values differ, first at [1,0]: got 3, expected 3.5");
  EXPECT_EQ(difference(Tensor::vector({1, 2}), Tensor::vector({1, 3})),
            "1 of 2 values differ, first at [1]: got 2, expected 3");
  EXPECT_EQ(difference(Tensor::of_strings({1}, {"a"}), Tensor::of_strings({1}, {"b"})),
            "1 of 1 values differ, first at [0]: got a, expected b");
}

TEST(Compare, KnowsSpecialValues) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(difference(Tensor::of<float>({2}, {nan, inf}), Tensor::of<float>({2}, {nan, inf})), "");
  EXPECT_NE(difference(Tensor::scalar(nan), Tensor::scalar(1.0F)), "");
  EXPECT_NE(difference(Tensor::scalar(1.0F), Tensor::scalar(nan)), "");
  EXPECT_NE(difference(Tensor::scalar(inf), Tensor::scalar(-inf)), "");
  EXPECT_NE(difference(Tensor::scalar(1.0F), Tensor::scalar(inf)), "");
}

TEST(Compare, TellsShapesAndTypesApart) {
  EXPECT_EQ(difference(Tensor::of<float>({1, 2}, {1, 2}), Tensor::of<float>({2}, {1, 2})), "shape [1,2], expected [2]");
  EXPECT_EQ(difference(Tensor::scalar(1.0F), Tensor::scalar(1.0)), "dtype float32, expected float64");
}

TEST(Compare, ReadsWhatNpzCannotSay) {
  const Tensor bits = Tensor::of<uint16_t>({1}, {0x3f80});
  EXPECT_EQ(difference(Tensor::filled(DType::kBFloat16, {1}, 1), bits), "");
  const Tensor complex(DType::kComplex64, {1}, Tensor::of<float>({2}, {1, 2}).bytes());
  EXPECT_EQ(difference(Tensor::of<float>({1, 2}, {1, 2}), complex), "");
}

TEST(Matched, ByNameElseByPosition) {
  const std::vector<ValueInfo> wanted{{"input image", DType::kFloat, {}}, {"b", DType::kFloat, {}}};
  const Tensor one = Tensor::scalar(1.0F);
  const Tensor two = Tensor::scalar(2.0F);
  EXPECT_EQ(matched(wanted, {{"b", two}, {"input_image", one}}, "input")[0].second.as_double(), 1);
  EXPECT_EQ(matched(wanted, {{"0", one}, {"1", two}}, "input")[1].second.as_double(), 2);
  try {
    matched(wanted, {{"x", one}}, "input");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr(R"(the model has the inputs "input image", "b", the file holds "x")"));
  }
}

TEST(Arrays, ThereAndBack) {
  const Tensor tensor = Tensor::of<float>({1, 2}, {1, 2});
  EXPECT_TRUE(to_tensor(to_array(tensor), "a").same_content(tensor));
  const Tensor text = Tensor::of_strings({2}, {"a", ""});
  EXPECT_TRUE(to_tensor(to_array(text), "a").same_content(text));
  EXPECT_THROW(to_tensor({"qint8", {1}, Bytes::from_string("a"), {}}, "a"), Error);
}

}  // namespace
}  // namespace onward::runtime
