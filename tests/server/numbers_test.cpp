#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <random>
#include <string>

#include "server/protocol/float_text.h"
#include "server/protocol/plain_number.h"

namespace onward::server {
namespace {

std::string shortest(float value) {
  char text[kMaxFloatText];
  return {text, write_shortest(text, value)};
}

size_t significant_digits(std::string_view text) {
  std::string digits;
  for (const char c : text.substr(0, text.find('e'))) {
    if (is_digit(c) && (c != '0' || !digits.empty())) digits += c;
  }
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
  return digits.size();
}

TEST(FloatText, LooksAsExpected) {
  EXPECT_EQ(shortest(0.0F), "0");
  EXPECT_EQ(shortest(-0.0F), "-0");
  EXPECT_EQ(shortest(1.0F), "1");
  EXPECT_EQ(shortest(-1.5F), "-1.5");
  EXPECT_EQ(shortest(0.1F), "0.1");
  EXPECT_EQ(shortest(100.0F), "100");
  EXPECT_EQ(shortest(16777216.0F), "16777216");
  EXPECT_EQ(shortest(0.00123F), "0.00123");
  EXPECT_EQ(shortest(1e-5F), "1e-05");
  EXPECT_EQ(shortest(3.4028235e38F), "3.4028235e+38");
  EXPECT_EQ(shortest(1e-45F), "1e-45");
  EXPECT_EQ(shortest(1.1754944e-38F), "1.1754944e-38");
}

TEST(FloatText, ReadsBackAndIsAsShortAsCanBe) {
  std::mt19937 random(7);
  for (int i = 0; i < 300'000; ++i) {
    // Also every power of two, whose neighbours are not equally near.
    const uint32_t bits = i < 510 ? static_cast<uint32_t>(i / 2) << 23 : random();
    const auto value = std::bit_cast<float>(bits);
    if (!std::isfinite(value)) continue;
    const std::string text = shortest(value);
    ASSERT_LE(text.size(), kMaxFloatText);
    ASSERT_EQ(std::bit_cast<uint32_t>(std::strtof(text.c_str(), nullptr)), bits) << text;
    char standard[64];
    const auto end = std::to_chars(standard, standard + sizeof standard, value, std::chars_format::scientific).ptr;
    ASSERT_EQ(significant_digits(text), significant_digits({standard, end})) << text;
  }
}

template <class T>
std::string read(std::string_view text) {
  PlainNumber number;
  const char* const end = number.read(text.data(), text.data() + text.size());
  T value{};
  if (end == nullptr || !number.to(value)) return "no";
  return std::to_string(value) + " then " + std::to_string(text.data() + text.size() - end);
}

TEST(PlainNumber, ReadsIntegersThatFit) {
  EXPECT_EQ(read<int64_t>("42,"), "42 then 1");
  EXPECT_EQ(read<int64_t>("-9223372036854775808"), "-9223372036854775808 then 0");
  EXPECT_EQ(read<int64_t>("9223372036854775808"), "no");
  EXPECT_EQ(read<uint64_t>("9999999999999999999]"), "9999999999999999999 then 1");
  EXPECT_EQ(read<uint8_t>("255"), "255 then 0");
  EXPECT_EQ(read<uint8_t>("256"), "no");
  EXPECT_EQ(read<uint8_t>("-0"), "0 then 0");
  EXPECT_EQ(read<int8_t>("-128"), "-128 then 0");
  EXPECT_EQ(read<int8_t>("-129"), "no");
  EXPECT_EQ(read<int32_t>("1.0"), "no") << "left to the general reader";
}

TEST(PlainNumber, LeavesTheRestToTheGeneralReader) {
  for (const char* const text : {"", "-", "01", "1.", ".5", "1e5", "1.5E5", "NaN", "x", "-x", "12345678901234567890"}) {
    EXPECT_EQ(read<double>(text), "no") << text;
  }
}

TEST(PlainNumber, RoundsAsTheStandardLibraryDoes) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 300'000; ++i) {
    const auto whole = random() % (i % 3 == 0 ? 10 : 100'000);
    std::string text = std::to_string(whole) + ".";
    for (uint64_t left = 1 + random() % 17; left > 0; --left) text += static_cast<char>('0' + random() % 10);
    if (i % 2 == 0) text.insert(0, "-");
    PlainNumber number;
    if (number.read(text.data(), text.data() + text.size()) == nullptr) continue;
    double wide = 0;
    if (number.to(wide)) {
      ASSERT_EQ(wide, std::strtod(text.c_str(), nullptr)) << text;
    }
    float narrow = 0;
    if (number.to(narrow)) {
      ASSERT_EQ(narrow, static_cast<float>(std::strtod(text.c_str(), nullptr))) << text;
    }
  }
}

TEST(PlainNumber, KnowsTheMiddleBetweenTwoFloats) {
  // Just above the middle of 1 and the float after it, by less than a double shows.
  EXPECT_EQ(read<float>("1.0000000596046447754"), "no") << "20 digits";
  float value = 0;
  PlainNumber number;
  const std::string_view text = "1.000000059604644776";
  ASSERT_NE(number.read(text.data(), text.data() + text.size()), nullptr);
  EXPECT_FALSE(number.to(value));
}

}  // namespace
}  // namespace onward::server
