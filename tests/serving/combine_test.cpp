#include "serving/combine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace onward::serving {
namespace {

using ir::Tensor;
using testing::ElementsAre;

std::vector<Tensor> rows(const std::vector<std::vector<float>>& all) {
  std::vector<Tensor> tensors;
  for (const auto& values : all) tensors.push_back(Tensor::of<float>({1, static_cast<int64_t>(values.size())}, values));
  return tensors;
}

TEST(Combine, AveragesElements) {
  const Tensor mean = combine(rows({{1, 2, 3}, {3, 2, 1}, {2, 2, 8}}), Combine::kMean);
  EXPECT_THAT(mean.dims(), ElementsAre(1, 3));
  EXPECT_THAT(mean.floats(), ElementsAre(2, 2, 4));
  const std::vector<Tensor> whole{Tensor::vector({1, 2}), Tensor::vector({2, 2})};
  EXPECT_EQ(combine(whole, Combine::kMean).dtype(), ir::DType::kFloat);
  EXPECT_THAT(combine(whole, Combine::kMean).floats(), ElementsAre(1.5F, 2));
}

TEST(Combine, BringsImagesIntoOneLayout) {
  const std::vector<Tensor> masks{Tensor::of<float>({1, 2, 2, 1}, {0, 1, 0, 1}),
                                  Tensor::of<float>({1, 1, 2, 2}, {0, 1, 1, 0})};
  const Tensor mean = combine(masks, Combine::kMean);
  EXPECT_THAT(mean.dims(), ElementsAre(1, 2, 2, 1));
  EXPECT_THAT(mean.floats(), ElementsAre(0, 1, 0.5F, 0.5F));
}

TEST(Combine, TakesTheClassThatMostModelsPrefer) {
  const Tensor vote = combine(rows({{0, 3, 2}, {0, 3, 2}, {0, 1, 100}}), Combine::kVote);
  EXPECT_THAT(vote.dims(), ElementsAre(1));
  EXPECT_THAT(vote.ints(), ElementsAre(1));
  EXPECT_THAT(combine(rows({{5, 1}, {0, 4}}), Combine::kVote).ints(), ElementsAre(0)) << "a tie: the higher sum";
}

TEST(Combine, VotesOnMasksAndImagesOfClasses) {
  const std::vector<Tensor> masks{Tensor::of<float>({1, 1, 1, 3}, {0.9F, 0.4F, 0.6F}),
                                  Tensor::of<float>({1, 1, 1, 3}, {0.8F, 0.1F, 0.1F}),
                                  Tensor::of<float>({1, 1, 3, 1}, {0.1F, 0.9F, 0.5F})};
  const Tensor binary = combine(masks, Combine::kVote);
  EXPECT_THAT(binary.dims(), ElementsAre(1, 1, 1, 3));
  EXPECT_THAT(binary.ints(), ElementsAre(1, 0, 1));
  const std::vector<Tensor> planes{Tensor::of<float>({1, 2, 1, 3}, {1, 0, 5, 0, 2, 4})};
  const Tensor classes = combine(planes, Combine::kVote);
  EXPECT_THAT(classes.dims(), ElementsAre(1, 1, 3));
  EXPECT_THAT(classes.ints(), ElementsAre(0, 1, 0));
}

TEST(Combine, RefusesWhatDoesNotGoTogether) {
  const std::vector<Tensor> shapes{Tensor::of<float>({3}, {1, 2, 3}), Tensor::of<float>({2}, {1, 2})};
  EXPECT_THROW(combine(shapes, Combine::kMean), Error);
  const std::vector<Tensor> text{Tensor::of_strings({1}, {"a"}), Tensor::of_strings({1}, {"a"})};
  EXPECT_THROW(combine(text, Combine::kVote), Error);
  EXPECT_FALSE(combine_of("median"));
}

}  // namespace
}  // namespace onward::serving
