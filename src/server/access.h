// Who may do what: API keys and roles, the same over HTTP and gRPC.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "server/options.h"

namespace onward::server {

// The API keys of now; thread-safe.
class KeyRing {
 public:
  explicit KeyRing(std::vector<ApiKey> keys) { replace(std::move(keys)); }
  std::shared_ptr<const std::vector<ApiKey>> keys() const { return keys_.load(); }
  // Whether callers need one at all.
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }
  void replace(std::vector<ApiKey> keys) {
    wanted_ = !keys.empty();
    keys_ = std::make_shared<const std::vector<ApiKey>>(std::move(keys));
  }

 private:
  std::atomic<bool> wanted_{false};
  std::atomic<std::shared_ptr<const std::vector<ApiKey>>> keys_;
};

// `admin` is whether managing is on at all. `authorization` ("Bearer KEY") and `api_key` as the caller sent them, empty
// where they are missing. Throws Error: kUnauthenticated for a missing or unknown key, kPermissionDenied where the role
// does not suffice or managing is off.
void check_access(const KeyRing& ring, bool admin, Role needed, std::string_view authorization,
                  std::string_view api_key);

}  // namespace onward::server
