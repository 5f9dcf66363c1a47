// gzip and deflate (zlib) bodies.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "server/http/message.h"

namespace onward::server::http {

// Undoes Content-Encoding `encoding` ("", "identity", "gzip", "deflate"). Throws Error: kInvalidArgument for damaged
// data, kUnimplemented for another encoding, kOutOfRange when the result would pass `limit` bytes.
Bytes decompress(const Bytes& body, std::string_view encoding, size_t limit);

// Compresses the response when the client's Accept-Encoding allows it and it is worth it.
void compress(Response& response, std::string_view accept_encoding);

}  // namespace onward::server::http
