#include "formats/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace onward {
namespace {

using testing::HasSubstr;

std::string file_of(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

TEST(Safetensors, ReadsTensorsAndMetadata) {
  const auto file =
      safetensors::read(Bytes::from_string(file_of(
                            R"({"__metadata__":{"format":"pt"},"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
                            R"("e":{"dtype":"F32","shape":[0,4],"data_offsets":[4,4]}})",
                            "abcd")),
                        "m");
  ASSERT_EQ(file.tensors.size(), 2U);
  EXPECT_EQ(file.tensors[0].first, "w");
  EXPECT_EQ(file.tensors[0].second.dtype, "bfloat16");
  EXPECT_EQ(file.tensors[0].second.data.text(), "abcd");
  EXPECT_EQ(file.metadata[0].second, "pt");
}

TEST(Safetensors, RefusesDamage) {
  struct Case {
    std::string file;
    std::string reason;
  };
  const std::vector<Case> cases = {
      {"abc", "unexpected end"},
      {file_of("{", ""), "damaged header"},
      {file_of("[]", ""), "no JSON object"},
      {std::string(8, '\xff') + "{}", "the header claims"},
      {file_of(std::string(3000, '['), ""), "damaged header"},
      {file_of(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "12345678"), "needs 12 bytes"},
      {file_of(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "1234"), "outside the file"},
      {file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "12345678"), "belong to no tensor"},
      {file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "12345678"), "overlap or leave a gap"},
      {file_of(R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "1234"), "negative"},
      {file_of(R"({"w":{"dtype":"X9","shape":[1],"data_offsets":[0,4]}})", "1234"), "\"X9\""},
      {file_of(R"({"w":{"shape":[1],"data_offsets":[0,4]}})", "1234"), "dtype"},
      {file_of(
           R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
           "12"),
       "two tensors"},
  };
  for (const Case& c : cases) {
    try {
      (void)safetensors::read(Bytes::from_string(c.file), "m");
      ADD_FAILURE() << "accepted; expected: " << c.reason;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(c.reason));
    }
  }
}

}  // namespace
}  // namespace onward
