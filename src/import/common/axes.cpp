#include "import/common/axes.h"

#include <numeric>

namespace onward::importer {

using ir::DType;
using ir::Value;

std::vector<int64_t> all_axes(size_t rank) {
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Value* move_axis(ir::Builder& b, Value* x, int64_t from, int64_t to) {
  std::vector<int64_t> perm = all_axes(x->rank());
  if (from < 0) from += static_cast<int64_t>(perm.size());
  if (to < 0) to += static_cast<int64_t>(perm.size());
  perm.erase(perm.begin() + from);
  perm.insert(perm.begin() + to, from);
  return b.Transpose(x, perm);
}

Value* swap_axes(ir::Builder& b, Value* x, int64_t from, int64_t to) {
  std::vector<int64_t> perm = all_axes(x->rank());
  const auto place = [&](int64_t axis) {
    return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(perm.size()) : axis);
  };
  std::swap(perm.at(place(from)), perm.at(place(to)));
  return b.Transpose(x, perm);
}

Value* flipped(ir::Builder& b, Value* x, const std::vector<int64_t>& axes) {
  if (axes.empty() || (x->has_rank() && x->rank() == 0)) return x;
  const std::vector<int64_t> back(axes.size(), -1);
  const std::vector<int64_t> start(axes.size(), std::numeric_limits<int64_t>::min());
  return b.Slice(x, b.ints(back), b.ints(start), b.ints(axes), b.ints(back));
}

Value* along(ir::Builder& b, Value* vector, int64_t axis, size_t rank) {
  if (rank == 1) return vector;
  std::vector<int64_t> shape(rank, 1);
  shape.at(static_cast<size_t>(axis)) = -1;
  return b.Reshape(vector, shape);
}

Value* counting(ir::Builder& b, Value* count) {
  Value* scalar = count->rank() == 0 ? count : b.Squeeze(count, {0});
  return b.Range(b.i64(0), b.Cast(scalar, DType::kInt64), b.i64(1));
}

}  // namespace onward::importer
