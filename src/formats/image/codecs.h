// Inside src/formats/image only: one function per file format.
#pragma once

#include "formats/image/image.h"

namespace onward::image {

bool is_png(ByteView file);
bool is_jpeg(ByteView file);
Array read_png(const Bytes& file, std::string_view what);
Array read_jpeg(const Bytes& file, std::string_view what);

// Throws where there are none, or too many.
void check_pixels(uint64_t width, uint64_t height, std::string_view what);

}  // namespace onward::image
