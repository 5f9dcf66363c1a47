// LSTM, GRU and plain RNNs, and their single cells.
#include "import/torch/ops/recurrent.h"

#include <algorithm>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::Value;

// The gates' order in PyTorch: LSTM i, f, g, o; GRU r, z, n. In ONNX: LSTM i, o, f, c; GRU z, r, h.
struct Kind {
  std::string_view op;
  std::vector<size_t> order;
  std::string_view activation = {};  // of a plain RNN
};

Kind kind_of(const Call& c) {
  const std::string& name = c.signature().name;
  if (name.find("lstm") != std::string::npos) return {"LSTM", {0, 3, 1, 2}};
  if (name.find("gru") != std::string::npos) return {"GRU", {1, 0, 2}};
  return {"RNN", {0}, name.find("relu") != std::string::npos ? "Relu" : "Tanh"};
}

// Blocks of rows in ONNX's order of gates.
Value* reordered(Call& c, Value* x, const Kind& kind) {
  if (kind.order.size() == 1) return x;
  const ir::Values gates =
      c.b.ops("Split", {x}, kind.order.size(), {{"axis", 0}, {"num_outputs", static_cast<int64_t>(kind.order.size())}});
  ir::Values parts;
  for (const size_t i : kind.order) parts.push_back(gates[i]);
  return c.b.Concat(parts, 0);
}

// One direction's weights, with the leading dimension that ONNX stacks directions in.
struct Weights {
  Value* input;
  Value* hidden;
  Value* biases;                // null: none
  Value* projection = nullptr;  // [1, hidden, projected]; null: none
};
Weights direction(Call& c, const ir::Values& params, size_t at, bool biases, bool projected, const Kind& kind) {
  ir::Builder& b = c.b;
  Weights weights{};
  weights.input = b.Unsqueeze(reordered(c, params.at(at), kind), {0});
  weights.hidden = b.Unsqueeze(reordered(c, params.at(at + 1), kind), {0});
  if (biases) {
    weights.biases =
        b.Unsqueeze(b.Concat({reordered(c, params.at(at + 2), kind), reordered(c, params.at(at + 3), kind)}, 0), {0});
  }
  if (projected) weights.projection = b.Unsqueeze(b.Transpose(params.at(at + (biases ? 4 : 2)), {1, 0}), {0});
  return weights;
}

int64_t hidden_size(Call& c, const ir::Values& params) {
  const ir::Dim rows = params.at(0)->dim(0);
  c.require(rows.is_known(), "the hidden size is only known when the model runs");
  return rows.value() / static_cast<int64_t>(kind_of(c).order.size());
}

ir::Attrs attributes(Call& c, const ir::Values& params, const Kind& kind, bool both) {
  ir::Attrs attrs{{"hidden_size", hidden_size(c, params)}, {"direction", both ? "bidirectional" : "forward"}};
  if (kind.op == "GRU") attrs.set("linear_before_reset", 1);
  if (!kind.activation.empty()) {
    attrs.set("activations", std::vector<std::string>(both ? 2 : 1, std::string(kind.activation)));
  }
  return attrs;
}

bool is_zero(const Value* value) {
  if (value->is_constant()) {
    const std::vector<double> numbers = value->constant()->doubles();
    return std::all_of(numbers.begin(), numbers.end(), [](double number) { return number == 0; });
  }
  const ir::Node* node = value->producer();
  if (node == nullptr) return false;
  if (node->op_type == "Expand" || node->op_type == "Slice") return is_zero(node->input(0));
  return node->op_type == "ConstantOfShape" && !node->attrs.contains("value");
}

// A hidden state of LSTM with a projection, which ONNX's operator can't take, as more features of the first step. Each
// direction begins at its own end and has its own features: {features, weights for them}.
struct FirstStep {
  Value* features;
  ir::Values weights;
};
FirstStep first_step(Call& c, Value* x, Value* state, const std::vector<Weights>& ways, Value* lengths) {
  ir::Builder& b = c.b;
  FirstStep step{x, {}};
  Value* times = b.Unsqueeze(counting(b, b.dim(x, 0)), {1, 2});
  for (size_t d = 0; d < ways.size(); ++d) {
    Value* last = lengths == nullptr ? b.dim(x, 0) : b.Unsqueeze(b.Cast(lengths, ir::DType::kInt64), {0, 2});
    Value* first = d == 0 ? b.ints({0}) : b.Sub(last, b.ints({1}));
    Value* begin = b.Cast(b.Equal(times, first), x->dtype);
    const auto at = static_cast<int64_t>(d);
    step.features = b.Concat({step.features, b.Mul(begin, b.Slice(state, at, at + 1, 0))}, 2);
    ir::Values blocks{ways[d].input};
    for (size_t other = 0; other < ways.size(); ++other) {
      blocks.push_back(other == d ? ways[d].hidden : b.Mul(ways[other].hidden, 0.0));
    }
    step.weights.push_back(b.Concat(blocks, 2));
  }
  return step;
}

// The layers of one call.
class Layers {
 public:
  Layers(Call& c, const ir::Values& initial, const ir::Values& params, Value* lengths)
      : c_(c), initial_(initial), params_(params), lengths_(lengths), each_(params.size() / (count_ * directions_)) {
    projected_ = each_ == (biases_ ? 5 : 3);
    c.require(!c.flag("train") || c.number("dropout") == 0,
              "dropout in training mode is random; call model.eval() before saving");
  }

  RecurrentResults run(Value* x) {
    ir::Builder& b = c_.b;
    for (size_t i = 0; i < count_; ++i) x = run_layer(x, i);
    return {x, b.Concat(hidden_, 0), cells_.empty() ? nullptr : b.Concat(cells_, 0)};
  }

