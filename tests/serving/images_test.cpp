#include "serving/images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace onward::serving {
namespace {

using ir::DType;
using ir::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

Array grey(const std::string& pixels) { return {"uint8", {1, 2, 1}, Bytes::from_string(pixels), {}}; }
Array colour() { return {"uint8", {1, 2, 3}, Bytes::from_string({"\xff\x00\x33\x00\xff\xcc", 6}), {}}; }

runtime::ValueInfo input(const ir::Shape& shape, DType dtype = DType::kFloat) { return {"x", dtype, shape}; }

TEST(ImageTensor, FindsTheLayout) {
  const ir::Dim n("n");
  EXPECT_THAT(image_tensor(colour(), input({n, 3, 1, 2})).floats(), ElementsAre(1, 0, 0, 1, 0.2F, 0.8F));
  EXPECT_THAT(image_tensor(colour(), input({n, 1, 2, 3})).floats(), ElementsAre(1, 0, 0.2F, 0, 1, 0.8F));
  EXPECT_THAT(image_tensor(colour(), input({1, 2, 3})).floats(), ElementsAre(1, 0, 0.2F, 0, 1, 0.8F));
  for (const ir::Shape& shape :
       {ir::Shape{1, 2}, {n, 1, 2}, {n, 1, 2, 1}, {n, 1, 1, 2}, {1, 2, 1}, {1, ir::Dim(), ir::Dim(), 1}}) {
    const Tensor tensor = image_tensor(grey("\xff\x33"), input(shape));
    EXPECT_EQ(tensor.rank(), shape.size());
    EXPECT_THAT(tensor.floats(), ElementsAre(1, 0.2F));
  }
}

TEST(ImageTensor, ChangesChannels) {
  EXPECT_THAT(image_tensor(grey("\xff\x33"), input({1, 3, 1, 2})).floats(), ElementsAre(1, 0.2F, 1, 0.2F, 1, 0.2F));
  EXPECT_THAT(image_tensor(colour(), input({1, 1, 1, 2}, DType::kUInt8)).ints(),
              ElementsAre(82, 173));  // 0.299 * 255 + 0.114 * 51, 0.587 * 255 + 0.114 * 204
}

TEST(ImageTensor, ChangesTheRange) {
  const auto values = [](DType dtype, PixelRange range) {
    return image_tensor(grey({"\xff\x00", 2}), input({1, 2}, dtype), range).doubles();
  };
  EXPECT_THAT(values(DType::kFloat, PixelRange::kAuto), ElementsAre(1, 0));
  EXPECT_THAT(values(DType::kFloat16, PixelRange::kAuto), ElementsAre(1, 0));
  EXPECT_THAT(values(DType::kUInt8, PixelRange::kAuto), ElementsAre(255, 0));
  EXPECT_THAT(values(DType::kInt64, PixelRange::kAuto), ElementsAre(255, 0));
  EXPECT_THAT(values(DType::kFloat, PixelRange::kRaw), ElementsAre(255, 0));
  EXPECT_THAT(values(DType::kFloat, PixelRange::kSigned), ElementsAre(1, -1));
}

TEST(ImageTensor, ReadsSixteenBits) {
  const Array wide{"uint16", {1, 2, 1}, Bytes::from_string({"\xff\xff\x00\x80", 4}), {}};
  EXPECT_THAT(image_tensor(wide, input({1, 2})).floats(), ElementsAre(1, testing::FloatNear(0.500008F, 1e-6F)));
  EXPECT_THAT(image_tensor(wide, input({1, 2}, DType::kUInt8)).ints(), ElementsAre(255, 128));
  EXPECT_THAT(image_tensor(wide, input({1, 2}, DType::kUInt16)).ints(), ElementsAre(65535, 32768));
}

TEST(ImageTensor, SaysWhatDoesNotFit) {
  try {
    image_tensor(grey("ab"), input({1, 3, 224, 224}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("2 x 1 pixels"));
    EXPECT_THAT(error.message(), HasSubstr("input \"x\" of shape [1,3,224,224]"));
  }
  EXPECT_THROW(image_tensor(grey("ab"), input({1, 2}, DType::kString)), Error);
}

TEST(TensorImage, ReadsMasksAndPictures) {
  const Array mask = tensor_image(Tensor::of<float>({1, 1, 2, 2}, {0, 0.5F, 1, 7}), "mask");
  EXPECT_THAT(mask.shape, ElementsAre(2, 2, 1));
  EXPECT_EQ(mask.data.text(), std::string("\x00\x80\xff\xff", 4));
  EXPECT_EQ(tensor_image(Tensor::of<uint8_t>({1, 2, 1}, {1, 2}), "m").data.text(), "\x01\x02");
}

TEST(TensorImage, TurnsPlanesAround) {
  const Array image = tensor_image(Tensor::of<uint8_t>({3, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}), "m");
  EXPECT_THAT(image.shape, ElementsAre(2, 2, 3));
  EXPECT_EQ(image.data.text(), "\x01\x05\x09\x02\x06\x0a\x03\x07\x0b\x04\x08\x0c");
  EXPECT_THROW(tensor_image(Tensor::vector({1, 2}), "m"), Error);
  EXPECT_THROW(tensor_image(Tensor::of_strings({1, 1}, {"a"}), "m"), Error);
}

}  // namespace
}  // namespace onward::serving
