// Operators that change nothing give way to their input:
//
//   y = Identity(x)                        →  x
//   y = Dropout(x)       (not training)    →  x
//   y = Cast(x)          to its own type   →  x
//   y = Transpose(x)     in order          →  x
//   y = Reshape, Flatten, Expand(x)        →  x     where the shape surely stays
//   y = Slice, Pad, Tile, Squeeze, Split … →  x     where they take, add or repeat nothing
//   y = Add(x, 0), Mul(x, 1) …             →  x     where the number does not widen the shape
//   y = Concat, Sum, Max(x)                →  x     with one input
//   y = LSTM, GRU, RNN(…, h, c)            →  without initial states that are zero
#include <algorithm>
#include <limits>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Value;

Outcome to_input(Node& node, Rewrite& rewrite) {
  rewrite.replace(node.output(), node.input(0));
  return Outcome::done();
}

Outcome dropout(Node& node, Rewrite& rewrite) {
  const Value* training = node.input(2);
  if (training != nullptr && !is_constant_of(training, 0)) {
    const ir::Tensor* flag = constant_of(training);
    if (flag == nullptr || flag->count() != 1 || flag->as_int() != 0) return Outcome::no("it may be training");
  }
  if (node.outputs().size() > 1 && !node.output(1)->uses().empty()) return Outcome::no("the mask is used");
  return to_input(node, rewrite);
}

Outcome cast(Node& node, Rewrite& rewrite) {
  const ir::DType from = node.input(0)->dtype;
  if (from == ir::DType::kUndefined || node.output()->dtype != from) return Outcome::no("the type changes");
  return to_input(node, rewrite);
}

Outcome transpose(Node& node, Rewrite& rewrite) {
  const ir::Attr* perm = node.attrs.find("perm");
  const auto& shape = node.input(0)->shape;
  const bool short_one = perm == nullptr && shape && shape->size() < 2;
  if (!short_one && (perm == nullptr || !std::is_sorted(perm->as_ints().begin(), perm->as_ints().end()))) {
    return Outcome::no("it reorders axes");
  }
  return to_input(node, rewrite);
}

// One dimension may be unknown: the number of elements decides it.
Outcome reshape(Node& node, Rewrite& rewrite) {
  const auto& from = node.input(0)->shape;
  const auto& to = node.output()->shape;
  if (!from || !to || from->size() != to->size()) return Outcome::no("the rank changes or is unknown");
  size_t doubtful = 0;
  for (size_t i = 0; i < from->size(); ++i) {
    if ((*from)[i].same((*to)[i])) continue;
    if ((*from)[i].is_known() && (*to)[i].is_known()) return Outcome::no("the shape changes");
    ++doubtful;
  }
  if (doubtful > 1) return Outcome::no("the shape may change");
  return to_input(node, rewrite);
}

Outcome expand(Node& node, Rewrite& rewrite) {
  if (!same_shape(node.input(0), node.output())) return Outcome::no("the shape may change");
  return to_input(node, rewrite);
}

Outcome tile(Node& node, Rewrite& rewrite) {
  if (!is_constant_of(node.input(1), 1)) return Outcome::no("it may repeat");
  return to_input(node, rewrite);
}

Outcome without_axes(Node& node, Rewrite& rewrite) {
  const auto axes = constant_ints(node.input(1));
  if (!axes || !axes->empty()) return Outcome::no("it changes the shape");
  return to_input(node, rewrite);
}

Outcome split(Node& node, Rewrite& rewrite) {
  if (node.outputs().size() != 1) return Outcome::no("it has several outputs");
  return to_input(node, rewrite);
}

