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
  const uint32_t s = value / 4;
  if (s >= 10) {
    const uint32_t tens = s / 10;
    const bool below = lower <= 40 * tens;
    const bool above = 40 * tens + 40 <= upper;
    if (below != above) return {tens + (above ? 1U : 0U), k + 1};
  }
  const bool below = lower <= 4 * s;
  const bool above = 4 * s + 4 <= upper;
  if (below != above) return {s + (above ? 1U : 0U), k};
  const uint32_t middle = 4 * s + 2;
  return {s + (value > middle || (value == middle && (s & 1U) != 0) ? 1U : 0U), k};
}

// Writes `value`, of at most nine digits, as nine with zeros in front; returns how many it has.
int write_nine(char* out, uint32_t value) {
  const uint32_t upper = value / 10'000;
  const uint32_t low = value % 10'000;
  const uint32_t middle = upper % 10'000;
  out[0] = static_cast<char>('0' + upper / 10'000);
  std::memcpy(out + 1, &kPairs[2 * (middle / 100)], 2);
  std::memcpy(out + 3, &kPairs[2 * (middle % 100)], 2);
  std::memcpy(out + 5, &kPairs[2 * (low / 100)], 2);
  std::memcpy(out + 7, &kPairs[2 * (low % 100)], 2);
  static constexpr std::array<uint32_t, 10> kTens = {0,       10,        100,        1'000,       10'000,
                                                     100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
  const int guess = (std::bit_width(value) * 1233) >> 12;  // floor(log10), or one more than that
  return guess + (value >= kTens[static_cast<size_t>(guess)] ? 1 : 0);
}

// d.ddde-XX
char* write_scientific(char* out, const char* digits, int count, int exponent) {
  *out++ = *digits;
  if (count > 1) {
    *out++ = '.';
    std::memcpy(out, digits + 1, static_cast<size_t>(count - 1));
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
  if (bits >> 31 != 0) *out++ = '-';
  if ((bits << 1) == 0) {
    *out++ = '0';
    return out;
  }
  Decimal decimal = to_decimal(bits & 0x7fffffffU);
  while (decimal.digits % 10 == 0) {
    decimal.digits /= 10;
    ++decimal.exponent;
  }
  std::array<char, 32> text;
  const int count = write_nine(text.data(), decimal.digits);
  const char* const digits = text.data() + 9 - count;  // what follows may be copied along
  const int point = count + decimal.exponent;          // where the point stands, from the first digit
  constexpr int kMostZeros = 4;
  if (point > 9 || point < -kMostZeros + 1) return write_scientific(out, digits, count, point - 1);
  if (point <= 0) {
    std::memcpy(out, "0.0000", 6);
    out += 2 - point;
    std::memcpy(out, digits, 9);
    return out + count;
  }
  if (decimal.exponent >= 0) {
    std::memcpy(out, digits, static_cast<size_t>(count));
    std::memset(out + count, '0', static_cast<size_t>(decimal.exponent));
    return out + point;
  }
  std::memcpy(out, digits, static_cast<size_t>(point));
  out[point] = '.';
  std::memcpy(out + point + 1, digits + point, static_cast<size_t>(count - point));
  return out + count + 1;
}

}  // namespace onward::server
