#include "import/tensorflow/normalize/recurrent.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"

namespace onward::importer::tf {
namespace {

using ir::Node;
using ir::Value;
using ir::Values;

const Node* made_by(const Value* value, std::string_view op) {
  const Node* node = value != nullptr ? value->producer() : nullptr;
  return node != nullptr && node->is(op) ? node : nullptr;
}

Value* behind(Value* value) {
  while (const Node* node = made_by(value, "Identity")) value = node->input(0);
  return value;
}

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

// The operands of a commutative node, as they are and swapped.
template <class Try>
bool either_way(const Value* value, std::string_view op, const Try& attempt) {
  const Node* node = made_by(value, op);
  if (node == nullptr || node->inputs().size() != 2) return false;
  Value* a = behind(node->input(0));
  Value* b = behind(node->input(1));
  return attempt(a, b) || attempt(b, a);
}

// A loop over the leading axis of one tensor.
class LoopView {
 public:
  explicit LoopView(const Node& loop) : loop_(loop), body_(*loop.attrs.at("body").as_graph()) {}

  size_t carried() const { return loop_.inputs().size() - 2; }
  size_t scans() const { return loop_.outputs().size() - carried(); }
  const Node& node() const { return loop_; }
  Value* initial(size_t i) const { return loop_.input(i + 2); }
  Value* before(size_t i) const { return body_.inputs()[i + 2]; }
  Value* after(size_t i) const { return behind(body_.outputs()[i + 1]); }
  Value* scan(size_t i) const { return behind(body_.outputs()[1 + carried() + i]); }
  bool is_outside(const Value* value) const { return value->graph() != &body_ || value->is_constant(); }

  std::optional<size_t> carried_index(const Value* value) const {
    for (size_t i = 0; i < carried(); ++i) {
      if (before(i) == value) return i;
    }
    return std::nullopt;
  }

  // Counts rounds from 0.
  bool is_round(const Value* value) const {
    while (const Node* node = value->producer()) {
      if (!node->is("Cast") && !node->is("Reshape") && !node->is("Identity") && !node->is("Squeeze")) return false;
      value = node->input(0);
    }
    if (value == body_.inputs()[0]) return true;
    const std::optional<size_t> index = carried_index(value);
    return index && is_zero(initial(*index)) && is_next(*index);
  }
  bool is_next(size_t index) const {
    return either_way(after(index), "Add", [&](const Value* a, const Value* one) {
      return a == before(index) && one->is_constant() && one->constant()->count() == 1 && ir::is_integer(one->dtype) &&
             one->constant()->as_int() == 1;
    });
  }

  // x[round] → x
  Value* sliced(const Value* value) const {
    const Node* gather = made_by(value, "Gather");
    if (gather == nullptr || gather->attrs.get("axis", int64_t{0}) != 0 || !is_outside(gather->input(0)))
      return nullptr;
    return is_round(gather->input(1)) ? gather->input(0) : nullptr;
  }

 private:
  static bool is_zero(const Value* value) {
    return value->is_constant() && value->constant()->count() == 1 && ir::is_integer(value->dtype) &&
           value->constant()->as_int() == 0;
  }

