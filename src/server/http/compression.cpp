#include "server/http/compression.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

namespace onward::server::http {
namespace {

constexpr size_t kWorthIt = 1024;
constexpr size_t kChunk = 256 * 1024;
constexpr int kEitherHeader = MAX_WBITS + 32;  // zlib or gzip, told by its first bytes
constexpr int kGzipHeader = MAX_WBITS + 16;
constexpr int kFastest = 1;

// Whether `coding` is listed without "q=0".
bool accepts(std::string_view header, std::string_view coding) {
  while (!header.empty()) {
    const size_t comma = header.find(',');
    std::string_view item = header.substr(0, comma);
    header = comma == std::string_view::npos ? std::string_view() : header.substr(comma + 1);
    const size_t start = item.find_first_not_of(' ');
    if (start == std::string_view::npos) continue;
    item.remove_prefix(start);
    const std::string_view name = item.substr(0, item.find_first_of("; "));
    const bool refused = item.find("q=0") != std::string_view::npos && item.find("q=0.") == std::string_view::npos;
    if (same_name(name, coding)) return !refused;
  }
  return false;
}

}  // namespace

Bytes decompress(const Bytes& body, std::string_view encoding, size_t limit) {
  if (encoding.empty() || same_name(encoding, "identity")) return body;
  if (!same_name(encoding, "gzip") && !same_name(encoding, "deflate")) {
    fail_unsupported(fmt::format("Content-Encoding \"{}\" is not supported", encoding), "send gzip, deflate or none");
  }
  z_stream stream{};
  if (inflateInit2(&stream, kEitherHeader) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  std::vector<std::byte> out;
  int status = Z_OK;
  while (status == Z_OK) {
    const size_t before = out.size();
    if (before > limit) {
      throw Error(Code::kOutOfRange, fmt::format("the decompressed body is larger than {} bytes", limit));
    }
    out.resize(before + std::max(kChunk, before / 2));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  if (status != Z_STREAM_END || stream.avail_in != 0) fail_invalid("the compressed body is damaged or cut off");
  if (out.size() > limit) {
    throw Error(Code::kOutOfRange, fmt::format("the decompressed body is larger than {} bytes", limit));
  }
  return Bytes::from_vector(std::move(out));
}

void compress(Response& response, std::string_view accept_encoding) {
  if (accept_encoding.empty() || response.size() < kWorthIt) return;
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
