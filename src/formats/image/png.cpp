#include <fmt/format.h>
#include <spng.h>

#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "formats/image/codecs.h"

namespace onward::image {
namespace {

constexpr std::string_view kSignature("\x89PNG\r\n\x1a\n", 8);

struct FreeContext {
  void operator()(spng_ctx* context) const { spng_ctx_free(context); }
};
using Context = std::unique_ptr<spng_ctx, FreeContext>;

Context new_context(int flags) {
  Context context(spng_ctx_new(flags));
  if (!context) throw std::bad_alloc();
  return context;
}

void check(int status, std::string_view what) {
  if (status != 0) fail_data(fmt::format("{}: a damaged PNG ({})", what, spng_strerror(status)));
}

struct Pixels {
  std::vector<std::byte> data;
  size_t channels;  // as decoded
  size_t size;      // bytes of one channel
};

// spng turns palettes and few bits into bytes; 16 bits and transparency come as they are in the file.
Pixels decode(spng_ctx* context, const spng_ihdr& header, std::string_view what) {
  const bool wide = header.bit_depth == 16;
  int format = SPNG_FMT_PNG;
  size_t channels = 1;
  switch (header.color_type) {
    case SPNG_COLOR_TYPE_GRAYSCALE:
      if (!wide) format = SPNG_FMT_G8;
      break;
    case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA:
      channels = 2;
      break;
    case SPNG_COLOR_TYPE_TRUECOLOR_ALPHA:
      channels = wide ? 4 : 3;
      if (!wide) format = SPNG_FMT_RGB8;
      break;
    default:
      channels = 3;
      if (!wide) format = SPNG_FMT_RGB8;
  }
  Pixels pixels{{}, channels, size_t{wide ? 2U : 1U}};
  size_t bytes = 0;
  check(spng_decoded_image_size(context, format, &bytes), what);
  if (bytes != size_t{header.width} * header.height * channels * pixels.size) {
    fail_data(fmt::format("{}: a PNG whose pixels do not add up", what));
  }
  pixels.data.resize(bytes);
  check(spng_decode_image(context, pixels.data.data(), bytes, format, 0), what);
  return pixels;
}

// Drops the last channel, which is the transparency.
void drop_alpha(Pixels& pixels) {
  const size_t item = pixels.channels * pixels.size;
  const size_t kept = item - pixels.size;
  std::byte* to = pixels.data.data();
  for (size_t from = 0; from < pixels.data.size(); from += item, to += kept) {
    std::memmove(to, pixels.data.data() + from, kept);
  }
  pixels.data.resize(pixels.data.size() / item * kept);
  --pixels.channels;
}

}  // namespace

bool is_png(ByteView file) { return as_text(file).starts_with(kSignature); }

Array read_png(const Bytes& file, std::string_view what) {
  const Context context = new_context(0);
  spng_set_image_limits(context.get(), kMaxPixels, kMaxPixels);
  spng_set_chunk_limits(context.get(), size_t{64} << 20, size_t{64} << 20);
  check(spng_set_png_buffer(context.get(), file.data(), file.size()), what);
  spng_ihdr header{};
  check(spng_get_ihdr(context.get(), &header), what);
  check_pixels(header.width, header.height, what);
  Pixels pixels = decode(context.get(), header, what);
  if (pixels.channels == 2 || pixels.channels == 4) drop_alpha(pixels);
  return {pixels.size == 2 ? "uint16" : "uint8",
          {header.height, header.width, static_cast<int64_t>(pixels.channels)},
          Bytes::from_vector(std::move(pixels.data)),
          {}};
}

Bytes encode_png(const Array& image) {
  const size_t rank = image.shape.size();
  const int64_t channels = rank == 3 ? image.shape[2] : 1;
  if (image.dtype != "uint8" || rank < 2 || rank > 3 || (channels != 1 && channels != 3)) {
    fail_invalid("only uint8 of [height, width] or [height, width, 1 or 3] can be a PNG");
  }
  check_pixels(static_cast<uint64_t>(image.shape[1]), static_cast<uint64_t>(image.shape[0]), "PNG");
  const Context context = new_context(SPNG_CTX_ENCODER);
  spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header{};
  header.width = static_cast<uint32_t>(image.shape[1]);
  header.height = static_cast<uint32_t>(image.shape[0]);
  header.bit_depth = 8;
  header.color_type = channels == 3 ? SPNG_COLOR_TYPE_TRUECOLOR : SPNG_COLOR_TYPE_GRAYSCALE;
  check(spng_set_ihdr(context.get(), &header), "PNG");
  check(spng_encode_image(context.get(), image.data.data(), image.data.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE),
        "PNG");
  size_t size = 0;
  int status = 0;
  const std::unique_ptr<void, decltype(&std::free)> buffer(spng_get_png_buffer(context.get(), &size, &status),
                                                           &std::free);
  check(status, "PNG");
  return Bytes::copy_of({static_cast<const std::byte*>(buffer.get()), size});
}

}  // namespace onward::image