  const Node& loop_;
  const ir::Graph& body_;
};

// x · W + h · U + bias, of which any part may be missing.
struct Affine {
  Value* sequence = nullptr;  // the whole of x
  Value* input_weights = nullptr;
  Value* hidden_weights = nullptr;
  Values biases;
};

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

// What is found: the weights' columns are the gates in Keras' order.
struct Cell {
  std::string op;
  size_t gates = 1;
  std::vector<size_t> order;  // ONNX's gates as places in Keras' order
  std::vector<std::string> activations;
  size_t hidden = 0;  // carried index
  std::optional<size_t> cell;
  Affine input;      // for GRU: without h · U
  Affine recurrent;  // GRU: h · U + bias
};

// Output `gate` of one split of the last axis into `count` equal parts.
Value* split_source(const Value* value, size_t gate, size_t count) {
  const Node* split = made_by(value, "Split");
  if (split == nullptr || split->outputs().size() != count || value->index() != gate) return nullptr;
  const Value* x = split->input(0);
  const int64_t axis = split->attrs.get("axis", int64_t{0});
  const bool last = axis == -1 || (x->shape && axis == static_cast<int64_t>(x->shape->size()) - 1);
  return last ? behind(split->input(0)) : nullptr;
}

// h' = o · act(c'), c' = f · c + i · act(g)
std::optional<Cell> match_lstm(const LoopView& loop, size_t hidden, size_t cell) {
  Cell found{"LSTM", 4, {0, 3, 1, 2}, {}, hidden, cell, {}, {}};
  std::optional<Activated> o;
  std::optional<Activated> out;
  Value* c_next = loop.after(cell);
  const bool output = either_way(loop.after(hidden), "Mul", [&](Value* a, Value* b) {
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

// h' = z · h + (1 - z) · act(x_h + r · r_h), the product r · (h · U + b) after the multiplication (Keras' reset_after)
std::optional<Cell> match_gru(const LoopView& loop, size_t hidden) {
  Cell found{"GRU", 3, {0, 1, 2}, {}, hidden, std::nullopt, {}, {}};
  Value* h = loop.before(hidden);
  std::optional<Activated> z;
  std::optional<Activated> candidate;
  const auto keeps = [&](Value* product) {
    return either_way(product, "Mul", [&](Value* a, Value* b) {
      z = activated(a);
      return z && b == h;
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
  if (!either_way(loop.after(hidden), "Add", [&](Value* a, Value* b) { return keeps(a) && replaces(b); })) {
    return std::nullopt;
  }
  Value* x_part = nullptr;
  Value* h_part = nullptr;
  const auto gate_sources = [&](Value* sum, size_t gate) {
    return either_way(sum, "Add", [&](Value* a, Value* b) {
      Value* x = split_source(a, gate, 3);
      Value* r = split_source(b, gate, 3);
      const bool fits = x != nullptr && r != nullptr && (x_part == nullptr || (x == x_part && r == h_part));
      if (fits) {
        x_part = x;
        h_part = r;
      }
      return fits;
    });
  };
  std::optional<Activated> reset;
  const bool candidates = either_way(candidate->of, "Add", [&](Value* a, Value* b) {
    Value* x = split_source(a, 2, 3);
    return x != nullptr && either_way(b, "Mul", [&](Value* gate, Value* part) {
             reset = activated(gate);
             Value* r = split_source(part, 2, 3);
             if (!reset || r == nullptr) return false;
             x_part = x;
             h_part = r;
             return true;
           });
  });
  if (!candidates || !gate_sources(z->of, 0) || !gate_sources(reset->of, 1) || z->name != reset->name) {
    return std::nullopt;
  }
  const CellMatcher matcher(loop, h);
  const auto input = matcher.affine(x_part);
  const auto recurrent = matcher.affine(h_part);
  if (!input || !recurrent || input->input_weights == nullptr || input->hidden_weights != nullptr ||
      recurrent->hidden_weights == nullptr || recurrent->input_weights != nullptr) {
    return std::nullopt;
  }
  found.input = *input;
  found.recurrent = *recurrent;
  found.input.hidden_weights = recurrent->hidden_weights;
  found.activations = {z->name, candidate->name};
  return found;
}

// h' = act(x · W + h · U + b)
std::optional<Cell> match_simple(const LoopView& loop, size_t hidden) {
  const auto out = activated(loop.after(hidden));
  if (!out) return std::nullopt;
  const auto affine = CellMatcher(loop, loop.before(hidden)).affine(out->of);
  if (!affine || affine->hidden_weights == nullptr || affine->input_weights == nullptr) return std::nullopt;
  Cell found{"RNN", 1, {0}, {out->name}, hidden, std::nullopt, *affine, {}};
  return found;
}

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

// Everything else that the loop gives must be the hidden state or a count.
bool is_all(const LoopView& loop, const Cell& cell) {
  for (size_t i = 0; i < loop.carried(); ++i) {
    if (i == cell.hidden || (cell.cell && i == *cell.cell)) continue;
    if (!loop.is_next(i)) return false;
  }
  for (size_t i = 0; i < loop.scans(); ++i) {
    if (loop.scan(i) != loop.after(cell.hidden)) return false;
  }
  return loop.node().input(0) != nullptr && loop.node().input(1) == nullptr;
}

class Writer {
 public:
  Writer(ir::Builder& b, const LoopView& loop, const Cell& cell) : b_(b), loop_(loop), cell_(cell) {}

  void write() {
    const int64_t hidden = cell_.input.hidden_weights->constant()->dims()[0];
    Values inputs{b_.Slice(cell_.input.sequence, b_.ints({0}), b_.Reshape(loop_.node().input(0), {1}), b_.ints({0})),
                  weights(cell_.input.input_weights),
                  weights(cell_.input.hidden_weights),
                  biases(hidden),
                  nullptr,
                  b_.Unsqueeze(loop_.initial(cell_.hidden), {0})};
    if (cell_.cell) inputs.push_back(b_.Unsqueeze(loop_.initial(*cell_.cell), {0}));
    ir::Attrs attrs{{"hidden_size", hidden}, {"activations", cell_.activations}};
    if (cell_.op == "GRU") attrs.set("linear_before_reset", 1);
    const Values outputs = b_.ops(cell_.op, inputs, cell_.cell ? 3 : 2, std::move(attrs));
    replace(cell_.hidden, b_.Squeeze(outputs[1], {0}));
    if (cell_.cell) replace(*cell_.cell, b_.Squeeze(outputs[2], {0}));
    for (size_t i = 0; i < loop_.carried(); ++i) {
      if (i != cell_.hidden && (!cell_.cell || i != *cell_.cell)) replace(i, counted(i));
    }
    for (size_t i = 0; i < loop_.scans(); ++i) {
      replace(loop_.carried() + i, b_.Squeeze(outputs[0], {1}));
    }
  }

 private:
  void replace(size_t output, Value* by) {
    Value* old = loop_.node().output(output);
    if (!old->uses().empty()) ir::Graph::replace_uses(old, by);
  }

  Value* counted(size_t index) {
    Value* start = loop_.initial(index);
    return b_.Add(start, b_.Cast(loop_.node().input(0), start->dtype));
  }

  // The gates' parts along the last axis, in ONNX's order.
  Value* ordered(Value* parts, int64_t axis) {
    const int64_t size = parts->constant()->dims().back() / static_cast<int64_t>(cell_.gates);
    const Values split = b_.Split(parts, std::vector<int64_t>(cell_.gates, size), axis);
    Values ordered;
    for (const size_t gate : cell_.order) ordered.push_back(split[gate]);
    return b_.Concat(ordered, axis);
  }
  // [inputs, gates * hidden] → [1, gates * hidden, inputs]
  Value* weights(Value* matrix) { return b_.Unsqueeze(b_.Transpose(ordered(matrix, 1), {1, 0}), {0}); }
  Value* sum(const Values& biases, int64_t hidden) {
    if (biases.empty()) {
      return b_.Fill(b_.ints({hidden * static_cast<int64_t>(cell_.gates)}), 0, cell_.input.input_weights->dtype);
    }
    Value* total = biases[0];
    for (size_t i = 1; i < biases.size(); ++i) total = b_.Add(total, biases[i]);
    return ordered(total, 0);
  }
  Value* biases(int64_t hidden) {
    return b_.Unsqueeze(b_.Concat({sum(cell_.input.biases, hidden), sum(cell_.recurrent.biases, hidden)}, 0), {0});
  }

  ir::Builder& b_;
  const LoopView& loop_;
  const Cell& cell_;
};

bool has_float_weights(const Cell& cell) {
  const auto dims = cell.input.hidden_weights->constant()->dims();
  const auto fits = [&](const Value* bias) { return bias->constant()->dims()[0] == dims[1]; };
  return cell.input.input_weights->dtype == ir::DType::kFloat &&
         dims[1] == dims[0] * static_cast<int64_t>(cell.gates) &&
         std::all_of(cell.input.biases.begin(), cell.input.biases.end(), fits) &&
         std::all_of(cell.recurrent.biases.begin(), cell.recurrent.biases.end(), fits);
}

}  // namespace

void recognise_recurrent(ir::Graph& graph, const ir::Inference& inference) {
  std::vector<Node*> loops;
  for (Node& node : graph.nodes()) {
    ir::for_each_subgraph(node, [&](ir::Graph& inner) { recognise_recurrent(inner, inference); });
    if (node.is("Loop")) loops.push_back(&node);
  }
  for (Node* node : loops) {
    const LoopView loop(*node);
    const std::optional<Cell> cell = match_cell(loop);
    if (!cell || !is_all(loop, *cell) || !has_float_weights(*cell)) continue;
    ir::Builder builder(graph, inference, node);
    builder.set_origin(node->origin);
    Writer(builder, loop, *cell).write();
    graph.erase(node);
  }
}

}  // namespace onward::importer::tf
