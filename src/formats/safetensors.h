// The safetensors format: a little-endian header length, a JSON header and the raw bytes of the tensors.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/array.h"

namespace onward::safetensors {

struct File {
  std::vector<std::pair<std::string, Array>> tensors;  // in the order of the header; data are slices of the file
  std::vector<std::pair<std::string, std::string>> metadata;
};

// True where the bytes could be one: a header length that fits and a brace behind it.
bool looks_like(ByteView file);

// Throws Error(kDataLoss) unless every tensor has exactly the bytes of its shape and the tensors cover the data without
// gap or overlap, as the format demands.
File read(const Bytes& file, std::string_view what);

}  // namespace onward::safetensors
