#include "base/mapped_file.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace onward {
namespace {

TEST(MappedFile, ReadsBackWhatWasWritten) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "mapped_file_test.bin";
  const ByteView parts[] = {as_bytes("ab"), as_bytes(""), as_bytes("cd")};
  write_file(path, parts);
  EXPECT_EQ(map_file(path).text(), "abcd");
  write_file(path, {});
  EXPECT_TRUE(map_file(path).empty());
  std::filesystem::remove(path);
}

TEST(MappedFile, NamesWhatIsWrong) {
  const auto code_of = [](const char* path) {
    try {
      map_file(path);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kOk;
  };
  EXPECT_EQ(code_of("/does/not/exist"), Code::kNotFound);
  EXPECT_EQ(code_of("/tmp"), Code::kInvalidArgument);
  EXPECT_EQ(code_of("/dev/null"), Code::kInvalidArgument);
}

}  // namespace
}  // namespace onward
