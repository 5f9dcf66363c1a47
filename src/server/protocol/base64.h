// Base64 of RFC 4648, standard alphabet, padding required.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace onward::server {

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace onward::server
