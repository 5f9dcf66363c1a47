#include <fmt/format.h>

// jpeglib.h needs size_t and FILE.
#include <cstddef>
#include <cstdio>
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>
#include <optional>

#include "base/error.h"
#include "formats/image/codecs.h"

namespace onward::image {
namespace {

// libjpeg reports an error by a function that must not return: it jumps back to `decode`, which holds nothing that
// would need destroying.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
  bool incomplete;
};

[[noreturn]] void jump_back(j_common_ptr info) {
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  info->err->format_message(info, manager->message);
  std::longjmp(manager->back, 1);
}

// Cameras write much that libjpeg warns of; only missing data make a picture wrong.
void note_warning(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  const bool missing = code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE;
  if (level < 0 && missing) reinterpret_cast<ErrorManager*>(info->err)->incomplete = true;
}

// A few bytes may claim thousands of passes over the whole picture.
constexpr int kMaxScans = 200;

void limit_scans(j_common_ptr info) {
  auto* decoder = reinterpret_cast<j_decompress_ptr>(info);
  if (decoder->input_scan_number <= kMaxScans) return;
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  std::snprintf(manager->message, sizeof manager->message, "more than %d scans", kMaxScans);
  std::longjmp(manager->back, 1);
}

struct Decoder {
  jpeg_decompress_struct info{};
  ErrorManager errors{};
  jpeg_progress_mgr progress{};

  explicit Decoder(const Bytes& file) {
    info.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = jump_back;
    errors.base.emit_message = note_warning;
    progress.progress_monitor = limit_scans;
    jpeg_create_decompress(&info);
    info.progress = &progress;
    jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&info); }

  // False: `errors.message` says why. Each of these may be left by a jump.
  bool start() {
    if (setjmp(errors.back) != 0) return false;
    jpeg_read_header(&info, TRUE);
    info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_calc_output_dimensions(&info);
    return true;
  }
  bool read_rows(unsigned char* to, size_t row_bytes) {
    if (setjmp(errors.back) != 0) return false;
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = to + info.output_scanline * row_bytes;
      jpeg_read_scanlines(&info, &row, 1);
    }
    return true;
  }
};

}  // namespace

bool is_jpeg(ByteView file) { return as_text(file).starts_with("\xff\xd8\xff"); }

Array read_jpeg(const Bytes& file, std::string_view what) {
  Decoder decoder(file);
  const auto damaged = [&] { fail_data(fmt::format("{}: a damaged JPEG ({})", what, decoder.errors.message)); };
  if (!decoder.start()) damaged();
  const size_t width = decoder.info.output_width;
  const size_t height = decoder.info.output_height;
  const auto channels = static_cast<size_t>(decoder.info.out_color_components);
  check_pixels(width, height, what);
  std::vector<std::byte> pixels(width * height * channels);
  if (!decoder.read_rows(reinterpret_cast<unsigned char*>(pixels.data()), width * channels)) damaged();
  if (decoder.errors.incomplete) fail_data(fmt::format("{}: a damaged JPEG (parts of the picture are missing)", what));
  return {"uint8",
          {static_cast<int64_t>(height), static_cast<int64_t>(width), static_cast<int64_t>(channels)},
          Bytes::from_vector(std::move(pixels)),
          {}};
}

}  // namespace onward::image