Outcome slice(Node& node, Rewrite& rewrite) {
  const auto starts = constant_ints(node.input(1));
  const auto ends = constant_ints(node.input(2));
  if (!starts || !ends || starts->size() != ends->size()) return Outcome::no("the bounds are computed");
  std::vector<int64_t> axes(starts->size());
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
  if (node.input(3) != nullptr) {
    const auto given = constant_ints(node.input(3));
    if (!given || given->size() != axes.size()) return Outcome::no("the axes are computed");
    axes = *given;
  }
  if (node.input(4) != nullptr && !is_constant_of(node.input(4), 1)) return Outcome::no("the steps are not 1");
  for (size_t i = 0; i < axes.size(); ++i) {
    if ((*starts)[i] != 0) return Outcome::no("it does not start at 0");
    if ((*ends)[i] >= std::numeric_limits<int32_t>::max()) continue;
    const auto& shape = node.input(0)->shape;
    if (!shape) return Outcome::no("the rank is unknown");
    const int64_t axis = axes[i] < 0 ? axes[i] + static_cast<int64_t>(shape->size()) : axes[i];
    const ir::Dim dim = node.input(0)->dim(static_cast<size_t>(axis));
    if (!dim.is_known() || (*ends)[i] < dim.value()) return Outcome::no("it may end early");
  }
  return to_input(node, rewrite);
}

Outcome pad(Node& node, Rewrite& rewrite) {
  const auto pads = constant_ints(node.input(1));
  if (!pads || std::any_of(pads->begin(), pads->end(), [](int64_t pad) { return pad != 0; })) {
    return Outcome::no("it may pad");
  }
  return to_input(node, rewrite);
}

Outcome single_input(Node& node, Rewrite& rewrite) {
  if (node.inputs().size() != 1) return Outcome::no("it has several inputs");
  return to_input(node, rewrite);
}

Outcome clip(Node& node, Rewrite& rewrite) {
  if (node.input(1) != nullptr || node.input(2) != nullptr) return Outcome::no("it has bounds");
  return to_input(node, rewrite);
}

// `number` op leaves x as it is; from the right only, or from both sides.
Outcome neutral(Node& node, Rewrite& rewrite, double number, bool both_sides) {
  for (size_t side = both_sides ? 0 : 1; side < 2; ++side) {
    Value* x = node.input(1 - side);
    const Value* constant = node.input(side);
    if (!is_constant_of(constant, number)) continue;
    const bool one = constant->constant()->count() == 1 && x->shape && constant->rank() <= x->rank();
    if (!one && !same_shape(x, node.output())) continue;
    rewrite.replace(node.output(), x);
    return Outcome::done();
  }
  return Outcome::no("no input is neutral, or it widens the shape");
}

Outcome add(Node& node, Rewrite& rewrite) { return neutral(node, rewrite, 0, true); }
Outcome sub(Node& node, Rewrite& rewrite) { return neutral(node, rewrite, 0, false); }
Outcome mul(Node& node, Rewrite& rewrite) { return neutral(node, rewrite, 1, true); }
Outcome div(Node& node, Rewrite& rewrite) { return neutral(node, rewrite, 1, false); }

Outcome initial_states(Node& node, Rewrite& /*rewrite*/) {
  constexpr size_t kHidden = 5;
  constexpr size_t kCell = 6;
  bool dropped = false;
  for (const size_t place : {kHidden, kCell}) {
    const Value* state = place < node.inputs().size() ? node.input(place) : nullptr;
    if (state == nullptr || !is_filled_with(state, 0)) continue;
    Node* producer = state->producer();
    node.set_input(place, nullptr);
    if (producer != nullptr) erase_if_dead(producer);
    dropped = true;
  }
  return dropped ? Outcome::done() : Outcome::no("no initial state, or one that is not zero");
}

constexpr Rule kRules[] = {
    {"Identity", to_input},
    {"Dropout", dropout},
    {"Cast", cast},
    {"CastLike", cast},
    {"Transpose", transpose},
    {"Reshape", reshape},
    {"Flatten", reshape},
    {"Expand", expand},
    {"Tile", tile},
    {"Squeeze", without_axes},
    {"Unsqueeze", without_axes},
    {"Split", split},
    {"Slice", slice},
    {"Pad", pad},
    {"Concat", single_input},
    {"Sum", single_input},
    {"Mean", single_input},
    {"Max", single_input},
    {"Min", single_input},
    {"Clip", clip},
    {"Add", add},
    {"Sub", sub},
    {"Mul", mul},
    {"Div", div},
    {"Pow", div},
    {"LSTM", initial_states},
    {"GRU", initial_states},
    {"RNN", initial_states},
};

}  // namespace

bool remove_identities(ir::Graph& graph, const ir::Inference& inference) {
  return apply_rules(graph, inference, kRules);
}

}  // namespace onward::passes
