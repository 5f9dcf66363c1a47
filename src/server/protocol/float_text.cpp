#include "server/protocol/float_text.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

namespace onward::server {
namespace {

// Schubfach (Raffaello Giulietti, "The Schubfach way to render doubles"), for 32-bit floats.
__extension__ using Wide = unsigned __int128;

constexpr int kSmallestPower = -31;
constexpr int kLargestPower = 45;

// The 64 leading bits of 10^power, rounded up.
constexpr uint64_t leading_bits(int power) {
  Wide five = 1;
  for (int i = 0; i < (power < 0 ? -power : power); ++i) five *= 5;
  if (power >= 0) {
    int shift = 0;
    while ((five >> shift) >> 64 != 0) ++shift;
    const auto top = static_cast<uint64_t>(five >> shift);
    if ((static_cast<Wide>(top) << shift) != five) return top + 1;
    return top << std::countl_zero(top);
  }
  // 2^n / 5^-power by long division, until the quotient has 64 bits.
  uint64_t quotient = 0;
  Wide rest = 1;
  while ((quotient >> 63) == 0) {
    rest <<= 1;
    quotient = (quotient << 1) | (rest >= five ? 1 : 0);
    if (rest >= five) rest -= five;
  }
  return quotient + 1;
}

constexpr auto kPowers = [] {
  std::array<uint64_t, kLargestPower - kSmallestPower + 1> powers{};
  for (int power = kSmallestPower; power <= kLargestPower; ++power) {
    powers[static_cast<size_t>(power - kSmallestPower)] = leading_bits(power);
  }
  return powers;
}();

constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

uint32_t round_to_odd(uint64_t power, uint32_t factor) {
  const Wide product = static_cast<Wide>(power) * factor;
  const auto high = static_cast<uint32_t>(product >> 64);
  const auto low = static_cast<uint32_t>(product >> 32);
  return high | (low > 1 ? 1U : 0U);
}

struct Decimal {
  uint32_t digits;
  int exponent;  // the value is digits * 10^exponent
};

// `bits` of a positive finite float.
Decimal to_decimal(uint32_t bits) {
  constexpr int kBias = 150;
  const uint32_t fraction = bits & 0x7fffffU;
  const uint32_t biased = bits >> 23;
  const uint32_t c = biased != 0 ? fraction | 0x800000U : fraction;
  const int q = (biased != 0 ? static_cast<int>(biased) : 1) - kBias;
  if (q <= 0 && q > -24 && (c & ((1U << -q) - 1)) == 0) return {c >> -q, 0};
  const uint32_t closer = fraction == 0 && biased > 1 ? 1 : 0;  // the float below is nearer than the one above
  const uint32_t odd = c & 1U;
  const int k = (q * 1262611 - (closer != 0 ? 524031 : 0)) >> 22;  // floor(log10(2^q)), of 3/4 of it where closer
  const int h = q + ((-k * 1741647) >> 19) + 1;
  const uint64_t power = kPowers[static_cast<size_t>(-k - kSmallestPower)];
  const uint32_t lower = round_to_odd(power, (4 * c - 2 + closer) << h) + odd;
  const uint32_t value = round_to_odd(power, (4 * c) << h);
  const uint32_t upper = round_to_odd(power, (4 * c + 2) << h) - odd;
  // Which of the candidates it is can't be foreseen, so nothing branches here.
  const uint32_t s = value / 4;
  const uint32_t tens = s / 10;
  const bool tens_below = lower <= 40 * tens;
  const bool tens_above = 40 * tens + 40 <= upper;
  const bool below = lower <= 4 * s;
  const bool above = 4 * s + 4 <= upper;
  const uint32_t middle = 4 * s + 2;
  const bool nearer_above = (value > middle) | ((value == middle) & ((s & 1U) != 0));
  const uint32_t up = below != above ? above : nearer_above;
  const bool shorter = (s >= 10) & (tens_below != tens_above);
  return {shorter ? tens + (tens_above ? 1U : 0U) : s + up, k + (shorter ? 1 : 0)};
}

constexpr std::array<uint32_t, 10> kTens = {1,         10,         100,         1'000,        10'000,
                                            100'000,   1'000'000,  10'000'000,  100'000'000,  1'000'000'000};

// How many decimal digits a value below 10^9 has.
int digits_of(uint32_t value) {
  const int guess = (std::bit_width(value) * 1233) >> 12;  // floor(log10), or one more than that
  return guess + (value >= kTens[static_cast<size_t>(guess)] ? 1 : 0);
}

// The eight digits of a value below 10^8 as numbers, the first one in the lowest byte. Two digits, then four, are
// taken apart at a time.
uint64_t eight_digits(uint32_t value) {
  uint64_t digits = value / 10'000 | static_cast<uint64_t>(value % 10'000) << 32;
  const uint64_t hundreds = ((digits * 10'486) >> 20) & 0x0000007f0000007fU;
  digits = hundreds | (digits - 100 * hundreds) << 16;
  const uint64_t tens = ((digits * 103) >> 10) & 0x000f000f000f000fU;
  return tens | (digits - 10 * tens) << 8;
}

void put_eight(char* out, uint64_t characters) {
  if constexpr (std::endian::native == std::endian::big) characters = __builtin_bswap64(characters);
  std::memcpy(out, &characters, sizeof characters);
}

// d.ddde-XX
char* write_scientific(char* out, char first, uint64_t others, int count, int exponent) {
  *out++ = first;
  if (count > 1) {
    *out++ = '.';
    put_eight(out, others);
    out += count - 1;
  }
  *out++ = 'e';
  *out++ = exponent < 0 ? '-' : '+';
  std::memcpy(out, &kPairs[2 * static_cast<size_t>(exponent < 0 ? -exponent : exponent)], 2);
  return out + 2;
}

}  // namespace

char* write_shortest(char* out, float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  *out = '-';
  out += bits >> 31;
  if ((bits << 1) == 0) {
    *out++ = '0';
    return out;
  }
  const Decimal decimal = to_decimal(bits & 0x7fffffffU);
  const int length = digits_of(decimal.digits);
  const int point = length + decimal.exponent;  // where the point stands, from the first digit
  // Nine digits: one, and eight that stay in a register. Zeros at their end don't count.
  constexpr uint32_t kOthers = 100'000'000;
  const uint32_t nine = decimal.digits * kTens[static_cast<size_t>(9 - length)];
  const char first = static_cast<char>('0' + nine / kOthers);
  const uint64_t numbers = eight_digits(nine % kOthers);
  const int count = 9 - std::countl_zero(numbers | 1U) / 8 - (numbers == 0 ? 1 : 0);
  const uint64_t others = numbers | 0x3030303030303030U;
  constexpr int kMostZeros = 4;
  if (point > 9 || point < -kMostZeros + 1) return write_scientific(out, first, others, count, point - 1);
  if (point <= 0) {
    std::memcpy(out, "0.0000", 6);
    out += 2 - point;
    *out = first;
    put_eight(out + 1, others);
    return out + count;
  }
  *out = first;
  put_eight(out + 1, others);
  if (count <= point) return out + point;
  out[point] = '.';
  put_eight(out + point + 1, others >> (8 * (point - 1)));
  return out + count + 1;
}

}  // namespace onward::server
