// Pictures in files: PNG and JPEG in, PNG out.
//
// The files are untrusted: pixels are counted before any are decoded, and damaged files throw Error(kDataLoss).
#pragma once

#include <string_view>

#include "formats/array.h"

namespace onward::image {

// More pixels than that are refused with Error(kResourceExhausted).
constexpr uint64_t kMaxPixels = uint64_t{1} << 26;

// Whether the bytes begin like a PNG or a JPEG.
bool looks_like(ByteView file);

// [height, width, channels] of uint8, or uint16 where a PNG has 16 bits. One channel for grey, three for colour and
// palettes; transparency is dropped. A JPEG's EXIF orientation is not applied. `what` names the file in messages.
Array read(const Bytes& file, std::string_view what);

// An 8-bit PNG from uint8 of [height, width] or [height, width, 1 or 3].
Bytes encode_png(const Array& image);

}  // namespace onward::image
