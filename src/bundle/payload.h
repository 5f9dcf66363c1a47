// Inside src/bundle only: the zip behind a program.
//
// The file ends with the zip, its size (8 bytes, little-endian) and the 8 bytes of kMark.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "formats/zip.h"

namespace onward::bundle {

constexpr std::string_view kMark = "ONWARDB1";
constexpr const char* kDescription = "bundle.json";

struct Payload {
  uint64_t offset = 0;  // of the zip in the file
  zip::Archive archive;
};

bool has_payload(const std::filesystem::path& program);

// Throws Error(kDataLoss) for one that is cut off or damaged.
Payload open_payload(const std::filesystem::path& program);

// Unpacks all into `folder`, which appears whole, or is left as it is where another process made it meanwhile. Bytes go
// from file to file, so that this process stays small. Throws std::exception with the reason.
void unpack(const std::filesystem::path& program, const Payload& payload, const std::filesystem::path& folder);

}  // namespace onward::bundle
