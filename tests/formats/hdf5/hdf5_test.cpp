#include <gtest/gtest.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/hdf5/file.h"

namespace onward::hdf5 {
namespace {

Bytes fixture(const char* name) { return map_file(std::string(ONWARD_TEST_DATA) + "/hdf5/" + name); }

template <class T>
std::vector<T> numbers(const Array& array) {
  std::vector<T> values(array.data.size() / sizeof(T));
  std::memcpy(values.data(), array.data.data(), array.data.size());
  return values;
}

TEST(Hdf5, StandsBehindABlockOfTheUsersButNotInAZip) {
  const auto with_signature = [](std::string head) {
    head.resize(512);
    return head + "\x89HDF\r\n\x1a\n";
  };
  EXPECT_TRUE(looks_like_hdf5(Bytes::from_string(with_signature("my notes")).view()));
  // A .keras archive that holds its weights just there.
  EXPECT_FALSE(looks_like_hdf5(Bytes::from_string(with_signature("PK\x03\x04")).view()));
}

TEST(Hdf5, ReadsAttributes) {
  const Object root = File::open(fixture("layouts.h5")).at("");
  EXPECT_EQ(root.text("model_config"), "{\"class_name\": \"Sequential\"}");
  EXPECT_EQ(root.attribute("layer_names")->strings, (std::vector<std::string>{"dense", "conv_1"}));
  EXPECT_EQ(root.attribute("names")->strings, (std::vector<std::string>{"one", "three"}));
  EXPECT_EQ(numbers<int64_t>(*root.attribute("count")), std::vector<int64_t>{7});
  EXPECT_FALSE(root.attribute("absent"));
}

TEST(Hdf5, GivesViewsOfWhatIsLarge) {
  const Bytes bytes = map_file(std::string(ONWARD_SOURCE_DIR) + "/examples/segmentation/Model.h5");
  const Array kernel = File::open(bytes).at("model_weights/down3_conv1/down3_conv1/kernel").read();
  EXPECT_EQ(kernel.shape, (std::vector<int64_t>{3, 3, 32, 48}));
  EXPECT_GE(kernel.data.data(), bytes.data());
  EXPECT_LT(kernel.data.data(), bytes.data() + bytes.size());
}

TEST(Hdf5, ReadsEveryLayoutAndType) {
  const File file = File::open(fixture("layouts.h5"));
  const Array plain = file.at("contiguous").read();
  EXPECT_EQ(plain.dtype, "float32");
  EXPECT_EQ(plain.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(numbers<float>(plain), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(numbers<int32_t>(file.at("big").read()), (std::vector<int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(file.at("half").read().dtype, "float16");
  EXPECT_EQ(file.at("flags").read().dtype, "bool");
  EXPECT_EQ(numbers<double>(file.at("scalar").read()), std::vector<double>{2.5});
  EXPECT_EQ(file.at("empty").read().data.size(), 0U);
  EXPECT_EQ(numbers<float>(file.at("unwritten").read()), std::vector<float>(4, 0.0F));
  const Array chunked = file.at("chunked").read();
  std::vector<int32_t> expected(35);
  for (int32_t i = 0; i < 35; ++i) expected[static_cast<size_t>(i)] = i;
  EXPECT_EQ(numbers<int32_t>(chunked), expected);
}

TEST(Hdf5, WalksGroups) {
  const File file = File::open(fixture("layouts.h5"));
  EXPECT_EQ(file.at("a/b").members().size(), 40U);
  EXPECT_EQ(numbers<int8_t>(file.at("a/b/member_37").read()), std::vector<int8_t>(3, 37));
  EXPECT_FALSE(file.find("a/c"));
  EXPECT_THROW(file.at("a/b/nothing"), Error);
  EXPECT_TRUE(file.at("contiguous").is_dataset());
  EXPECT_FALSE(file.at("a").is_dataset());
}

TEST(Hdf5, ReadsTheLatestFormat) {
  const File file = File::open(fixture("latest.h5"));
  EXPECT_EQ(file.at("").text("text"), "hello");
  EXPECT_EQ(numbers<uint16_t>(file.at("group/x").read()), (std::vector<uint16_t>{0, 1, 2}));
}

void read_all(const Object& object, int depth) {
  if (depth > 8) return;
  for (const std::string& name : object.attribute_names()) (void)object.attribute(name);
  if (object.is_dataset()) {
    (void)object.read();
    return;
  }
  for (const std::string& name : object.members()) read_all(*object.member(name), depth + 1);
}

TEST(Hdf5, EveryTruncationAndManyFlipsAreErrorsOrFiles) {
  const Bytes whole = fixture("latest.h5");
  for (size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_THROW(read_all(File::open(whole.slice(0, size)).at(""), 0), Error) << size;
  }
  for (size_t place = 8; place < whole.size(); ++place) {
    std::string damaged(whole.text());
    damaged[place] = static_cast<char>(damaged[place] ^ 0x5a);
    try {
      read_all(File::open(Bytes::from_string(damaged)).at(""), 0);
    } catch (const Error& error) {
      EXPECT_FALSE(error.message().empty());
    }
  }
}

}  // namespace
}  // namespace onward::hdf5
