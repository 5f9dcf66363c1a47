// Operators that older opsets have in another form: axes as attributes, sizes written out.
#include <algorithm>

#include "passes/opset/rules.h"

namespace onward::passes::opset {
namespace {

using ir::Node;
using ir::Value;

// --- Reduce*(data, axes; keepdims, noop_with_empty_axes) → axes as an attribute -------------------------------------

bool has_axes_input(const Node& node) {
  return node.input(1) != nullptr || node.attrs.contains("noop_with_empty_axes");
}

Outcome reduce_by_attribute(Node& node, Rewrite& rewrite) {
  const bool noop = node.attrs.get("noop_with_empty_axes", int64_t{0}) != 0;
  std::vector<int64_t> axes;
  if (node.input(1) != nullptr) {
    const auto given = constant_ints(node.input(1));
    if (!given) return Outcome::no("its axes are computed");
    axes = *given;
  }
  if (axes.empty() && noop) {
    if (!node.op_type.ends_with("Sum") && !node.op_type.ends_with("Mean") && !node.op_type.ends_with("Max") &&
        !node.op_type.ends_with("Min") && !node.op_type.ends_with("Prod")) {
      return Outcome::no("it reduces no axes");
    }
    return becomes(node, rewrite, node.input(0));
  }
  node.attrs.erase("noop_with_empty_axes");
  if (!axes.empty()) node.attrs.set("axes", axes);
  if (node.inputs().size() > 1) {
    node.set_input(1, nullptr);
    node.trim_inputs();
  }
  return Outcome::done();
}

// --- Split(input; num_outputs) → Split(input, split) ---------------------------------------------------------------

bool has_num_outputs(const Node& node) { return node.attrs.contains("num_outputs"); }

Outcome split_by_sizes(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  const int64_t parts = node.attrs.get("num_outputs", static_cast<int64_t>(node.outputs().size()));
  Value* length = b.dim(node.input(0), node.attrs.get("axis", int64_t{0}));
  Value* chunk = b.Div(b.Add(length, b.ints({parts - 1})), b.ints({parts}));
  ir::Values sizes(static_cast<size_t>(parts) - 1, chunk);
  sizes.push_back(b.Sub(length, b.Mul(chunk, b.ints({parts - 1}))));
  node.set_input(1, b.Concat(sizes, 0));
  node.attrs.erase("num_outputs");
  return Outcome::done();
}

// --- Pad(data, pads, value, axes) → pads for all axes ---------------------------------------------------------------

bool has_pad_axes(const Node& node) { return node.input(3) != nullptr; }

Outcome pad_all_axes(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  const auto axes = constant_ints(node.input(3));
  if (!axes || !node.input(0)->shape)
    return Outcome::no("its axes are computed, or the rank of its input is not known");
  const auto rank = static_cast<int64_t>(node.input(0)->rank());
  const auto count = static_cast<int64_t>(axes->size());
  ir::Values pads;
  for (const int64_t side : {0, 1}) {
    for (int64_t axis = 0; axis < rank; ++axis) {
      const auto found = std::find_if(axes->begin(), axes->end(), [&](int64_t a) { return (a + rank) % rank == axis; });
      const int64_t place = found - axes->begin() + side * count;
      pads.push_back(found == axes->end() ? b.ints({0}) : b.Slice(node.input(1), place, place + 1, 0));
    }
  }
  node.set_input(1, b.Concat(pads, 0));
  node.set_input(3, nullptr);
  node.trim_inputs();
  return Outcome::done();
}

// Pad with mode "wrap" (opset 19): slices of the other end are put on.
bool is_wrapped(const Node& node) { return node.attrs.get("mode", "constant") == "wrap"; }

Outcome pad_by_slices(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  const auto pads = constant_ints(node.input(1));
  if (!pads || node.input(3) != nullptr) return Outcome::no("its pads are computed");
  Value* x = node.input(0);
  const size_t rank = pads->size() / 2;
  for (size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<int64_t>(i);
    const int64_t begin = (*pads)[i];
    const int64_t end = (*pads)[i + rank];
    if (begin < 0 || end < 0) return Outcome::no("it has negative pads");
    ir::Values parts;
    if (begin > 0) parts.push_back(b.Slice(x, -begin, std::numeric_limits<int64_t>::max(), axis));
    parts.push_back(x);
    if (end > 0) parts.push_back(b.Slice(x, 0, end, axis));
    x = b.Concat(parts, axis);
  }
  return becomes(node, rewrite, x);
}

// --- Shape(data; start, end), Reshape(…; allowzero) ----------------------------------------------------------------

bool has_bounds(const Node& node) { return node.attrs.contains("start") || node.attrs.contains("end"); }

Outcome slice_of_shape(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* shape = b.op("Shape", {node.input(0)});
  const int64_t start = node.attrs.get("start", int64_t{0});
  const int64_t end = node.attrs.get("end", std::numeric_limits<int64_t>::max());
  return becomes(node, rewrite, b.Slice(shape, start, end, 0));
}

bool allows_zero(const Node& node) { return node.attrs.contains("allowzero"); }

Outcome reshape_without_zero(Node& node, Rewrite& rewrite) {
  const auto target = constant_ints(node.input(1));
  if (node.attrs.get("allowzero", int64_t{0}) != 0 && target && std::count(target->begin(), target->end(), 0) > 0) {
    // The result is empty: made out of nothing but its shape.
    ir::Builder& b = rewrite.b;
    if (std::count(target->begin(), target->end(), -1) > 0) return Outcome::no("it has dimensions 0 and -1 together");
    return becomes(node, rewrite, b.Fill(node.input(1), 0, node.input(0)->dtype));
  }
  node.attrs.erase("allowzero");
  return Outcome::done();
}

constexpr std::string_view kReductions[] = {"ReduceL1",   "ReduceL2",  "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
                                            "ReduceMean", "ReduceMin", "ReduceProd",   "ReduceSumSquare"};

}  // namespace

void add_forms(Table& table) {
  for (const std::string_view op : kReductions) below(table, 18, op, reduce_by_attribute, has_axes_input);
  below(table, 18, "Split", split_by_sizes, has_num_outputs);
  below(table, 18, "Pad", pad_all_axes, has_pad_axes);
  below(table, 19, "Pad", pad_by_slices, is_wrapped);
  below(table, 15, "Shape", slice_of_shape, has_bounds);
  below(table, 14, "Reshape", reshape_without_zero, allows_zero);
}

}  // namespace onward::passes::opset
