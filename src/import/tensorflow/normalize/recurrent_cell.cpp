#include "import/tensorflow/normalize/recurrent_cell.h"

#include <algorithm>

namespace onward::importer::tf {
namespace {

using ir::Node;
using ir::Value;

// ONNX's name of an activation; empty where it knows none.
std::string activation_name(const Node* node) {
  static constexpr std::string_view kKnown[] = {"Sigmoid", "Tanh", "Relu", "Softsign", "Softplus"};
  if (node == nullptr || !node->domain.empty()) return {};
  const bool known = std::find(std::begin(kKnown), std::end(kKnown), node->op_type) != std::end(kKnown);
  return known ? node->op_type : std::string();
}

struct Activated {
  std::string name;
  Value* of = nullptr;
};
std::optional<Activated> activated(Value* value) {
  const Node* node = behind(value)->producer();
  const std::string name = activation_name(node);
  if (name.empty()) return std::nullopt;
  return Activated{name, behind(node->input(0))};
}

class CellMatcher {
 public:
  CellMatcher(const LoopView& loop, const Value* hidden) : loop_(loop), hidden_(hidden) {}

  std::optional<Affine> affine(Value* value) const {
    Affine result;
    return add_terms(value, result, 0) ? std::optional(result) : std::nullopt;
  }

 private:
  bool add_terms(Value* value, Affine& result, size_t depth) const {
    value = behind(value);
    if (depth > 8) return false;
    if (const Node* add = made_by(value, "Add"); add != nullptr && !loop_.is_outside(value)) {
      return add_terms(add->input(0), result, depth + 1) && add_terms(add->input(1), result, depth + 1);
    }
    if (const Node* product = made_by(value, "MatMul"); product != nullptr && !loop_.is_outside(value)) {
      return add_product(behind(product->input(0)), behind(product->input(1)), result);
    }
    if (!value->is_constant() || value->constant()->rank() != 1) return false;
    result.biases.push_back(value);
    return true;
  }

  bool add_product(const Value* x, Value* weights, Affine& result) const {
    if (!weights->is_constant() || weights->constant()->rank() != 2) return false;
    if (x == hidden_) return std::exchange(result.hidden_weights, weights) == nullptr;
    result.sequence = loop_.sliced(x);
    return result.sequence != nullptr && std::exchange(result.input_weights, weights) == nullptr;
  }

