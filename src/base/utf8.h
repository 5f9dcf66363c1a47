// UTF-8 to and from code points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace onward {

// Appends one code point (surrogates too, as Python's "surrogatepass" does); `code` must be at most 0x10ffff.
void append_utf8(std::string& out, uint32_t code);

// The code points of `text`; nothing where it is not UTF-8 (truncated, overlong, a surrogate, over 0x10ffff).
std::optional<std::u32string> decode_utf8(std::string_view text);

}  // namespace onward
