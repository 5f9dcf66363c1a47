// CRC-32C (Castagnoli), as LevelDB tables and TensorBundles use it.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace onward::tensorflow {

uint32_t crc32c(ByteView bytes, uint32_t start = 0);
// The rotated and offset form that is stored beside data which itself holds checksums.
inline uint32_t masked_crc(uint32_t crc) { return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U; }

}  // namespace onward::tensorflow
