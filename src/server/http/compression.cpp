#include "server/http/compression.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

namespace onward::server::http {
namespace {

constexpr size_t kWorthIt = 1024;
constexpr size_t kTooLarge = size_t{1} << 30;
constexpr size_t kChunk = 256 * 1024;
constexpr int kEitherHeader = MAX_WBITS + 32;  // zlib or gzip, told by its first bytes
constexpr int kGzipHeader = MAX_WBITS + 16;
constexpr int kFastest = 1;

// "x-gzip" is what gzip was called first.
bool is_gzip(std::string_view coding) { return same_name(coding, "gzip") || same_name(coding, "x-gzip"); }

// Whether a weight ("q=0.5", the last parameter) is zero.
bool refuses(std::string_view parameters) {
  const size_t at = parameters.find("q=");
  return at != std::string_view::npos && parameters.substr(at + 2).find_first_of("123456789") == std::string_view::npos;
}

// Whether `coding` is listed without a weight of zero.
bool accepts(std::string_view header, std::string_view coding) {
  while (!header.empty()) {
    const size_t comma = header.find(',');
    std::string_view item = header.substr(0, comma);
    header = comma == std::string_view::npos ? std::string_view() : header.substr(comma + 1);
    const size_t start = item.find_first_not_of(" \t");
    if (start == std::string_view::npos) continue;
    item.remove_prefix(start);
    const size_t end = std::min(item.find_first_of("; \t"), item.size());
    const std::string_view name = item.substr(0, end);
    if (same_name(name, coding) || (coding == "gzip" && is_gzip(name))) return !refuses(item.substr(end));
  }
  return false;
}

// zlib counts in 32 bits.
uInt part_of(size_t size) { return static_cast<uInt>(std::min<size_t>(size, size_t{1} << 30)); }

// What was inflated, and room that is written to next.
struct Inflated {
  std::vector<std::byte> bytes;
  size_t used = 0;
  size_t limit = 0;

  void check() const {
    if (used > limit) {
      throw Error(Code::kOutOfRange, fmt::format("the decompressed body is larger than {} bytes", limit));
    }
  }
};

// Inflates one stream; what follows it is left in `input`.
void inflate_one(z_stream& stream, ByteView& input, Inflated& out) {
  int status = Z_OK;
  while (status == Z_OK) {
    out.check();
    if (out.used == out.bytes.size()) out.bytes.resize(out.used + std::max(kChunk, out.used / 2));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
    stream.next_out = reinterpret_cast<Bytef*>(out.bytes.data() + out.used);
    const uInt given = stream.avail_in = part_of(input.size());
    const uInt room = stream.avail_out = part_of(out.bytes.size() - out.used);
    status = inflate(&stream, Z_NO_FLUSH);
    out.used += room - stream.avail_out;
    input = input.subspan(given - stream.avail_in);
  }
  if (status != Z_STREAM_END) fail_invalid("the compressed body is damaged or cut off");
}

}  // namespace

Bytes decompress(const Bytes& body, std::string_view encoding, size_t limit) {
  if (encoding.empty() || same_name(encoding, "identity")) return body;
  const bool gzip = is_gzip(encoding);
  if (!gzip && !same_name(encoding, "deflate")) {
    fail_unsupported(fmt::format("Content-Encoding \"{}\" is not supported", encoding), "send gzip, deflate or none");
  }
  z_stream stream{};
  if (inflateInit2(&stream, kEitherHeader) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  ByteView input = body.view();
  Inflated out{.limit = limit};
  inflate_one(stream, input, out);
  // A gzip file may be several, one after another.
  while (gzip && !input.empty()) {
    inflateReset(&stream);
    inflate_one(stream, input, out);
  }
  if (!input.empty()) fail_invalid("the compressed body is damaged or cut off");
  out.check();
  out.bytes.resize(out.used);
  return Bytes::from_vector(std::move(out.bytes));
}

void compress(Response& response, std::string_view accept_encoding) {
  if (accept_encoding.empty() || response.size() < kWorthIt || response.size() > kTooLarge) return;
  const bool gzip = accepts(accept_encoding, "gzip");
  if (!gzip && !accepts(accept_encoding, "deflate")) return;
  z_stream stream{};
  if (deflateInit2(&stream, kFastest, Z_DEFLATED, gzip ? kGzipHeader : MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return;
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, deflateEnd);
  std::vector<std::byte> out(deflateBound(&stream, response.size()));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  for (size_t i = 0; i < response.body.size(); ++i) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(response.body[i].data()));
    stream.avail_in = static_cast<uInt>(response.body[i].size());
    deflate(&stream, i + 1 == response.body.size() ? Z_FINISH : Z_NO_FLUSH);
  }
  out.resize(stream.total_out);
  response.body = {Bytes::from_vector(std::move(out))};
  response.headers.emplace_back("Content-Encoding", gzip ? "gzip" : "deflate");
}

}  // namespace onward::server::http
