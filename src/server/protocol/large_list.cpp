#include "server/protocol/large_list.h"

namespace onward::server {

ir::Dims even_dims(const std::vector<uint8_t>& closed, size_t rank, size_t ends) {
  const size_t count = closed.size();
  // After how many values the lists of each depth end first, the innermost ones in front.
  std::vector<size_t> strides;
  for (size_t i = 1; i < count && strides.size() + 1 < rank; ++i) {
    while (strides.size() < closed[i] && strides.size() + 1 < rank) strides.push_back(i);
  }
  strides.resize(rank, count);
  for (size_t i = 1; i < rank; ++i) {
    if (strides[i] % strides[i - 1] != 0) return {};
  }
  if (ends != count / strides.front() - 1) return {};
  for (size_t i = strides.front(); i < count; i += strides.front()) {
    size_t depth = 0;
    while (depth < rank && i % strides[depth] == 0) ++depth;
    if (closed[i] != depth) return {};
  }
  ir::Dims dims(rank);
  for (size_t i = 0; i < rank; ++i) {
    dims[rank - 1 - i] = static_cast<int64_t>(strides[i] / (i == 0 ? 1 : strides[i - 1]));
  }
  return dims;
}

}  // namespace onward::server
