#include "formats/tensorflow/bundle.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/tensorflow/crc32c.h"
#include "formats/tensorflow/slices.h"

namespace onward::tensorflow {
namespace {

const std::filesystem::path kData = std::filesystem::path(ONWARD_TEST_DATA) / "tensorflow";

std::vector<float> floats(const Array& array) {
  std::vector<float> values(array.data.size() / sizeof(float));
  std::memcpy(values.data(), array.data.data(), array.data.size());
  return values;
}

TEST(Crc32c, KnowsTheStandardCheckValue) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c({}), 0U);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\0'))), 0x8a9136aaU);  // RFC 3720, B.4
}

TEST(Bundle, ReadsVariablesAsViews) {
  const Bundle bundle = Bundle::open(kData / "counter/variables/variables");
  const Array first = bundle.read("first/.ATTRIBUTES/VARIABLE_VALUE");
  EXPECT_EQ(first.dtype, "float32");
  EXPECT_EQ(first.shape, (std::vector<int64_t>{2}));
  EXPECT_EQ(floats(first), (std::vector<float>{1, 2}));
  EXPECT_EQ(floats(bundle.read("second/.ATTRIBUTES/VARIABLE_VALUE")), (std::vector<float>{10, 20}));
}

TEST(Bundle, ReadsStrings) {
  const Bundle bundle = Bundle::open(kData / "counter/variables/variables");
  EXPECT_EQ(bundle.read("words/.ATTRIBUTES/VARIABLE_VALUE").strings, (std::vector<std::string>{"a", "", "longer"}));
}

TEST(Bundle, JoinsPartitionedVariables) {
  const Bundle bundle = Bundle::open(kData / "shards/variables/variables");
  const Array table = bundle.read("table");
  EXPECT_EQ(table.shape, (std::vector<int64_t>{5, 2}));
  EXPECT_EQ(floats(table), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(Bundle, CutsSlices) {
  const Bundle bundle = Bundle::open(kData / "shards/variables/variables");
  const Array part = cut(bundle.read("table"), {1, 1}, {2, 1});
  EXPECT_EQ(part.shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(floats(part), (std::vector<float>{3, 5}));
  EXPECT_THROW(cut(bundle.read("table"), {4, 0}, {2, 2}), Error);
}

TEST(Bundle, RefusesDamage) {
  const Bytes index = map_file(kData / "counter/variables/variables.index");
  const Bytes data = map_file(kData / "counter/variables/variables.data-00000-of-00001");
  std::string broken(data.text());
  for (char& byte : broken) byte = static_cast<char>(byte ^ 1);
  const Bundle bundle = Bundle::parse(index, {Bytes::from_string(broken)}, "broken");
  EXPECT_THROW(bundle.read("first/.ATTRIBUTES/VARIABLE_VALUE"), Error);
  EXPECT_THROW(Bundle::parse(index, {}, "no shards").read("first/.ATTRIBUTES/VARIABLE_VALUE"), Error);
  EXPECT_THROW(bundle.read("third"), Error);
  for (const size_t at : {size_t{3}, index.size() / 2, index.size() - 1}) {
    std::string table(index.text());
    table[at] = static_cast<char>(table[at] ^ 0x55);
    EXPECT_THROW(Bundle::parse(Bytes::from_string(table), {data}, "table"), Error) << at;
  }
  EXPECT_THROW(Bundle::parse(index.slice(0, index.size() - 9), {data}, "cut"), Error);
}

// Keys of parts, as TensorFlow's ordered code has them.
TEST(SliceKey, OrdersNumbersAndText) {
  EXPECT_EQ(slice_key("v", {0}, {3}), std::string("\x00v\x00\x01\x01\x01\x80\x83", 8));
  EXPECT_EQ(slice_key("v", {64}, {-1}), std::string("\x00v\x00\x01\x01\x01\xc0\x40\x7f", 9));
  EXPECT_EQ(slice_key("v", {100000}, {1}), std::string("\x00v\x00\x01\x01\x01\xe1\x86\xa0\x81", 10));
}

}  // namespace
}  // namespace onward::tensorflow
