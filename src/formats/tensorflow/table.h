// LevelDB tables (.ldb, a TensorBundle's .index): sorted keys with values, in checksummed blocks.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace onward::tensorflow {

// Every key and value, in the file's order. Throws Error(kDataLoss) for a damaged table, kUnimplemented for a
// compressed one (TensorFlow writes none).
std::vector<std::pair<std::string, Bytes>> read_table(const Bytes& file, const std::string& what);

}  // namespace onward::tensorflow
