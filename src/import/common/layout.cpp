#include "import/common/layout.h"

#include <algorithm>

#include "import/common/axes.h"

namespace onward::importer {

std::vector<int64_t> channels_to_front(std::size_t rank) {
  std::vector<int64_t> perm = all_axes(rank);
  std::rotate(perm.begin() + 1, perm.end() - 1, perm.end());
  return perm;
}

std::vector<int64_t> channels_to_back(std::size_t rank) {
  std::vector<int64_t> perm = all_axes(rank);
  std::rotate(perm.begin() + 1, perm.begin() + 2, perm.end());
  return perm;
}

}  // namespace onward::importer
