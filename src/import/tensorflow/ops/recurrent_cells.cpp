// Recurrent layers that are one operator: LSTMBlockCell, BlockLSTM, GRUBlockCell.
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::Value;

struct LstmWeights {
  Value* w;
  Value* peepholes[3];  // of the input, forget and output gates
  Value* bias;
  double forget_bias;
  double cell_clip;  // none where it is not positive
  bool use_peephole;
  bool forget_second;  // gates in the order input, forget, cell, output; else input, cell, forget, output
};

struct LstmStep {
  Value* input_gate;
  Value* cell;
  Value* forget_gate;
  Value* output_gate;
  Value* candidate;
  Value* cell_tanh;
  Value* hidden;
  ir::Values all() const { return {input_gate, cell, forget_gate, output_gate, candidate, cell_tanh, hidden}; }
};

LstmStep lstm_step(Call& c, ir::Builder& b, const LstmWeights& weights, Value* x, Value* cell, Value* hidden) {
  Value* sums = b.Add(b.MatMul(b.Concat({x, hidden}, 1), weights.w), weights.bias);
  c.require(weights.bias->shape && weights.bias->dim(0).is_known(), "the size of its bias is not known");
  const int64_t units = weights.bias->dim(0).value() / 4;
  const ir::Values gates = b.Split(sums, {units, units, units, units}, 1);
  Value* forget = b.Add(gates[weights.forget_second ? 1 : 2], weights.forget_bias);
  Value* candidate = b.Tanh(gates[weights.forget_second ? 2 : 1]);
  const auto gate = [&](Value* sum, Value* state, size_t peephole) {
    return b.Sigmoid(weights.use_peephole ? b.Add(sum, b.Mul(state, weights.peepholes[peephole])) : sum);
  };
  LstmStep step{};
  step.candidate = candidate;
  step.input_gate = gate(gates[0], cell, 0);
  step.forget_gate = gate(forget, cell, 1);
  step.cell = b.Add(b.Mul(candidate, step.input_gate), b.Mul(cell, step.forget_gate));
  if (weights.cell_clip > 0) {
    step.cell = b.Clip(step.cell, b.number_like(-weights.cell_clip, cell), b.number_like(weights.cell_clip, cell));
  }
  step.output_gate = gate(gates[3], step.cell, 2);
  step.cell_tanh = b.Tanh(step.cell);
  step.hidden = b.Mul(step.cell_tanh, step.output_gate);
  return step;
}

// `first`: the number of the input w.
LstmWeights lstm_weights(Call& c, size_t first) {
  LstmWeights weights{};
  weights.w = c.input(first);
  for (size_t i = 0; i < 3; ++i) weights.peepholes[i] = c.input(first + 1 + i);
  weights.bias = c.input(first + 4);
  weights.use_peephole = c.flag("use_peephole");
  return weights;
}

// LSTMBlockCell(x: T, cs_prev: T, h_prev: T, w: T, wci: T, wcf: T, wco: T, b: T, forget_bias: float = 1,
// cell_clip: float = 3, use_peephole: bool = false) -> i, cs, f, o, ci, co, h
ir::Values lstm_block_cell(Call& c) {
  LstmWeights weights = lstm_weights(c, 3);
  weights.forget_bias = c.number("forget_bias", 1);
  weights.cell_clip = c.number("cell_clip", 3);
  return lstm_step(c, c.b, weights, c.input(0), c.input(1), c.input(2)).all();
}

// BlockLSTM(seq_len_max: int64, x: T, cs_prev: T, h_prev: T, w: T, wci: T, wcf: T, wco: T, b: T, forget_bias: float =
// 1, cell_clip: float = 3, use_peephole: bool = false) -> i, cs, f, o, ci, co, h; BlockLSTMV2 has no forget_bias,
// another order of gates and a cell_clip of 0. Steps from seq_len_max on are zeros.
template <bool V2>
ir::Values block_lstm(Call& c) {
  ir::Builder& b = c.b;
  LstmWeights weights = lstm_weights(c, 4);
  weights.forget_bias = V2 ? 0 : c.number("forget_bias", 1);
  weights.cell_clip = c.number("cell_clip", V2 ? 0 : 3);
  weights.forget_second = V2;
  Value* steps = as_vector(b, c.input(0));
  Value* x = c.input(1);
  Value* used = b.Slice(x, b.ints({0}), steps, b.ints({0}));
  const ir::Values results = b.Scan(
      {c.input(2), c.input(3)}, {used},
      [&](ir::Builder& i, const ir::Values& state, const ir::Values& slices) -> ir::Builder::ScanResult {
        const LstmStep step = lstm_step(c, i, weights, slices[0], state[0], state[1]);
        return {{step.cell, step.hidden}, step.all()};
      },
      7);
  Value* missing = b.Max(b.Sub(b.dim(x, 0), steps), b.ints({0}));
  ir::Values padded;
  for (size_t i = 2; i < results.size(); ++i) {
    Value* rest = b.Fill(b.Concat({missing, dims(b, results[i], 1)}, 0), 0, x->dtype);
    padded.push_back(b.Concat({results[i], rest}, 0));
  }
  return padded;
}

// GRUBlockCell(x: T, h_prev: T, w_ru: T, w_c: T, b_ru: T, b_c: T) -> r, u, c, h
ir::Values gru_block_cell(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  Value* before = c.input(1);
  Value* gates = b.Sigmoid(b.Add(b.MatMul(b.Concat({x, before}, 1), c.input(2)), c.input(4)));
  c.require(c.input(5)->shape && c.input(5)->dim(0).is_known(), "the size of its bias is not known");
  const int64_t units = c.input(5)->dim(0).value();
  const ir::Values split = b.Split(gates, {units, units}, 1);
  Value* reset = split[0];
  Value* update = split[1];
  Value* candidate = b.Tanh(b.Add(b.MatMul(b.Concat({x, b.Mul(before, reset)}, 1), c.input(3)), c.input(5)));
  Value* hidden = b.Add(b.Mul(candidate, b.Sub(b.number_like(1, update), update)), b.Mul(update, before));
  return {reset, update, candidate, hidden};
}

}  // namespace

void register_recurrent_cells(OpTable& t) {
  t.add("LSTMBlockCell -> i, cs, f, o, ci, co, h", lstm_block_cell);
  t.add("BlockLSTM -> i, cs, f, o, ci, co, h", block_lstm<false>);
  t.add("BlockLSTMV2 -> i, cs, f, o, ci, co, h", block_lstm<true>);
  t.add("GRUBlockCell -> r, u, c, h", gru_block_cell);
}

}  // namespace onward::importer::tf
