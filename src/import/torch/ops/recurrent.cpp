// LSTM, GRU and plain RNNs, and their single cells.
#include "import/torch/ops/families.h"

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

struct Layer {
  Value* input_weights;
  Value* hidden_weights;
  Value* biases;  // null: none
  Value* projection = nullptr;
};

// One direction's weights, with the leading dimension that ONNX stacks directions in.
Layer direction(Call& c, const ir::Values& params, size_t at, bool biases, bool projected, const Kind& kind) {
  ir::Builder& b = c.b;
  Layer layer{};
  layer.input_weights = b.Unsqueeze(reordered(c, params.at(at), kind), {0});
  layer.hidden_weights = b.Unsqueeze(reordered(c, params.at(at + 1), kind), {0});
  if (biases) {
    layer.biases =
        b.Unsqueeze(b.Concat({reordered(c, params.at(at + 2), kind), reordered(c, params.at(at + 3), kind)}, 0), {0});
  }
  if (projected) layer.projection = params.at(at + (biases ? 4 : 2));
  return layer;
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

// The layers of one call: sequence first, [time, batch, features].
struct Results {
  Value* sequence;
  ir::Values hidden;
  ir::Values cells;
};
Results run_layers(Call& c, Value* x, const ir::Values& initial, const ir::Values& params, Value* lengths) {
  ir::Builder& b = c.b;
  const Kind kind = kind_of(c);
  const int64_t layers = c.integer("num_layers");
  const bool both = c.flag("bidirectional");
  const bool biases = c.flag("has_biases");
  const size_t directions = both ? 2 : 1;
  const size_t each = params.size() / (static_cast<size_t>(layers) * directions);
  const bool projected = each == (biases ? 5 : 3);
  c.require(!projected, "a projection of the hidden state (proj_size) is not supported");
  c.require(!c.flag("train") || c.number("dropout") == 0,
            "dropout in training mode is random; call model.eval() before saving");
  Results results{x, {}, {}};
  for (int64_t i = 0; i < layers; ++i) {
    const size_t base = static_cast<size_t>(i) * directions * each;
    std::vector<Layer> ways;
    for (size_t d = 0; d < directions; ++d)
      ways.push_back(direction(c, params, base + d * each, biases, projected, kind));
    const auto joined = [&](Value* Layer::*member) -> Value* {
      if (ways[0].*member == nullptr) return nullptr;
      return both ? b.Concat({ways[0].*member, ways[1].*member}, 0) : ways[0].*member;
    };
    const auto state = [&](size_t which) -> Value* {
      if (initial.size() <= which) return nullptr;
      const auto count = static_cast<int64_t>(directions);
      return layers == 1 ? initial[which] : b.Slice(initial[which], i * count, (i + 1) * count, 0);
    };
    ir::Values inputs{results.sequence,
                      joined(&Layer::input_weights),
                      joined(&Layer::hidden_weights),
                      joined(&Layer::biases),
                      lengths,
                      state(0)};
    if (kind.op == "LSTM") inputs.push_back(state(1));
    const ir::Values outputs = b.ops(kind.op, inputs, kind.op == "LSTM" ? 3 : 2, attributes(c, params, kind, both));
    // [time, directions, batch, hidden] → [time, batch, directions * hidden]
    results.sequence = both ? b.Reshape(b.Transpose(outputs[0], {0, 2, 1, 3}), {0, 0, -1}) : b.Squeeze(outputs[0], {1});
    results.hidden.push_back(outputs[1]);
    if (kind.op == "LSTM") results.cells.push_back(outputs[2]);
  }
  return results;
}

// aten::lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, …, bool batch_first)
ir::Values recurrent(Call& c) {
  ir::Builder& b = c.b;
  const bool lstm = kind_of(c).op == "LSTM";
  Value* x = c.tensor("input");
  const bool batch_first = c.flag("batch_first");
  if (batch_first) x = b.Transpose(x, {1, 0, 2});
  const Results results = run_layers(c, x, c.tensors("hx"), c.tensors("params"), nullptr);
  Value* sequence = batch_first ? b.Transpose(results.sequence, {1, 0, 2}) : results.sequence;
  ir::Values all{sequence, b.Concat(results.hidden, 0)};
  if (lstm) all.push_back(b.Concat(results.cells, 0));
  return all;
}

// One step: a sequence of length 1.
ir::Values cell(Call& c) {
  ir::Builder& b = c.b;
  const Kind kind = kind_of(c);
  const bool biases = c.given("b_ih");
  ir::Values params{c.tensor("w_ih"), c.tensor("w_hh")};
  if (biases) params.insert(params.end(), {c.tensor("b_ih"), c.tensor("b_hh")});
  const Layer layer = direction(c, params, 0, biases, false, kind);
  ir::Values inputs{b.Unsqueeze(c.tensor("input"), {0}), layer.input_weights, layer.hidden_weights, layer.biases,
                    nullptr};
  for (Value* state : c.tensors("hx")) inputs.push_back(b.Unsqueeze(state, {0}));
  const ir::Values outputs = b.ops(kind.op, inputs, kind.op == "LSTM" ? 3 : 2, attributes(c, params, kind, false));
  ir::Values results{b.Squeeze(outputs[1], {0})};
  if (kind.op == "LSTM") results.push_back(b.Squeeze(outputs[2], {0}));
  return results;
}

}  // namespace

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
