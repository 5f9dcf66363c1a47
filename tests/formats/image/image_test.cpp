#include "formats/image/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/mapped_file.h"

namespace onward {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Bytes fixture(const std::string& name) { return map_file(ONWARD_TEST_DATA "/image/" + name); }
Array read(const std::string& name) { return image::read(fixture(name), name); }

std::vector<int> values(const Array& array) {
  std::vector<int> result;
  const size_t size = array.dtype == "uint16" ? 2 : 1;
  for (size_t i = 0; i < array.data.size(); i += size) {
    uint16_t value = 0;
    std::memcpy(&value, array.data.data() + i, size);
    result.push_back(value);
  }
  return result;
}

std::vector<int> counting(int from, int to, int times = 1, int plus = 0) {
  std::vector<int> result;
  for (int i = from; i < to; ++i) result.push_back(i * times + plus);
  return result;
}

const std::vector<int> kGrey{0, 50, 100, 150, 200, 255};

struct Png {
  const char* file;
  const char* dtype;
  int64_t channels;
  std::vector<int> values;
};

std::vector<int> wide_grey() {
  std::vector<int> result;
  for (const int value : kGrey) result.push_back(257 * value);
  return result;
}

class ReadPng : public testing::TestWithParam<Png> {};

TEST_P(ReadPng, GivesPixels) {
  const Array image = read(GetParam().file);
  EXPECT_EQ(image.dtype, GetParam().dtype);
  EXPECT_THAT(image.shape, ElementsAre(2, 3, GetParam().channels));
  EXPECT_EQ(values(image), GetParam().values);
}

INSTANTIATE_TEST_SUITE_P(
    AllKinds, ReadPng,
    testing::Values(Png{"grey.png", "uint8", 1, kGrey}, Png{"grey_alpha.png", "uint8", 1, kGrey},
                    Png{"grey1.png", "uint8", 1, {255, 0, 255, 0, 255, 0}}, Png{"grey16.png", "uint16", 1, wide_grey()},
                    Png{"grey_alpha16.png", "uint16", 1, wide_grey()}, Png{"rgb.png", "uint8", 3, counting(10, 28)},
                    Png{"rgba.png", "uint8", 3, counting(10, 28)},
                    Png{"rgb16.png", "uint16", 3, counting(10, 28, 256, 1)},
                    Png{"rgba16.png", "uint16", 3, counting(10, 28, 256, 1)},
                    Png{"palette.png", "uint8", 3, {1, 2, 3, 4, 5, 6, 7, 8, 9, 7, 8, 9, 4, 5, 6, 1, 2, 3}}),
    [](const auto& one) {
      const std::string name = one.param.file;
      return name.substr(0, name.find('.'));
    });

TEST(ReadJpeg, GivesPixels) {
  const Array grey = read("grey.jpg");
  EXPECT_THAT(grey.shape, ElementsAre(8, 16, 1));
  EXPECT_EQ(values(grey), std::vector<int>(128, 128));
  for (const char* file : {"rgb.jpg", "progressive.jpg"}) {
    const Array colour = read(file);
    EXPECT_THAT(colour.shape, ElementsAre(8, 16, 3));
    EXPECT_NEAR(values(colour)[0], 200, 2);
    EXPECT_NEAR(values(colour)[1], 100, 2);
    EXPECT_NEAR(values(colour)[2], 50, 2);
  }
}

TEST(EncodePng, IsReadBack) {
  for (const int64_t channels : {1, 3}) {
    const Array image{"uint8", {2, 1, channels}, Bytes::from_string(std::string("abcdef").substr(0, 2 * channels)), {}};
    const Array back = image::read(image::encode_png(image), "back");
    EXPECT_EQ(back.shape, image.shape);
    EXPECT_EQ(back.data.text(), image.data.text());
  }
  EXPECT_THROW(image::encode_png({"float32", {1, 1}, Bytes::from_string("abcd"), {}}), Error);
  EXPECT_THROW(image::encode_png({"uint8", {1, 1, 2}, Bytes::from_string("ab"), {}}), Error);
}

TEST(ReadImage, RefusesDamage) {
  for (const char* file : {"grey.png", "rgb16.png", "palette.png", "rgb.jpg", "progressive.jpg"}) {
    const Bytes whole = fixture(file);
    for (size_t size = 0; size + 18 < whole.size(); ++size) {
      EXPECT_THROW(image::read(whole.slice(0, size), file), Error) << file << " cut to " << size;
    }
  }
}

TEST(ReadImage, CountsPixelsFirst) {
  std::string huge(fixture("grey.png").text());
  huge.replace(16, 8, std::string("\x00\x10\x00\x00\x00\x10\x00\x00", 8));
  huge.replace(29, 4, "\x6e\x43\xff\x19");  // the checksum of that
  try {
    image::read(Bytes::from_string(huge), "huge.png");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kResourceExhausted);
    EXPECT_THAT(error.message(), HasSubstr("1048576 x 1048576 pixels"));
  }
  try {
    image::read(Bytes::from_string("GIF89a"), "a.gif");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("a.gif is neither PNG nor JPEG"));
  }
}

}  // namespace
}  // namespace onward
