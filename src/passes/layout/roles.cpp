#include "passes/layout/roles.h"

#include <algorithm>
#include <unordered_map>

namespace onward::passes::layout {

std::vector<int64_t> channels_first(size_t rank) {
  std::vector<int64_t> perm{0, static_cast<int64_t>(rank) - 1};
  for (size_t i = 1; i + 1 < rank; ++i) perm.push_back(static_cast<int64_t>(i));
  return perm;
}

std::vector<int64_t> channels_last(size_t rank) {
  std::vector<int64_t> perm{0};
  for (size_t i = 2; i < rank; ++i) perm.push_back(static_cast<int64_t>(i));
  perm.push_back(1);
  return perm;
}

int64_t moved_axis(int64_t axis, size_t rank) {
  const auto last = static_cast<int64_t>(rank) - 1;
  if (axis < 0) axis += last + 1;
  if (axis == 0) return 0;
  return axis == last ? 1 : axis + 1;
}

bool can_move(const ir::Value* value) {
  return value != nullptr && value->kind == ir::Kind::kTensor && value->shape && value->shape->size() >= kMinRank &&
         value->shape->size() <= kMaxRank;
}

bool moves_only_ones(const ir::Value* value) {
  const ir::Shape& shape = *value->shape;
  const auto is_one = [](const ir::Dim& dim) { return dim.is_known() && dim.value() == 1; };
  return is_one(shape.back()) || std::all_of(shape.begin() + 1, shape.end() - 1, is_one);
}

ir::Values rebuild(const ir::Node& node, ir::Builder& b, ir::Values inputs, const ir::Attrs& changed) {
  ir::Attrs attrs = node.attrs;
  for (const auto& [name, attr] : changed) attrs.set(name, attr);
  ir::Values outputs = b.ops(node.op_type, inputs, node.outputs().size(), std::move(attrs));
  if (outputs.front()->producer() != nullptr) outputs.front()->producer()->name = node.name;
  return outputs;
}

ir::Value* moved_vector(ir::Builder& b, ir::Value* vector, size_t rank) {
  return b.Gather(vector, b.ints(channels_first(rank)), 0);
}

std::vector<int64_t> moved_vector(const std::vector<int64_t>& kept) {
  std::vector<int64_t> moved;
  for (const int64_t axis : channels_first(kept.size())) moved.push_back(kept[static_cast<size_t>(axis)]);
  return moved;
}

const LayoutRule* find_rule(const ir::Node& node) {
  static const std::unordered_map<std::string_view, LayoutRule> kRules = [] {
    RuleTable table;
    add_elementwise_rules(table);
    add_axis_rules(table);
    add_shape_rules(table);
    return std::unordered_map<std::string_view, LayoutRule>(table.begin(), table.end());
  }();
  if (!node.domain.empty()) return nullptr;
  const auto found = kRules.find(node.op_type);
  return found == kRules.end() ? nullptr : &found->second;
}

}  // namespace onward::passes::layout
