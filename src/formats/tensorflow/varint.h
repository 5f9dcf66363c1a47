// Protobuf's and LevelDB's variable-length integers.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace onward::tensorflow {

// Throws Error(kDataLoss) at the end of the bytes and for more than 64 bits.
inline uint64_t read_varint(ByteReader& reader, const std::string& what) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = reader.read<uint8_t>();
    value |= static_cast<uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  fail_data(what + ": an integer of more than 64 bits");
}

}  // namespace onward::tensorflow
