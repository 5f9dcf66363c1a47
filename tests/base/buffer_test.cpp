#include "base/buffer.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/release_pages.h"

namespace onward {
namespace {

// Small ones and those that come from the system as a whole.
TEST(Buffer, KeepsWhatWasWritten) {
  for (const size_t size : {size_t{0}, size_t{5}, (size_t{2} << 20) - 1, size_t{2} << 20, (size_t{5} << 20) + 3}) {
    Buffer buffer(size);
    ASSERT_EQ(buffer.size(), size);
    for (size_t i = 0; i < size; ++i) buffer.data()[i] = static_cast<std::byte>(i * 31 % 251);
    const Bytes bytes = std::move(buffer).share();
    const Bytes copy = bytes;
    ASSERT_EQ(copy.size(), size);
    for (size_t i = 0; i < size; ++i) ASSERT_EQ(copy.data()[i], static_cast<std::byte>(i * 31 % 251)) << i;
  }
}

TEST(ApartIfSmall, CopiesSmallBytesOnly) {
  const Bytes whole = Bytes::from_vector(std::vector<std::byte>(40000, std::byte{7}));
  const Bytes small = whole.slice(100, 64);
  EXPECT_NE(apart_if_small(small).data(), small.data());
  EXPECT_EQ(apart_if_small(small).text(), small.text());
  EXPECT_EQ(apart_if_small(whole).data(), whole.data());
}

}  // namespace
}  // namespace onward
