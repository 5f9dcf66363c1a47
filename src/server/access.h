// Who may do what: API keys and roles, the same over HTTP and gRPC.
#pragma once

#include <string_view>

#include "server/options.h"

namespace onward::server {

// `authorization` ("Bearer KEY") and `api_key` as the caller sent them, empty where they are missing. Throws Error:
// kUnauthenticated for a missing or unknown key, kPermissionDenied where the role does not suffice or managing is off.
void check_access(const ServeOptions& options, Role needed, std::string_view authorization, std::string_view api_key);

}  // namespace onward::server
