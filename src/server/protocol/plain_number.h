// Number literals that are read without a general algorithm: no exponent, at most 19 digits.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace onward::server {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Appends the digits at `p` to `value`, which wraps where they are too many, and moves `p` past them: eight at a time,
// without a branch for each.
inline void read_digits(const char*& p, const char* end, uint64_t& value) {
  if constexpr (std::endian::native == std::endian::little) {
    static constexpr std::array<uint64_t, 9> kTens = {1,       10,        100,        1'000,      10'000,
                                                      100'000, 1'000'000, 10'000'000, 100'000'000};
    while (end - p >= 8) {
      uint64_t eight;
      std::memcpy(&eight, p, sizeof eight);
      eight ^= 0x3030303030303030U;  // digits are 0 to 9 now
      const uint64_t others = ((eight + 0x7676767676767676U) | eight) & 0x8080808080808080U;
      const int count = others == 0 ? 8 : std::countr_zero(others) / 8;
      if (count == 0) return;
      eight <<= 64 - 8 * count;  // zeros in front
      eight = eight * 10 + (eight >> 8);
      constexpr uint64_t kPairs = 0x000000ff000000ffU;
      eight = ((eight & kPairs) * 0x000f424000000064U + ((eight >> 16) & kPairs) * 0x0000271000000001U) >> 32;
      value = value * kTens[static_cast<size_t>(count)] + (eight & 0xffffffffU);
      p += count;
      if (count < 8) return;
    }
  }
  while (p < end && is_digit(*p)) value = value * 10 + static_cast<uint64_t>(*p++ - '0');
}

class PlainNumber {
 public:
  // Reads JSON's grammar at `p`; returns the end, or null where no plain number is there.
  const char* read(const char* p, const char* end);

  // The value as T, correctly rounded; false where T can't hold it or it takes more than this to find out.
  template <class T>
  bool to(T& value) const;

 private:
  static constexpr std::array<double, 23> kPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};  // all exact

  uint64_t digits_ = 0;
  size_t fraction_ = 0;  // how many stand after the point
  bool negative_ = false;
};

inline const char* PlainNumber::read(const char* p, const char* end) {
  constexpr size_t kMost = 19;  // 10^19 fits 64 bits
  negative_ = p < end && *p == '-';
  if (negative_) ++p;
  const char* first = p;
  uint64_t digits = 0;
  while (p < end && is_digit(*p)) digits = digits * 10 + static_cast<uint64_t>(*p++ - '0');
  auto length = static_cast<size_t>(p - first);
  if (length == 0 || (length > 1 && *first == '0')) return nullptr;
  fraction_ = 0;
  if (p < end && *p == '.') {
    const char* const point = ++p;
    read_digits(p, end, digits);
    fraction_ = static_cast<size_t>(p - point);
    if (fraction_ == 0) return nullptr;
    length += fraction_;
    // Zeros in front are no digits of the value.
    if (length > kMost && *first == '0') {
      for (first = point, length = fraction_; first < p && *first == '0'; ++first) --length;
    }
  }
  if (length > kMost || (p < end && (*p == 'e' || *p == 'E'))) return nullptr;
  digits_ = digits;
  return p;
}

template <class T>
bool PlainNumber::to(T& value) const {
  if constexpr (std::is_integral_v<T>) {
    if (fraction_ != 0) return false;
    constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<T>::max());
    const uint64_t limit = !negative_ ? kMost : std::is_signed_v<T> ? kMost + 1 : 0;
    if (digits_ > limit) return false;
    value = static_cast<T>(negative_ ? 0 - digits_ : digits_);
    return true;
  } else {
    // Exact digits and an exact power make one rounding (Clinger).
    constexpr uint64_t kExact = uint64_t{1} << 53;
    if (fraction_ >= kPowers.size()) return false;
    const bool exact = digits_ <= kExact;
    if (!exact && std::is_same_v<T, double>) return false;
    const double magnitude = static_cast<double>(digits_) / kPowers[fraction_];
    if (!exact) {
      // Off by less than two units of a double: enough for a float, but close to the middle between two.
      constexpr uint64_t kBelowFloat = (uint64_t{1} << 29) - 1;
      constexpr uint64_t kMiddle = uint64_t{1} << 28;
      const uint64_t below = std::bit_cast<uint64_t>(magnitude) & kBelowFloat;
      if (below + 4 >= kMiddle && below <= kMiddle + 4) return false;
    }
    value = static_cast<T>(negative_ ? -magnitude : magnitude);
    return true;
  }
}

}  // namespace onward::server
