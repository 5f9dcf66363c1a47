// Numbering and reordering dimensions.
#pragma once

#include <limits>

#include "ir/builder.h"

namespace onward::importer {

constexpr int64_t kToEnd = std::numeric_limits<int64_t>::max();

// 0, 1, … rank - 1.
std::vector<int64_t> all_axes(size_t rank);
// The dimension `from` stands at `to`, the others keep their order. Axes may be negative.
ir::Value* move_axis(ir::Builder& b, ir::Value* x, int64_t from, int64_t to);
// The two dimensions change places.
ir::Value* swap_axes(ir::Builder& b, ir::Value* x, int64_t from, int64_t to);
// Backwards along some dimensions.
ir::Value* flipped(ir::Builder& b, ir::Value* x, const std::vector<int64_t>& axes);
// A vector of numbers that varies along `axis` (not negative) of a tensor of `rank` dimensions.
ir::Value* along(ir::Builder& b, ir::Value* vector, int64_t axis, size_t rank);
// 0, 1, … count - 1 as int64; `count` of rank 0 or 1.
ir::Value* counting(ir::Builder& b, ir::Value* count);

}  // namespace onward::importer
