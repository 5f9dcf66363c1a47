#include "passes/views.h"

#include <algorithm>

namespace onward::passes {

std::vector<int64_t> permutation_of(const ir::Node& transpose) {
  if (const ir::Attr* perm = transpose.attrs.find("perm")) return perm->as_ints();
  std::vector<int64_t> reversed;
  if (transpose.input(0)->shape) {
    for (size_t i = transpose.input(0)->rank(); i-- > 0;) reversed.push_back(static_cast<int64_t>(i));
  }
  return reversed;
}

bool keeps_order(const ir::Node& transpose) {
  const auto& shape = transpose.input(0)->shape;
  if (!shape) return false;
  int64_t last = -1;
  for (const int64_t axis : permutation_of(transpose)) {
    const ir::Dim& dim = shape->at(static_cast<size_t>(axis));
    if (dim.is_known() && dim.value() == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

std::optional<std::vector<int64_t>> reshape_target(const ir::Shape& shape, const ir::Value& x) {
  std::vector<int64_t> numbers;
  for (const ir::Dim& dim : shape) {
    numbers.push_back(dim.is_known() ? dim.value() : -1);
    if (numbers.back() == 0) return std::nullopt;
  }
  auto open = std::count(numbers.begin(), numbers.end(), -1);
  for (size_t i = 0; x.shape && open > 1 && i < std::min(numbers.size(), x.rank()); ++i) {
    if (shape[i].is_known() || !x.dim(i).same(shape[i])) continue;
    numbers[i] = 0;
    --open;
  }
  return open <= 1 ? std::optional(numbers) : std::nullopt;
}

}  // namespace onward::passes
