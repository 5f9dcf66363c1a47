#include "formats/image/image.h"

#include <fmt/format.h>

#include "base/error.h"
#include "formats/image/codecs.h"

namespace onward::image {

bool looks_like(ByteView file) { return is_png(file) || is_jpeg(file); }

Array read(const Bytes& file, std::string_view what) {
  if (is_png(file.view())) return read_png(file, what);
  if (is_jpeg(file.view())) return read_jpeg(file, what);
  fail_invalid(fmt::format("{} is neither PNG nor JPEG", what), "save the picture as PNG");
}

void check_pixels(uint64_t width, uint64_t height, std::string_view what) {
  if (width == 0 || height == 0) fail_data(fmt::format("{}: a picture without pixels", what));
  if (width > kMaxPixels || height > kMaxPixels || width * height > kMaxPixels) {
    throw Error(Code::kResourceExhausted,
                fmt::format("{}: {} x {} pixels are more than the {} allowed", what, width, height, kMaxPixels),
                "make the picture smaller");
  }
}

}  // namespace onward::image
