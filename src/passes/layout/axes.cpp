// Operators along axes, and those that drop or add axes, on moved values.
#include <algorithm>

#include "passes/layout/roles.h"
#include "passes/rewrite.h"

namespace onward::passes::layout {
namespace {

using ir::Node;
using ir::Value;

std::vector<int64_t> normalized(std::vector<int64_t> axes, size_t rank) {
  for (int64_t& axis : axes) axis = axis < 0 ? axis + static_cast<int64_t>(rank) : axis;
  return axes;
}

std::vector<int64_t> moved_axes(const std::vector<int64_t>& axes, size_t rank) {
  std::vector<int64_t> moved;
  for (const int64_t axis : axes) moved.push_back(moved_axis(axis, rank));
  return moved;
}

// What becomes of a value when `axes` of it are dropped. Both forms keep their order, so the result of the moved one is
// the kept result, the moved result, or neither.
Role role_without(const Value* x, const std::vector<int64_t>& axes) {
  if (!can_move(x)) return Role::kFixed;
  std::vector<int64_t> kept;
  std::vector<int64_t> moved;
  const std::vector<int64_t> dropped = normalized(axes, x->rank());
  const auto stays = [&](int64_t axis) { return std::find(dropped.begin(), dropped.end(), axis) == dropped.end(); };
  const std::vector<int64_t> order = channels_first(x->rank());
  for (size_t i = 0; i < order.size(); ++i) {
    if (stays(static_cast<int64_t>(i))) kept.push_back(static_cast<int64_t>(i));
    if (stays(order[i])) moved.push_back(order[i]);
  }
  if (kept == moved) return Role::kAbsorbs;
  return kept.size() >= kMinRank && moved_vector(kept) == moved ? Role::kFollows : Role::kFixed;
}

// --- one axis, given as an attribute ------------------------------------------------------------------------------

template <int64_t Default>
int64_t axis_of(const Node& node) {
  return node.attrs.get("axis", Default);
}

Role along_axis_role(const Node& node) { return can_move(node.input(0)) ? Role::kFollows : Role::kFixed; }

template <int64_t Default>
ir::Values move_along_axis(const Node& node, ir::Builder& b, const ir::Values& moved) {
  ir::Values inputs = node.inputs();
  inputs[0] = moved[0];
  return rebuild(node, b, inputs, {{"axis", moved_axis(axis_of<Default>(node), node.input(0)->rank())}});
}

Role concat_role(const Node& node) {
  bool any = false;
  for (const Value* input : node.inputs()) {
    if (!can_move(input)) return Role::kFixed;
    any = any || !input->is_constant();
  }
  return any ? Role::kFollows : Role::kFixed;
}

ir::Values move_concat(const Node& node, ir::Builder& b, const ir::Values& moved) {
  return rebuild(node, b, moved, {{"axis", moved_axis(axis_of<0>(node), node.input(0)->rank())}});
}

Role cumulative_role(const Node& node) {
  return can_move(node.input(0)) && constant_ints(node.input(1)) ? Role::kFollows : Role::kFixed;
}

ir::Values move_cumulative(const Node& node, ir::Builder& b, const ir::Values& moved) {
  const int64_t axis = moved_axis(constant_ints(node.input(1))->front(), node.input(0)->rank());
  return rebuild(node, b, {moved[0], b.i64(axis)});
}

Role gather_role(const Node& node) {
  if (node.input(1) == nullptr || !node.input(1)->shape || !can_move(node.input(0))) return Role::kFixed;
  if (node.input(1)->rank() == 1) return Role::kFollows;
  return node.input(1)->rank() == 0 ? role_without(node.input(0), {axis_of<0>(node)}) : Role::kFixed;
}

Role arg_role(const Node& node) {
  if (node.attrs.get("keepdims", int64_t{1}) != 0) return along_axis_role(node);
  return role_without(node.input(0), {axis_of<0>(node)});
}

// --- axes, given as an input --------------------------------------------------------------------------------------

// Nothing where they are computed; all of them where they are absent.
std::optional<std::vector<int64_t>> reduced_axes(const Node& node) {
  std::vector<int64_t> axes;
  if (node.input(1) != nullptr) {
    const auto given = constant_ints(node.input(1));
    if (!given) return std::nullopt;
    axes = *given;
  }
  if (axes.empty() && node.attrs.get("noop_with_empty_axes", int64_t{0}) == 0) {
    for (size_t i = 0; i < node.input(0)->rank(); ++i) axes.push_back(static_cast<int64_t>(i));
  }
  return axes;
}

Role reduce_role(const Node& node) {
  if (!can_move(node.input(0))) return Role::kFixed;
  const auto axes = reduced_axes(node);
  if (!axes || axes->empty()) return Role::kFixed;
  return node.attrs.get("keepdims", int64_t{1}) != 0 ? Role::kFollows : role_without(node.input(0), *axes);
}

ir::Values move_reduce(const Node& node, ir::Builder& b, const ir::Values& moved) {
  std::vector<int64_t> axes = moved_axes(*reduced_axes(node), node.input(0)->rank());
  std::sort(axes.begin(), axes.end());
  return rebuild(node, b, {moved[0], b.ints(axes)});
}

Role squeeze_role(const Node& node) {
  const auto axes = constant_ints(node.input(1));
  return axes ? role_without(node.input(0), *axes) : Role::kFixed;
}

ir::Values move_squeeze(const Node& node, ir::Builder& b, const ir::Values& moved) {
  std::vector<int64_t> axes = moved_axes(*constant_ints(node.input(1)), node.input(0)->rank());
  std::sort(axes.begin(), axes.end());
  return rebuild(node, b, {moved[0], b.ints(axes)});
}

// Unsqueeze is a squeeze seen from its result.
Role unsqueeze_role(const Node& node) {
  const auto axes = constant_ints(node.input(1));
  if (!axes || !can_move(node.output())) return Role::kFixed;
  const Role role = role_without(node.output(), *axes);
  return role == Role::kAbsorbs ? Role::kProduces : role;
}

ir::Values move_unsqueeze(const Node& node, ir::Builder& b, const ir::Values& moved) {
  std::vector<int64_t> axes = moved_axes(*constant_ints(node.input(1)), node.output()->rank());
  std::sort(axes.begin(), axes.end());
  Value* x = unsqueeze_role(node) == Role::kProduces ? node.input(0) : moved[0];
  return rebuild(node, b, {x, b.ints(axes)});
}

constexpr std::string_view kReductions[] = {"ReduceL1",  "ReduceL2",       "ReduceLogSum", "ReduceLogSumExp",
                                            "ReduceMax", "ReduceMean",     "ReduceMin",    "ReduceProd",
                                            "ReduceSum", "ReduceSumSquare"};

}  // namespace

void add_axis_rules(RuleTable& table) {
  for (const std::string_view op : {"Softmax", "LogSoftmax", "Hardmax", "TopK", "LpNormalization"}) {
    table.push_back({op, {along_axis_role, move_along_axis<-1>, true}});
  }
  for (const std::string_view op : {"ArgMax", "ArgMin"}) table.push_back({op, {arg_role, move_along_axis<0>, true}});
  table.push_back({"Split", {along_axis_role, move_along_axis<0>}});
  table.push_back({"Gather", {gather_role, move_along_axis<0>}});
  table.push_back({"Concat", {concat_role, move_concat}});
  table.push_back({"CumSum", {cumulative_role, move_cumulative, true}});
  for (const std::string_view op : kReductions) table.push_back({op, {reduce_role, move_reduce}});
  table.push_back({"Squeeze", {squeeze_role, move_squeeze}});
  table.push_back({"Unsqueeze", {unsqueeze_role, move_unsqueeze}});
}

}  // namespace onward::passes::layout
