#include "import/tensorflow/normalize/recurrent.h"

#include <algorithm>

#include "import/common/recurrent.h"
#include "import/tensorflow/normalize/recurrent_cell.h"

namespace onward::importer::tf {
namespace {

using ir::Node;
using ir::Value;
using ir::Values;

// Whether `value` is what the layer gives at a step, and how where steps are masked.
bool is_output(const LoopView& loop, const Cell& cell, Value* value) {
  if (loop.mask() == nullptr) return value == loop.after(cell.hidden);
  return loop.masked_output(value, loop.fresh(cell.hidden)).has_value();
}

bool is_state(const Cell& cell, size_t i) { return i == cell.hidden || (cell.cell && i == *cell.cell); }

// Everything else that the loop gives must be the layer's output or a count.
bool is_all(const LoopView& loop, const Cell& cell) {
  for (size_t i = 0; i < loop.carried(); ++i) {
    if (is_state(cell, i)) {
      if (loop.mask() != nullptr && loop.fresh(i) == loop.after(i)) return false;
    } else if (!loop.is_next(i) && !(loop.mask() != nullptr && is_output(loop, cell, loop.after(i)))) {
      return false;
    }
  }
  for (size_t i = 0; i < loop.scans(); ++i) {
    if (!is_output(loop, cell, loop.scan(i))) return false;
  }
  return loop.node().input(0) != nullptr && loop.node().input(1) == nullptr;
}

class Writer {
 public:
  Writer(ir::Builder& b, const LoopView& loop, const Cell& cell)
      : b_(b), loop_(loop), cell_(cell), steps_(b.Reshape(loop.node().input(0), {1})) {}

  void write() {
    const int64_t hidden = cell_.input.hidden_weights->constant()->dims()[0];
    Value* x = first_steps(cell_.input.sequence);
    if (loop_.mask() != nullptr) {
      packed_ = pack_steps(b_, swapped(x), b_.Squeeze(swapped(first_steps(loop_.mask())), {2}));
      x = swapped(packed_->x);
    }
    Recurrent layer{cell_.op.c_str(), "forward", hidden};
    layer.w = weights(cell_.input.input_weights);
    layer.r = weights(hidden_weights());
    layer.bias = biases(hidden);
    for (const std::string& name : cell_.activations) layer.activations.push_back({name});
    layer.linear_before_reset = cell_.candidate_weights == nullptr;
    Value* h = b_.Unsqueeze(loop_.initial(cell_.hidden), {0});
    Value* c = cell_.cell ? b_.Unsqueeze(loop_.initial(*cell_.cell), {0}) : nullptr;
    const RecurrentResult result = recurrent(b_, layer, x, packed_ ? packed_->lengths : nullptr, h, c);
    y_ = b_.Squeeze(result.y, {1});
    replace(cell_.hidden, kept_where_empty(b_.Squeeze(result.h, {0}), loop_.initial(cell_.hidden)));
    if (cell_.cell) replace(*cell_.cell, kept_where_empty(b_.Squeeze(result.c, {0}), loop_.initial(*cell_.cell)));
    for (size_t i = 0; i < loop_.carried(); ++i) {
      if (!is_state(cell_, i)) replace(i, loop_.is_next(i) ? counted(i) : b_.Select(outputs(loop_.after(i)), -1, 0));
    }
    for (size_t i = 0; i < loop_.scans(); ++i) replace(loop_.carried() + i, outputs(loop_.scan(i)));
  }

 private:
  void replace(size_t output, Value* by) {
    Value* old = loop_.node().output(output);
    if (!old->uses().empty()) ir::Graph::replace_uses(old, by);
  }

  Value* first_steps(Value* sequence) { return b_.Slice(sequence, b_.ints({0}), steps_, b_.ints({0})); }
  // [steps, batch, …] ↔ [batch, steps, …]
  Value* swapped(Value* x) { return b_.Transpose(x, {1, 0, 2}); }

  // A sequence with no valid step keeps its initial state.
  Value* kept_where_empty(Value* state, Value* initial) {
    if (!packed_) return state;
    Value* empty = b_.Equal(packed_->lengths, b_.number_like(0, packed_->lengths));
    return b_.Where(b_.Unsqueeze(empty, {1}), initial, state);
  }

  // [steps, batch, hidden] of what is_output() accepted.
  Value* outputs(Value* value) {
    if (!packed_) return y_;
    const bool zero = loop_.masked_output(value, loop_.fresh(cell_.hidden)) == LoopView::Masked::kZero;
    return swapped(unpack_steps(b_, *packed_, swapped(y_), false, zero));
  }

  Value* counted(size_t index) {
    Value* start = loop_.initial(index);
    return b_.Add(start, b_.Cast(loop_.node().input(0), start->dtype));
  }

  Value* hidden_weights() {
    Value* both = cell_.input.hidden_weights;
    return cell_.candidate_weights == nullptr ? both : b_.Concat({both, cell_.candidate_weights}, 1);
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
  Value* steps_;  // [1]
  std::optional<PackedSteps> packed_;
  Value* y_ = nullptr;  // [steps, batch, hidden]
};

bool has_float_weights(const Cell& cell) {
  const ir::Dims& dims = cell.input.hidden_weights->constant()->dims();
  const auto gates = static_cast<int64_t>(cell.gates);
  const int64_t hidden = dims[0];
  const auto fits = [&](const Value* bias) { return bias->constant()->dims()[0] == gates * hidden; };
  const int64_t in_candidate = cell.candidate_weights == nullptr ? 0 : hidden;
  return cell.input.input_weights->dtype == ir::DType::kFloat && dims[1] + in_candidate == gates * hidden &&
         (in_candidate == 0 || cell.candidate_weights->constant()->dims() == ir::Dims{hidden, hidden}) &&
         cell.input.input_weights->constant()->dims()[1] == gates * hidden &&
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
