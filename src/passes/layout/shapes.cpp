// Operators with one number for each axis (Pad, Slice, Resize, Expand, Tile), Shape and Reshape, on moved values.
#include <algorithm>
#include <numeric>

#include "passes/layout/roles.h"
#include "passes/rewrite.h"

namespace onward::passes::layout {
namespace {

using ir::Node;
using ir::Value;

bool is_absent(const Value* value) {
  return value == nullptr || (value->is_constant() && value->constant()->count() == 0);
}

// --- Pad, Slice ---------------------------------------------------------------------------------------------------

Role pad_role(const Node& node) {
  if (!can_move(node.input(0))) return Role::kFixed;
  if (node.input(3) != nullptr) return constant_ints(node.input(3)) ? Role::kFollows : Role::kFixed;
  const auto pads = constant_ints(node.input(1));
  return pads && pads->size() == 2 * node.input(0)->rank() ? Role::kFollows : Role::kFixed;
}

ir::Values move_pad(const Node& node, ir::Builder& b, const ir::Values& moved) {
  const size_t rank = node.input(0)->rank();
  ir::Values inputs = node.inputs();
  inputs[0] = moved[0];
  if (node.input(3) != nullptr) {
    std::vector<int64_t> axes = *constant_ints(node.input(3));
    for (int64_t& axis : axes) axis = moved_axis(axis, rank);
    inputs[3] = b.ints(axes);
    return rebuild(node, b, inputs);
  }
  const std::vector<int64_t> pads = *constant_ints(node.input(1));
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  std::vector<int64_t> result = moved_vector({pads.begin(), middle});
  const std::vector<int64_t> ends = moved_vector({middle, pads.end()});
  result.insert(result.end(), ends.begin(), ends.end());
  inputs[1] = b.ints(result);
  return rebuild(node, b, inputs);
}

std::optional<std::vector<int64_t>> sliced_axes(const Node& node) {
  if (node.input(3) != nullptr) return constant_ints(node.input(3));
  const auto starts = node.input(1)->shape;
  if (!starts || starts->size() != 1 || !starts->front().is_known()) return std::nullopt;
  std::vector<int64_t> axes(static_cast<size_t>(starts->front().value()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Role slice_role(const Node& node) {
  return can_move(node.input(0)) && sliced_axes(node) ? Role::kFollows : Role::kFixed;
}

ir::Values move_slice(const Node& node, ir::Builder& b, const ir::Values& moved) {
  std::vector<int64_t> axes = *sliced_axes(node);
  for (int64_t& axis : axes) axis = moved_axis(axis, node.input(0)->rank());
  return rebuild(node, b, {moved[0], node.input(1), node.input(2), b.ints(axes), node.input(4)});
}

// --- Resize, Expand, Tile -----------------------------------------------------------------------------------------

Role resize_role(const Node& node) {
  return can_move(node.input(0)) && is_absent(node.input(1)) ? Role::kFollows : Role::kFixed;
}

ir::Values move_resize(const Node& node, ir::Builder& b, const ir::Values& moved) {
  const size_t rank = node.input(0)->rank();
  ir::Values inputs = node.inputs();
  inputs[0] = moved[0];
  if (const ir::Attr* axes = node.attrs.find("axes")) {
    std::vector<int64_t> adapted = axes->as_ints();
    for (int64_t& axis : adapted) axis = moved_axis(axis, rank);
    return rebuild(node, b, inputs, {{"axes", adapted}});
  }
  for (size_t i = 2; i < inputs.size(); ++i) {
    if (!is_absent(inputs[i])) inputs[i] = moved_vector(b, inputs[i], rank);
  }
  return rebuild(node, b, inputs);
}

Role per_axis_role(const Node& node) {
  const bool same_rank = can_move(node.input(0)) && node.output()->shape &&
                         node.input(0)->rank() == node.output()->rank() && node.input(1)->shape &&
                         node.input(1)->dim(0).same(ir::Dim(static_cast<int64_t>(node.output()->rank())));
  return same_rank ? Role::kFollows : Role::kFixed;
}

ir::Values move_per_axis(const Node& node, ir::Builder& b, const ir::Values& moved) {
  return rebuild(node, b, {moved[0], moved_vector(b, node.input(1), node.input(0)->rank())});
}

// --- Shape, Size, Reshape -----------------------------------------------------------------------------------------

Role absorbs_role(const Node& node) { return can_move(node.input(0)) ? Role::kAbsorbs : Role::kFixed; }

ir::Values move_shape(const Node& node, ir::Builder& b, const ir::Values& moved) {
  const auto rank = static_cast<int64_t>(node.input(0)->rank());
  const auto bound = [rank](int64_t value) { return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank); };
  const int64_t start = bound(node.attrs.get("start", int64_t{0}));
  const int64_t end = bound(node.attrs.get("end", rank));
  std::vector<int64_t> order;
  for (int64_t axis = start; axis < end; ++axis) order.push_back(moved_axis(axis, static_cast<size_t>(rank)));
  if (order.size() == 1) return {b.dim(moved[0], order[0])};
  return {b.Gather(b.Shape(moved[0]), b.ints(order), 0)};
}

ir::Values move_size(const Node&, ir::Builder& b, const ir::Values& moved) { return {b.Size(moved[0])}; }

// The spatial dims' product, or nothing.
std::optional<int64_t> spatial_size(const ir::Shape& shape) {
  int64_t size = 1;
  for (size_t i = 1; i + 1 < shape.size(); ++i) {
    if (!shape[i].is_known()) return std::nullopt;
    size *= shape[i].value();
  }
  return size;
}

// [b, s…, c] → [b, t…, c]: the spatial axes are regrouped, batch and channels stay.
bool regroups_space(const Value& from, const Value& to) {
  const ir::Dim& channels = from.shape->back();
  if (!channels.is_known() || !channels.same(to.shape->back())) return false;
  if (from.shape->front().same(to.shape->front())) return true;
  const auto before = spatial_size(*from.shape);
  return before && before == spatial_size(*to.shape);
}

// The target shape with every 0 ("as in the input") but the first resolved; nothing where that can't be.
std::optional<std::vector<int64_t>> reshape_target(const Node& node) {
  auto target = constant_ints(node.input(1));
  if (!target || node.attrs.get("allowzero", int64_t{0}) != 0) return std::nullopt;
  for (size_t i = 1; i < target->size(); ++i) {
    if ((*target)[i] != 0) continue;
    const ir::Dim dim = node.input(0)->dim(i);
    if (!dim.is_known()) return std::nullopt;
    (*target)[i] = dim.value();
  }
  return target;
}

Role reshape_role(const Node& node) {
  const Value* from = node.input(0);
  const Value* to = node.output();
  if (!from->shape || !to->shape || from->is_constant()) return Role::kFixed;
  const auto target = reshape_target(node);
  if (!target || target->size() != to->rank()) return Role::kFixed;
  if (can_move(from) && can_move(to) && regroups_space(*from, *to)) return Role::kFollows;
  if (can_move(from) && moves_only_ones(from)) return Role::kAbsorbs;
  if (can_move(to) && moves_only_ones(to)) return Role::kProduces;
  return Role::kFixed;
}

ir::Values move_reshape(const Node& node, ir::Builder& b, const ir::Values& moved) {
  const std::vector<int64_t> target = *reshape_target(node);
  switch (reshape_role(node)) {
    case Role::kAbsorbs:
      return {b.Reshape(moved[0], target)};
    case Role::kProduces:
      return {b.Reshape(node.input(0), moved_vector(target))};
    default:
      return {b.Reshape(moved[0], moved_vector(target))};
  }
}

Role flatten_role(const Node& node) {
  const bool plain = can_move(node.input(0)) && moves_only_ones(node.input(0));
  return plain && node.attrs.get("axis", int64_t{1}) == 1 ? Role::kAbsorbs : Role::kFixed;
}

ir::Values move_flatten(const Node& node, ir::Builder& b, const ir::Values& moved) {
  return rebuild(node, b, {moved[0]});
}

}  // namespace

void add_shape_rules(RuleTable& table) {
  table.push_back({"Pad", {pad_role, move_pad}});
  table.push_back({"Slice", {slice_role, move_slice}});
  table.push_back({"Resize", {resize_role, move_resize}});
  table.push_back({"Expand", {per_axis_role, move_per_axis}});
  table.push_back({"Tile", {per_axis_role, move_per_axis}});
  table.push_back({"Shape", {absorbs_role, move_shape}});
  table.push_back({"Size", {absorbs_role, move_size}});
  table.push_back({"Reshape", {reshape_role, move_reshape}});
  table.push_back({"Flatten", {flatten_role, move_flatten}});
}

}  // namespace onward::passes::layout
