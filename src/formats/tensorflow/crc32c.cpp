#include "formats/tensorflow/crc32c.h"

#include <array>
#include <cstring>

namespace onward::tensorflow {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78U;  // reflected
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    tables[0][i] = crc;
  }
  for (uint32_t i = 0; i < 256; ++i) {
    for (size_t k = 1; k < 8; ++k) tables[k][i] = (tables[k - 1][i] >> 8U) ^ tables[0][tables[k - 1][i] & 0xffU];
  }
  return tables;
}

constexpr Tables kTables = make_tables();

// Eight bytes a step.
uint32_t by_tables(uint32_t crc, const std::byte* at, size_t left) {
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xffU];
  }
  for (; left > 0; --left, ++at) crc = (crc >> 8U) ^ kTables[0][(crc ^ std::to_integer<uint32_t>(*at)) & 0xffU];
  return crc;
}

#ifdef __x86_64__
// The processor's own instruction.
__attribute__((target("sse4.2"))) uint32_t by_instruction(uint32_t crc, const std::byte* at, size_t left) {
  uint64_t state = crc;
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state = __builtin_ia32_crc32di(state, word);
  }
  return by_tables(static_cast<uint32_t>(state), at, left);
}
#endif

}  // namespace

uint32_t crc32c(ByteView bytes, uint32_t start) {
#ifdef __x86_64__
  static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
  if (kHasInstruction) return ~by_instruction(~start, bytes.data(), bytes.size());
#endif
  return ~by_tables(~start, bytes.data(), bytes.size());
}

}  // namespace onward::tensorflow
