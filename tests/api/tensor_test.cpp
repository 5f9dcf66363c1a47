#include "onward/tensor.h"

#include <gmock/gmock.h>

#include "files.h"

namespace onward {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Tensor, TakesAVectorOverWithoutCopyingIt) {
  std::vector<int64_t> values{1, 2, 3};
  const void* place = values.data();
  const Tensor tensor = *Tensor::from<int64_t>({3}, std::move(values));
  EXPECT_EQ(tensor.bytes().data(), place);
  EXPECT_EQ(tensor.dtype(), DType::kInt64);
  EXPECT_THAT(tensor.values<int64_t>(), ElementsAre(1, 2, 3));
}

TEST(Tensor, KeepsTheOwnerOfBorrowedBytes) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2});
  const std::weak_ptr<std::vector<float>> watch = owner;
  Tensor tensor = *Tensor::borrow<float>({2}, *owner, owner);
  owner.reset();
  const Tensor copy = tensor;
  tensor = Tensor();
  EXPECT_FALSE(watch.expired());
  EXPECT_THAT(copy.values<float>(), ElementsAre(1, 2));
}

TEST(Tensor, RefusesWhatDoesNotFitItsShape) {
  const Status few = Tensor::from<float>({2, 2}, {1, 2, 3}).status();
  EXPECT_EQ(few.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(few.message(), HasSubstr("float32 tensor of shape [2,2] takes 16 bytes, got 12"));
  EXPECT_EQ(Tensor::from<float>({-1}, {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(Tensor::borrow(DType::kString, {0}, {}).ok());
  EXPECT_THAT(Tensor::of_strings({2}, {"a"}).status().message(), HasSubstr("has 2 elements, got 1"));
}

TEST(Tensor, HoldsBoolsAndStrings) {
  EXPECT_THAT(Tensor::of_bools({2}, {true, false})->values<bool>(), ElementsAre(true, false));
  EXPECT_THAT(Tensor::of_strings({2}, {"a", "ä"})->strings(), ElementsAre("a", "ä"));
}

TEST(TensorDeathTest, ReadingAnotherTypeEndsTheProgram) {
  const Tensor tensor = floats({1}, {1});
  EXPECT_DEATH((void)tensor.values<int64_t>(), "a tensor of float32 was read as int64");
  EXPECT_DEATH((void)*Result<int>(Status(StatusCode::kNotFound, "no such thing")), "no such thing");
}

}  // namespace
}  // namespace onward
