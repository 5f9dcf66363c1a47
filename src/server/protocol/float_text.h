// Printing floats: the shortest decimal that reads back as the same float, the nearest one where there are several.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace onward::server {

constexpr size_t kMaxFloatText = 24;

// Writes a finite `value` as a JSON number, spelled as std::to_chars does; returns the end. `out` must have room for
// kMaxFloatText characters.
char* write_shortest(char* out, float value);

// The same for many floats: their digits are found together, which takes a third of the time.
class FloatTexts {
 public:
  static constexpr size_t kMost = 32;

  // Up to kMost floats, which need not be aligned.
  void prepare(const std::byte* floats, size_t count);
  float value(size_t index) const { return std::bit_cast<float>(bits_[index]); }
  // As write_shortest(out, value(index)).
  char* write(char* out, size_t index) const;

 private:
  std::array<uint32_t, kMost> bits_;
  std::array<uint32_t, kMost> digits_;
  std::array<int32_t, kMost> exponents_;
};

}  // namespace onward::server
