#include "server/access.h"

#include <openssl/crypto.h>

#include <optional>

#include "server/http/message.h"

namespace onward::server {
namespace {

// In constant time, so that a key can't be guessed byte by byte.
bool same_key(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

void check_access(const KeyRing& ring, bool admin, Role needed, std::string_view authorization,
                  std::string_view api_key) {
  if (needed == Role::kAdmin && !admin) {
    throw Error(Code::kPermissionDenied, "managing models by request is off", "start the server with --admin");
  }
  if (needed == Role::kOpen || !ring.wanted()) return;
  constexpr std::string_view kBearer = "Bearer ";
  const bool bearer = http::same_name(authorization.substr(0, kBearer.size()), kBearer);
  const std::string_view given = bearer ? authorization.substr(kBearer.size()) : api_key;
  std::optional<Role> role;
  const auto keys = ring.keys();
  for (const ApiKey& key : *keys) {
    if (same_key(key.key, given)) role = key.role;
  }
  if (!role) {
    throw Error(Code::kUnauthenticated, given.empty() ? "an API key is wanted" : "the API key is not known",
                "send it as \"Authorization: Bearer KEY\" or \"X-API-Key: KEY\"");
  }
  if (*role < needed) throw Error(Code::kPermissionDenied, "this API key may not manage models");
}

}  // namespace onward::server
