// How each operator works on values whose channels were moved from the last axis to axis 1.
//
// A value of rank 3 to 5 is "kept" when it is stored as the graph says, and "moved" when it is stored transposed by
// channels_first(rank). The operators that don't care which, once their axes are adapted, are in the table here.
#pragma once

#include <string_view>
#include <vector>

#include "ir/builder.h"

namespace onward::passes::layout {

constexpr size_t kMinRank = 3;
constexpr size_t kMaxRank = 5;

// [0, rank - 1, 1, …, rank - 2] and its inverse.
std::vector<int64_t> channels_first(size_t rank);
std::vector<int64_t> channels_last(size_t rank);
// Where axis `axis` (may be negative) of a kept value lies in the moved one.
int64_t moved_axis(int64_t axis, size_t rank);
bool can_move(const ir::Value* value);
// Whether moving reorders only axes of length 1, so that both forms have the same bytes.
bool moves_only_ones(const ir::Value* value);

enum class Role {
  kFixed,     // kept inputs, kept outputs
  kFollows,   // moved inputs give moved outputs
  kAbsorbs,   // the outputs are the same whether the first input is moved or not
  kProduces,  // the outputs can be moved although the inputs are not
};

struct LayoutRule {
  Role (*role)(const ir::Node& node);
  // The node on moved inputs, built at `b`. `moved[i]` is input i moved where it can be, and as it is otherwise.
  // Returns the outputs, moved but for kAbsorbs.
  ir::Values (*move)(const ir::Node& node, ir::Builder& b, const ir::Values& moved);
  // Whether the operator is slower on moved values, so that moving must pay elsewhere.
  bool prefers_kept = false;
};

// Null: kFixed.
const LayoutRule* find_rule(const ir::Node& node);

using RuleTable = std::vector<std::pair<std::string_view, LayoutRule>>;
void add_elementwise_rules(RuleTable& table);
void add_axis_rules(RuleTable& table);
void add_shape_rules(RuleTable& table);

// Relu, Cast, Clip …: every element of the first input gives the element of the output in its place.
bool is_unary_elementwise(std::string_view op_type);

// --- helpers for the rules ---

// The same operator on other inputs, with the node's attributes but for those given.
ir::Values rebuild(const ir::Node& node, ir::Builder& b, ir::Values inputs, const ir::Attrs& changed = {});
// One entry for each axis, from the kept order into the moved one; `vector` may be computed.
ir::Value* moved_vector(ir::Builder& b, ir::Value* vector, size_t rank);
std::vector<int64_t> moved_vector(const std::vector<int64_t>& kept);

}  // namespace onward::passes::layout