  const LoopView& loop_;
  const Value* hidden_;
};

bool is_last_axis(const Value* x, int64_t axis) {
  return axis == -1 || (x->shape && axis == static_cast<int64_t>(x->shape->size()) - 1);
}

// The whole number that a constant holds, if it holds one.
std::optional<int64_t> only_number(const Value* value) {
  const bool single = value != nullptr && value->is_constant() && value->constant()->count() == 1;
  return single ? std::optional(value->constant()->as_int()) : std::nullopt;
}

// Part `gate` of `count` equal parts of the last axis: a split's output or a slice.
Value* split_source(const Value* value, size_t gate, size_t count) {
  if (const Node* split = made_by(value, "Split")) {
    const bool fits = split->outputs().size() == count && value->index() == gate &&
                      is_last_axis(split->input(0), split->attrs.get("axis", int64_t{0}));
    return fits ? behind(split->input(0)) : nullptr;
  }
  const Node* slice = made_by(value, "Slice");
  if (slice == nullptr || slice->inputs().size() < 4 || !slice->input(0)->shape || slice->input(0)->shape->empty() ||
      !slice->input(0)->shape->back().is_known()) {
    return nullptr;
  }
  const int64_t whole = slice->input(0)->shape->back().value();
  const auto parts = static_cast<int64_t>(count);
  const auto part = static_cast<int64_t>(gate);
  const std::optional<int64_t> start = only_number(slice->input(1));
  const std::optional<int64_t> end = only_number(slice->input(2));
  const std::optional<int64_t> axis = only_number(slice->input(3));
  const bool steps = slice->inputs().size() < 5 || slice->input(4) == nullptr || only_number(slice->input(4)) == 1;
  const bool fits = steps && start && end && axis && is_last_axis(slice->input(0), *axis) && whole % parts == 0 &&
                    *start == part * (whole / parts) && std::min(*end, whole) == (part + 1) * (whole / parts);
  return fits ? behind(slice->input(0)) : nullptr;
}

// h' = o · act(c'), c' = f · c + i · act(g)
std::optional<Cell> match_lstm(const LoopView& loop, size_t hidden, size_t cell) {
  Cell found{"LSTM", 4, {0, 3, 1, 2}, {}, hidden, cell, {}, {}};
  std::optional<Activated> o;
  std::optional<Activated> out;
  Value* c_next = loop.fresh(cell);
  const bool output = either_way(loop.fresh(hidden), "Mul", [&](Value* a, Value* b) {
    o = activated(a);
    out = activated(b);
    return o && out && out->of == c_next;
  });
  if (!output) return std::nullopt;
  std::optional<Activated> f;
  std::optional<Activated> i;
  std::optional<Activated> g;
  const auto forgets = [&](Value* product) {
    return either_way(product, "Mul", [&](Value* a, Value* b) {
      f = activated(a);
      return f && b == loop.before(cell);
    });
  };
  const auto learns = [&](Value* product) {
    return either_way(product, "Mul", [&](Value* a, Value* b) {
      i = activated(a);
      g = activated(b);
      return i && g && split_source(i->of, 0, 4) != nullptr && split_source(g->of, 2, 4) != nullptr;
    });
  };
  if (!either_way(c_next, "Add", [&](Value* a, Value* b) { return forgets(a) && learns(b); })) return std::nullopt;
  Value* z = split_source(i->of, 0, 4);
  const bool together = z != nullptr && split_source(f->of, 1, 4) == z && split_source(g->of, 2, 4) == z &&
                        split_source(o->of, 3, 4) == z && i->name == f->name && i->name == o->name;
  if (!together) return std::nullopt;
  const auto affine = CellMatcher(loop, loop.before(hidden)).affine(z);
  if (!affine || affine->hidden_weights == nullptr || affine->input_weights == nullptr) return std::nullopt;
  found.input = *affine;
  found.activations = {i->name, g->name, out->name};
  return found;
}

// h' = z · h + (1 - z) · candidate, where z = act(…): both, or nothing.
struct Mixed {
  Activated z;
  Activated candidate;
};
std::optional<Mixed> mixed_states(const LoopView& loop, size_t hidden) {
  std::optional<Activated> z;
  std::optional<Activated> candidate;
  const auto keeps = [&](Value* product) {
    return either_way(product, "Mul", [&](Value* a, Value* b) {
      z = activated(a);
      return z && b == loop.before(hidden);
    });
  };
  const auto replaces = [&](Value* product) {
    return either_way(product, "Mul", [&](Value* a, Value* b) {
      const Node* rest = made_by(a, "Sub");
      candidate = activated(b);
      if (rest == nullptr || !candidate) return false;
      const Value* one = rest->input(0);
      const auto same = activated(rest->input(1));
      return one->is_constant() && one->constant()->count() == 1 && one->constant()->as_double() == 1 && same &&
             same->of == z->of;
    });
  };
  const bool fits = either_way(loop.fresh(hidden), "Add", [&](Value* a, Value* b) { return keeps(a) && replaces(b); });
  return fits ? std::optional(Mixed{*z, *candidate}) : std::nullopt;
}

// What z, r and the candidate are made of: x_part holds three gates; h_part three, or z and r only.
struct GruParts {
  Value* x_part = nullptr;
  Value* h_part = nullptr;
  Value* candidate_weights = nullptr;  // with h_part's two gates
  std::string gate_activation;
};

// sum = x_part[gate] + h_part[gate]
bool is_gate(Value* sum, size_t gate, const GruParts& parts) {
  const size_t count = parts.candidate_weights != nullptr ? 2 : 3;
  return either_way(sum, "Add", [&](Value* a, Value* b) {
    return split_source(a, gate, 3) == parts.x_part && split_source(b, gate, count) == parts.h_part;
  });
}

// candidate = x_part[2] + r · h_part[2], or x_part[2] + (r · h) · U
std::optional<GruParts> gru_parts(const Mixed& mixed, const Value* h) {
  GruParts parts;
  std::optional<Activated> r;
  const auto resets_after = [&](Value* product) {
    return either_way(product, "Mul", [&](Value* gate, Value* part) {
      r = activated(gate);
      parts.h_part = split_source(part, 2, 3);
      return r && parts.h_part != nullptr;
    });
  };
  const auto resets_before = [&](Value* product) {
    const Node* matmul = made_by(product, "MatMul");
    if (matmul == nullptr || !behind(matmul->input(1))->is_constant()) return false;
    parts.candidate_weights = behind(matmul->input(1));
    return either_way(behind(matmul->input(0)), "Mul", [&](Value* gate, Value* state) {
      r = activated(gate);
      if (!r || state != h) return false;
      return either_way(r->of, "Add", [&](Value*, Value* b) {
        parts.h_part = split_source(b, 1, 2);
        return parts.h_part != nullptr;
      });
    });
  };
  const bool fits = either_way(mixed.candidate.of, "Add", [&](Value* a, Value* b) {
    parts = {};
    parts.x_part = split_source(a, 2, 3);
    return parts.x_part != nullptr && (resets_after(b) || resets_before(b));
  });
  if (!fits || r->name != mixed.z.name || !is_gate(mixed.z.of, 0, parts) || !is_gate(r->of, 1, parts)) {
    return std::nullopt;
  }
  parts.gate_activation = r->name;
  return parts;
}

std::optional<Cell> match_gru(const LoopView& loop, size_t hidden) {
  const std::optional<Mixed> mixed = mixed_states(loop, hidden);
  if (!mixed) return std::nullopt;
  Value* h = loop.before(hidden);
  const std::optional<GruParts> parts = gru_parts(*mixed, h);
  if (!parts) return std::nullopt;
  const CellMatcher matcher(loop, h);
  const auto input = matcher.affine(parts->x_part);
  const auto recurrent = matcher.affine(parts->h_part);
  if (!input || !recurrent || input->input_weights == nullptr || input->hidden_weights != nullptr ||
      recurrent->hidden_weights == nullptr || recurrent->input_weights != nullptr) {
    return std::nullopt;
  }
  const bool before = parts->candidate_weights != nullptr;
  // With r in front of the candidate's weights there is one bias for both products in ONNX.
  if (before && !recurrent->biases.empty()) return std::nullopt;
  Cell found{"GRU", 3, {0, 1, 2}, {}, hidden, std::nullopt, *input, *recurrent, parts->candidate_weights};
  found.input.hidden_weights = recurrent->hidden_weights;
  found.activations = {parts->gate_activation, mixed->candidate.name};
  return found;
}

// h' = act(x · W + h · U + b)
std::optional<Cell> match_simple(const LoopView& loop, size_t hidden) {
  const auto out = activated(loop.fresh(hidden));
  if (!out) return std::nullopt;
  const auto affine = CellMatcher(loop, loop.before(hidden)).affine(out->of);
  if (!affine || affine->hidden_weights == nullptr || affine->input_weights == nullptr) return std::nullopt;
  Cell found{"RNN", 1, {0}, {out->name}, hidden, std::nullopt, *affine, {}};
  return found;
}

}  // namespace

std::optional<Cell> match_cell(const LoopView& loop) {
  for (size_t hidden = 0; hidden < loop.carried(); ++hidden) {
    for (size_t cell = 0; cell < loop.carried(); ++cell) {
      if (cell == hidden) continue;
      if (auto found = match_lstm(loop, hidden, cell)) return found;
    }
    if (auto found = match_gru(loop, hidden)) return found;
    if (auto found = match_simple(loop, hidden)) return found;
  }
  return std::nullopt;
}

}  // namespace onward::importer::tf
