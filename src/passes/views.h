// What passes over views (Transpose, Reshape and their like) ask of them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace onward::passes {

// The order in which a Transpose puts its input's axes; empty where the file leaves it out and the rank is not known.
std::vector<int64_t> permutation_of(const ir::Node& transpose);
// Whether a Transpose surely leaves the elements in their order: only axes of length 1 change place.
bool keeps_order(const ir::Node& transpose);
// The constant with which a Reshape of `x` gives `shape`; 0: as in x, -1: what is left. Nothing where a dim is 0, or
// more than one that is not known is no dim of x at the same place.
std::optional<std::vector<int64_t>> reshape_target(const ir::Shape& shape, const ir::Value& x);

}  // namespace onward::passes
