// NumPy's .npy and .npz files.
//
// Read: every boolean, integer, floating and complex dtype in either byte order, C or Fortran order, and fixed-width
// unicode and byte strings (trailing zeros are padding, as NumPy treats them). Refused with Error(kUnimplemented):
// pickled objects, structured and date dtypes. Damaged files throw Error(kDataLoss).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/array.h"

namespace onward::npy {

bool looks_like(ByteView file);

// The data of a little-endian array in C order is a slice of `file`.
Array read(const Bytes& file, std::string_view what);
// The arrays of an .npz in its order, named by their keys (without ".npy").
std::vector<std::pair<std::string, Array>> read_npz(const Bytes& file, std::string_view what);

// The header and the data behind it. bfloat16 and other dtypes that NumPy lacks are written as unsigned integers of the
// same size. Strings become fixed-width unicode, or bytes where they are not UTF-8.
struct Encoded {
  std::string header;
  Bytes data;
};
Encoded encode(const Array& array);

void write(const std::filesystem::path& path, const Array& array);
// Stored, not compressed. Keys may not repeat.
void write_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, Array>>& arrays);
// The bytes of such a file, for a response.
Bytes encode_npz(const std::vector<std::pair<std::string, Array>>& arrays);

}  // namespace onward::npy
