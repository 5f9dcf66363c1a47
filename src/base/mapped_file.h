// A whole file mapped read-only into memory.
#pragma once

#include <filesystem>

#include "base/bytes.h"

namespace onward {

// Maps `path`. The returned bytes keep the mapping alive. Throws Error: kNotFound when there is no such file,
// kInvalidArgument when it is a directory or not a regular file, kPermissionDenied when it can't be read.
Bytes map_file(const std::filesystem::path& path);

// Writes `parts` one after another to `path` through a temporary file in the same folder that is renamed into place, so
// a failure leaves no half-written file. Throws Error with the system's reason.
void write_file(const std::filesystem::path& path, std::span<const ByteView> parts);

}  // namespace onward
