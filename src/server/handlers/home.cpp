#include <fmt/format.h>

#include "server/handlers/handlers.h"
#include "server/web.h"

namespace onward::server {
namespace {

std::string_view content_type(std::string_view path) {
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  return "text/javascript; charset=utf-8";
}

void send(const Call& call, std::string_view path) {
  for (const web::EmbeddedFile& file : web::embedded_files()) {
    if (file.path != path) continue;
    http::Response response = http::text_response(std::string(file.content), std::string(content_type(path)));
    // Nothing from elsewhere, and what the server's answers hold is never run.
    response.headers.emplace_back("Content-Security-Policy",
                                  "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
                                  "frame-ancestors 'none'; base-uri 'none'");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Cache-Control", "no-cache");
    return call.respond(std::move(response));
  }
  fail_not_found(fmt::format("there is nothing at {}", call.request->path()));
}

}  // namespace

void home(const Call& call) { send(call, "index.html"); }
void web_file(const Call& call) { send(call, call.param("file")); }

}  // namespace onward::server
