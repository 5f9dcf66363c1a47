// Printing floats: the shortest decimal that reads back as the same float, the nearest one where there are several.
#pragma once

#include <cstddef>

namespace onward::server {

constexpr size_t kMaxFloatText = 24;

// Writes a finite `value` as a JSON number, as std::to_chars does in three times the time; returns the end. `out`
// must have room for kMaxFloatText characters.
char* write_shortest(char* out, float value);

}  // namespace onward::server
