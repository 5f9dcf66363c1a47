// Between channels last (NHWC and kin) and ONNX's channels first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace onward::importer {

// The permutation for Transpose, and the one back.
std::vector<int64_t> channels_to_front(std::size_t rank);
std::vector<int64_t> channels_to_back(std::size_t rank);

}  // namespace onward::importer
