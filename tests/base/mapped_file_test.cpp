#include "base/mapped_file.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/release_pages.h"

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

TEST(MappedFile, ReadsReleasedPagesAgain) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "released_pages_test.bin";
  const std::string text(100'000, 'x');
  const ByteView parts[] = {as_bytes(text)};
  write_file(path, parts);
  const Bytes file = map_file(path);
  EXPECT_EQ(file.text(), text);
  release_pages(file.view());
  release_pages(file.view().subspan(10, 50'000));
  EXPECT_EQ(file.text(), text);
  std::filesystem::remove(path);
}

TEST(MappedFile, LeavesOtherMemoryAlone) {
  const std::string text(100'000, 'x');
  release_pages(as_bytes(text));
  EXPECT_EQ(text, std::string(100'000, 'x'));
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
