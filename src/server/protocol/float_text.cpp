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

template <int kShift>
constexpr auto half_of_powers() {
  std::array<uint32_t, kPowers.size()> half{};
  for (size_t i = 0; i < half.size(); ++i) half[i] = static_cast<uint32_t>(kPowers[i] >> kShift);
  return half;
}
constexpr auto kPowersHigh = half_of_powers<32>();
constexpr auto kPowersLow = half_of_powers<0>();

constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

// What of x86 is worth a version of its own: the instructions that work on eight or sixteen numbers at once.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define ONWARD_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#else
#define ONWARD_WIDE
#endif

// The 32 bits before the point of power * factor / 2^64, with a bit that tells of others set behind it.
inline uint32_t round_to_odd(uint32_t power_high, uint32_t power_low, uint32_t factor) {
  const uint64_t product =
      static_cast<uint64_t>(power_high) * factor + ((static_cast<uint64_t>(power_low) * factor) >> 32);
  return static_cast<uint32_t>(product >> 32) | (static_cast<uint32_t>(product) > 1 ? 1U : 0U);
}

// The numbers' digits and powers of ten, without a branch: which candidate it is can't be foreseen, and compilers turn
// this into instructions for many numbers at once. What it gives for zero, NaN and infinities means nothing.
ONWARD_WIDE void decimals_of(const uint32_t* numbers, size_t count, uint32_t* digits, int32_t* exponents) {
  constexpr int32_t kBias = 150;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t fraction = numbers[i] & 0x7fffffU;
    const uint32_t biased = (numbers[i] >> 23) & 0xffU;
    const uint32_t c = biased != 0 ? fraction | 0x800000U : fraction;
    const int32_t q = static_cast<int32_t>(biased != 0 ? biased : 1U) - kBias;
    const uint32_t closer = ((fraction == 0) & (biased > 1)) ? 1U : 0U;  // the float below is nearer than the one above
    const uint32_t odd = c & 1U;
    const int32_t k = (q * 1262611 - (closer != 0 ? 524031 : 0)) >> 22;  // floor(log10(2^q)), of 3/4 of it if closer
    const int32_t h = q + ((-k * 1741647) >> 19) + 1;
    const auto place = static_cast<uint32_t>(-k - kSmallestPower);
    const uint32_t high = kPowersHigh[place];
    const uint32_t low = kPowersLow[place];
    const uint32_t lower = round_to_odd(high, low, (4 * c - 2 + closer) << h) + odd;
    const uint32_t value = round_to_odd(high, low, (4 * c) << h);
    const uint32_t upper = round_to_odd(high, low, (4 * c + 2) << h) - odd;
    const uint32_t s = value / 4;
    const uint32_t tens = s / 10;
    const uint32_t tens_below = lower <= 40 * tens ? 1 : 0;
    const uint32_t tens_above = 40 * tens + 40 <= upper ? 1 : 0;
    const uint32_t below = lower <= 4 * s ? 1 : 0;
    const uint32_t above = 4 * s + 4 <= upper ? 1 : 0;
    const uint32_t middle = 4 * s + 2;
    const uint32_t nearer = (value > middle ? 1U : 0U) | ((value == middle ? 1U : 0U) & s & 1U);
    const uint32_t shorter = (s >= 10 ? 1U : 0U) & (tens_below ^ tens_above);
    digits[i] = shorter != 0 ? tens + tens_above : s + ((below ^ above) != 0 ? above : nearer);
    exponents[i] = k + static_cast<int32_t>(shorter);
  }
}

constexpr std::array<uint32_t, 10> kTens = {1,       10,        100,        1'000,       10'000,
                                            100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

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

// A number of these digits, not zero.
char* write_decimal(char* out, uint32_t digits, int exponent) {
  const int length = digits_of(digits);
  const int point = length + exponent;  // where the point stands, from the first digit
  // Nine digits: one, and eight that stay in a register. Zeros at their end don't count.
  constexpr uint32_t kOthers = 100'000'000;
  const uint32_t nine = digits * kTens[static_cast<size_t>(9 - length)];
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

}  // namespace

void FloatTexts::prepare(const std::byte* floats, size_t count) {
  std::memcpy(bits_.data(), floats, count * sizeof(float));
  decimals_of(bits_.data(), count, digits_.data(), exponents_.data());
}

char* FloatTexts::write(char* out, size_t index) const {
  const uint32_t bits = bits_[index];
  *out = '-';
  out += bits >> 31;
  if ((bits << 1) == 0) {
    *out++ = '0';
    return out;
  }
  return write_decimal(out, digits_[index], exponents_[index]);
}

char* write_shortest(char* out, float value) {
  FloatTexts text;
  text.prepare(reinterpret_cast<const std::byte*>(&value), 1);
  return text.write(out, 0);
}

}  // namespace onward::server
