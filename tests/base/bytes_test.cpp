#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace onward {
namespace {

TEST(Bytes, SlicesShareTheOwnerAndAreChecked) {
  Bytes part;
  {
    const Bytes whole = Bytes::from_string("hello world");
    part = whole.slice(6, 5);
    EXPECT_THROW((void)whole.slice(6, 6), Error);
    EXPECT_THROW((void)whole.slice(SIZE_MAX, 2), Error);
  }
  EXPECT_EQ(part.text(), "world");
}

TEST(ByteReader, ReadsLittleEndianAndStopsAtTheEnd) {
  ByteReader reader(as_bytes(std::string_view("\x01\x02\x03\x04\x05", 5)), "header");
  EXPECT_EQ(reader.read<uint32_t>(), 0x04030201U);
  EXPECT_EQ(reader.remaining(), 1U);
  try {
    reader.read<uint16_t>();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kDataLoss);
    EXPECT_EQ(error.message(), "header: unexpected end at offset 4 (2 bytes wanted, 1 left)");
  }
}

}  // namespace
}  // namespace onward
