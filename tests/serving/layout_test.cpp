#include "serving/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace onward::serving {
namespace {

using ir::Dim;
using ir::Dims;
using ir::Shape;
using ir::Tensor;
using testing::ElementsAre;

const Dim kFree;

Tensor counting(const Dims& dims) {
  std::vector<float> values(static_cast<size_t>(ir::element_count(dims)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  return Tensor::of<float>(dims, values);
}

struct Case {
  Dims given;
  Shape wanted;
  Dims made;
};

class Fit : public testing::TestWithParam<Case> {};

TEST_P(Fit, Reshapes) {
  const Tensor tensor = counting(GetParam().given);
  const auto fitted = fit(tensor, GetParam().wanted);
  ASSERT_TRUE(fitted);
  EXPECT_EQ(fitted->dims(), GetParam().made);
  EXPECT_EQ(fitted->bytes().data(), tensor.bytes().data()) << "nothing is copied";
}

INSTANTIATE_TEST_SUITE_P(Images, Fit,
                         testing::Values(Case{{4, 4}, {kFree, Dim(4), Dim(4), Dim(1)}, {1, 4, 4, 1}},
                                         Case{{4, 4}, {kFree, Dim(1), Dim(4), Dim(4)}, {1, 1, 4, 4}},
                                         Case{{1, 4, 4}, {Dim(1), Dim(4), Dim(4), Dim(1)}, {1, 4, 4, 1}},
                                         Case{{1, 4, 4}, {Dim(1), Dim(1), Dim(4), Dim(4)}, {1, 1, 4, 4}},
                                         Case{{1, 1, 4, 4}, {kFree, Dim(4), Dim(4), Dim(1)}, {1, 4, 4, 1}},
                                         Case{{4, 4, 1}, {Dim(1), Dim(1), Dim(4), Dim(4)}, {1, 1, 4, 4}},
                                         Case{{3}, {kFree, Dim(3)}, {1, 3}}, Case{{2, 3}, {kFree, Dim(3)}, {2, 3}},
                                         Case{{}, {kFree}, {1}}));

TEST(FitChannels, MovesThem) {
  const auto planes = fit(counting({1, 1, 2, 3}), {Dim(1), Dim(3), Dim(1), Dim(2)});
  ASSERT_TRUE(planes);
  EXPECT_THAT(planes->floats(), ElementsAre(0, 3, 1, 4, 2, 5));
  const auto back = fit(*planes, {Dim(1), Dim(1), Dim(2), Dim(3)});
  ASSERT_TRUE(back);
  EXPECT_THAT(back->floats(), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(FitNothing, WhereNoReadingSuits) {
  EXPECT_FALSE(fit(counting({4, 5}), {kFree, Dim(4), Dim(4), Dim(1)}));
  EXPECT_FALSE(fit(counting({4}), {kFree, Dim(3)}));
  EXPECT_FALSE(fit(counting({2, 2, 2, 2, 2}), {kFree, Dim(2)}));
}

}  // namespace
}  // namespace onward::serving
