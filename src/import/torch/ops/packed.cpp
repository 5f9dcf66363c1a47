// Packed sequences: the steps of all sequences one after the other, time by time, without what pads the shorter ones,
// and how many sequences go on at each time. A recurrent layer gets the padded form back, with the lengths, and what
// packs its result for the next operator is dropped where that unpacks it again.
#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"
#include "import/torch/ops/recurrent.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Node;
using ir::Value;

const Node* made_by(const Value* value, std::string_view op) {
  const Node* node = value->producer();
  return node != nullptr && node->op_type == op ? node : nullptr;
}

// Sequences as a padded tensor [time, batch, …], and which of its steps exist: [longest, batch].
struct Padded {
  Value* steps;
  Value* exists;
  Value* lengths;  // [batch], int64
};

Value* places(ir::Builder& b, Value* exists) { return b.Transpose(b.NonZero(exists), {1, 0}); }

Value* packed(ir::Builder& b, const Padded& padded) {
  return b.op("GatherND", {padded.steps, places(b, padded.exists)});
}
// How many sequences have each step.
Value* batch_sizes(ir::Builder& b, Value* exists) { return b.ReduceSum(b.Cast(exists, DType::kInt64), {1}, false); }

// What `packed` and `batch_sizes` made `data` and `sizes` of.
std::optional<Padded> before_packing(ir::Builder& b, Value* data, Value* sizes) {
  const Node* gather = made_by(data, "GatherND");
  const Node* transpose = gather == nullptr ? nullptr : made_by(gather->input(1), "Transpose");
  const Node* nonzero = transpose == nullptr ? nullptr : made_by(transpose->input(0), "NonZero");
  const Node* sum = made_by(sizes, "ReduceSum");
  const Node* cast = sum == nullptr ? nullptr : made_by(sum->input(0), "Cast");
  if (nonzero == nullptr || cast == nullptr || nonzero->input(0) != cast->input(0)) return std::nullopt;
  Value* exists = nonzero->input(0);
  const Node* less = made_by(exists, "Less");
  const Node* unsqueeze = less == nullptr ? nullptr : made_by(less->input(1), "Unsqueeze");
  Value* lengths = unsqueeze != nullptr ? unsqueeze->input(0) : b.ReduceSum(b.Cast(exists, DType::kInt64), {0}, false);
  return Padded{gather->input(0), exists, lengths};
}

Padded padded(ir::Builder& b, Value* data, Value* sizes) {
  if (const auto known = before_packing(b, data, sizes)) return *known;
  Value* batch = b.Gather(sizes, b.ints({0}), 0);
  Value* exists = b.Less(b.Unsqueeze(counting(b, batch), {0}), b.Unsqueeze(sizes, {1}));
  Value* rest = b.Slice(b.Shape(data), 1, kToEnd, 0);
  Value* zeros = b.Fill(b.Concat({b.dim(sizes, 0), batch, rest}, 0), 0, data->dtype);
  Value* steps = b.op("ScatterND", {zeros, places(b, exists), data});
  return {steps, exists, b.ReduceSum(b.Cast(exists, DType::kInt64), {0}, false)};
}

// aten::_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first) -> (Tensor, Tensor)
ir::Values pack(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  c.require(x->rank() >= 2, "the input needs a time and a batch dimension");
  c.require(c.rank("lengths") == 1, "the lengths must be a vector");
  if (c.flag("batch_first")) x = swap_axes(b, x, 0, 1);
  Value* lengths = b.Cast(c.tensor("lengths"), DType::kInt64);
  Value* times = counting(b, b.ReduceMax(lengths, {0}, true));
  Value* exists = b.Less(b.Unsqueeze(times, {1}), b.Unsqueeze(lengths, {0}));
  return {packed(b, {x, exists, lengths}), batch_sizes(b, exists)};
}

// aten::_pad_packed_sequence(…, bool batch_first, Scalar padding_value, int total_length) -> (Tensor, Tensor)
ir::Values unpack(Call& c) {
  ir::Builder& b = c.b;
  const Padded sequences = padded(b, c.tensor("data"), c.tensor("batch_sizes"));
  Value* x = b.Slice(sequences.steps, b.ints({0}), b.dim(sequences.exists, 0), b.ints({0}));
  Value* exists = sequences.exists;
  for (size_t axis = 2; axis < x->rank(); ++axis) exists = b.Unsqueeze(exists, {static_cast<int64_t>(axis)});
  x = b.Where(exists, x, c.scalar("padding_value", x->dtype));
  Value* total = c.int_vector("total_length");
  // A total length of 0 or less asks for the longest's.
  Value* more = b.Max(b.Sub(total, b.dim(x, 0)), b.ints({0}));
  Value* pads =
      b.Concat({b.ints(std::vector<int64_t>(x->rank(), 0)), more, b.ints(std::vector<int64_t>(x->rank() - 1, 0))}, 0);
  const bool longest = c.known("total_length") && c.integer("total_length") <= 0;
  if (!longest) x = b.op("Pad", {x, pads, c.scalar("padding_value", x->dtype)});
  if (c.flag("batch_first")) x = swap_axes(b, x, 0, 1);
  return {x, sequences.lengths};
}

// aten::lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, …) -> (Tensor, Tensor, Tensor)
ir::Values recurrent(Call& c) {
  ir::Builder& b = c.b;
  const Padded sequences = padded(b, c.tensor("data"), c.tensor("batch_sizes"));
  const RecurrentResults results =
      run_recurrent(c, sequences.steps, c.tensors("hx"), c.tensors("params"), b.Cast(sequences.lengths, DType::kInt32));
  Value* data = packed(b, {results.sequence, sequences.exists, sequences.lengths});
  if (results.cells == nullptr) return {data, results.hidden};
  return {data, results.hidden, results.cells};
}

}  // namespace

void register_packed(OpTable& t) {
  t.add("aten::_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first) -> (Tensor, Tensor)", pack);
  t.add(
      "aten::_pad_packed_sequence(Tensor data, Tensor batch_sizes, bool batch_first, Scalar padding_value, int "
      "total_length) -> (Tensor, Tensor)",
      unpack);
  const std::string settings =
      "Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> ";
  t.add("aten::lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, " + settings + "(Tensor, Tensor, Tensor)",
        recurrent);
  for (const char* name : {"gru", "rnn_tanh", "rnn_relu"}) {
    t.add("aten::" + std::string(name) + ".data(Tensor data, Tensor batch_sizes, Tensor hx, " + settings +
              "(Tensor, Tensor)",
          recurrent);
  }
}

}  // namespace onward::importer::torch
