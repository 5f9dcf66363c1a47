// What the fuzz targets share: an expected refusal is no finding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"

namespace onward {

// Runs `read` on a copy of the input; an onward::Error is how a reader should refuse a file.
template <class Read>
int fuzz_one(const uint8_t* data, size_t size, const Read& read) {
  try {
    read(Bytes::copy_of(std::as_bytes(std::span(data, size))));
  } catch (const Error&) {
  }
  return 0;
}

}  // namespace onward