 private:
  Value* run_layer(Value* x, size_t layer) {
    ir::Builder& b = c_.b;
    std::vector<Weights> ways;
    for (size_t d = 0; d < directions_; ++d) {
      ways.push_back(direction(c_, params_, (layer * directions_ + d) * each_, biases_, projected_, kind_));
    }
    Value* hidden = state(0, layer);
    if (projected_) {
      if (hidden != nullptr && !is_zero(hidden)) {
        const FirstStep step = first_step(c_, x, hidden, ways, lengths_);
        x = step.features;
        for (size_t d = 0; d < directions_; ++d) ways[d].input = step.weights[d];
      }
      hidden = nullptr;
      // The projection of one step goes straight into the next one's gates.
      for (Weights& way : ways) way.hidden = b.MatMul(way.hidden, b.Transpose(way.projection, {0, 2, 1}));
    }
    ir::Values inputs{
        x,     joined(ways, &Weights::input), joined(ways, &Weights::hidden), joined(ways, &Weights::biases), lengths_,
        hidden};
    const bool lstm = kind_.op == "LSTM";
    if (lstm) inputs.push_back(state(1, layer));
    ir::Values outputs = b.ops(kind_.op, inputs, lstm ? 3 : 2, attributes(c_, params_, kind_, directions_ == 2));
    if (Value* projection = joined(ways, &Weights::projection)) {
      outputs[0] = b.MatMul(outputs[0], projection);
      outputs[1] = b.MatMul(outputs[1], projection);
    }
    hidden_.push_back(outputs[1]);
    if (lstm) cells_.push_back(outputs[2]);
    // [time, directions, batch, hidden] → [time, batch, directions * hidden]
    if (directions_ == 1) return b.Squeeze(outputs[0], {1});
    return b.Reshape(b.Transpose(outputs[0], {0, 2, 1, 3}), {0, 0, -1});
  }

  Value* joined(const std::vector<Weights>& ways, Value* Weights::*member) {
    if (ways[0].*member == nullptr) return nullptr;
    return directions_ == 2 ? c_.b.Concat({ways[0].*member, ways[1].*member}, 0) : ways[0].*member;
  }

  Value* state(size_t which, size_t layer) {
    if (initial_.size() <= which) return nullptr;
    const auto first = static_cast<int64_t>(layer * directions_);
    return count_ == 1 ? initial_[which]
                       : c_.b.Slice(initial_[which], first, first + static_cast<int64_t>(directions_), 0);
  }

  Call& c_;
  const ir::Values& initial_;
  const ir::Values& params_;
  Value* lengths_;
  Kind kind_ = kind_of(c_);
  size_t count_ = static_cast<size_t>(c_.integer("num_layers"));
  size_t directions_ = c_.flag("bidirectional") ? 2 : 1;
  bool biases_ = c_.flag("has_biases");
  size_t each_;
  bool projected_ = false;
  ir::Values hidden_;
  ir::Values cells_;
};

// aten::lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, …, bool batch_first)
ir::Values recurrent(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const bool batch_first = c.flag("batch_first");
  if (batch_first) x = b.Transpose(x, {1, 0, 2});
  const RecurrentResults results = run_recurrent(c, x, c.tensors("hx"), c.tensors("params"), nullptr);
  Value* sequence = batch_first ? b.Transpose(results.sequence, {1, 0, 2}) : results.sequence;
  if (results.cells == nullptr) return {sequence, results.hidden};
  return {sequence, results.hidden, results.cells};
}

// One step: a sequence of length 1.
ir::Values cell(Call& c) {
  ir::Builder& b = c.b;
  const Kind kind = kind_of(c);
  const bool biases = c.given("b_ih");
  ir::Values params{c.tensor("w_ih"), c.tensor("w_hh")};
  if (biases) params.insert(params.end(), {c.tensor("b_ih"), c.tensor("b_hh")});
  const Weights weights = direction(c, params, 0, biases, false, kind);
  ir::Values inputs{b.Unsqueeze(c.tensor("input"), {0}), weights.input, weights.hidden, weights.biases, nullptr};
  for (Value* state : c.tensors("hx")) inputs.push_back(b.Unsqueeze(state, {0}));
  const ir::Values outputs = b.ops(kind.op, inputs, kind.op == "LSTM" ? 3 : 2, attributes(c, params, kind, false));
  ir::Values results{b.Squeeze(outputs[1], {0})};
  if (kind.op == "LSTM") results.push_back(b.Squeeze(outputs[2], {0}));
  return results;
}

}  // namespace

RecurrentResults run_recurrent(Call& c, Value* x, const ir::Values& initial, const ir::Values& params, Value* lengths) {
  c.require(c.integer("num_layers") > 0, "there must be at least one layer");
  return Layers(c, initial, params, lengths).run(x);
}

void register_recurrent(OpTable& t) {
  const std::string settings =
      "Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool "
      "batch_first) -> ";
  t.add("aten::lstm.input(Tensor input, Tensor[] hx, " + settings + "(Tensor, Tensor, Tensor)", recurrent);
  for (const char* name : {"gru", "rnn_tanh", "rnn_relu"}) {
    t.add("aten::" + std::string(name) + ".input(Tensor input, Tensor hx, " + settings + "(Tensor, Tensor)", recurrent);
  }
  const std::string cell_weights = "Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> ";
  t.add("aten::lstm_cell(Tensor input, Tensor[] hx, " + cell_weights + "(Tensor, Tensor)", cell);
  for (const char* name : {"gru_cell", "rnn_tanh_cell", "rnn_relu_cell"}) {
    t.add("aten::" + std::string(name) + "(Tensor input, Tensor hx, " + cell_weights + "Tensor", cell);
  }
}

}  // namespace onward::importer::torch
