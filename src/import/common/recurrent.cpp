#include "import/common/recurrent.h"

namespace onward::importer {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

Value* gather_steps(Builder& b, Value* x, Value* index) {
  return b.op("GatherND", {x, b.Unsqueeze(index, {2})}, {{"batch_dims", 1}});
}

}  // namespace

RecurrentResult recurrent(Builder& b, const Recurrent& layer, Value* x, Value* lengths, Value* h, Value* c) {
  ir::Attrs attrs{{"hidden_size", layer.hidden}, {"direction", layer.direction}};
  ir::Attr::Strings names;
  ir::Attr::Floats alpha;
  ir::Attr::Floats beta;
  for (const RecurrentActivation& activation : layer.activations) {
    names.push_back(activation.name);
    alpha.insert(alpha.end(), activation.alpha.begin(), activation.alpha.end());
    beta.insert(beta.end(), activation.beta.begin(), activation.beta.end());
  }
  attrs.set("activations", names);
  if (!alpha.empty()) attrs.set("activation_alpha", alpha);
  if (!beta.empty()) attrs.set("activation_beta", beta);
  const std::string_view op = layer.op;
  if (op == "GRU") attrs.set("linear_before_reset", layer.linear_before_reset);
  ir::Values inputs{x, layer.w, layer.r, layer.bias, lengths, h};
  const bool lstm = op == "LSTM";
  if (lstm) inputs.push_back(c);
  const DType dtype = x->dtype;
  if (dtype == DType::kDouble) {  // ONNX Runtime computes recurrent layers in float
    for (Value*& input : inputs) {
      if (input != nullptr && input->dtype == dtype) input = b.Cast(input, DType::kFloat);
    }
  }
  ir::Values out = b.ops(op, inputs, lstm ? 3 : 2, attrs);
  for (Value*& output : out) output = b.Cast(output, dtype);
  return {out[0], out[1], lstm ? out[2] : nullptr};
}

PackedSteps pack_steps(Builder& b, Value* x, Value* mask) {
  Value* valid = b.Cast(mask, DType::kInt64);
  Value* steps = b.dim(x, 1);
  // Sorting by this key puts valid steps first and keeps the order of both kinds.
  Value* place = b.Range(b.i64(0), b.Squeeze(steps, {0}), b.i64(1));
  Value* key = b.Sub(b.Mul(valid, steps), place);
  Value* order = b.ops("TopK", {key, steps}, 2, {{"axis", 1}})[1];
  return {gather_steps(b, x, order), b.Cast(mask, DType::kBool), b.op("CumSum", {valid, b.i64(1)}),
          b.Cast(b.ReduceSum(valid, {1}, false), DType::kInt32)};
}

Value* unpack_steps(Builder& b, const PackedSteps& packed, Value* y, bool backwards, bool zero) {
  Value* valid = b.Cast(packed.mask, DType::kInt64);
  Value* first = b.i64(0);
  Value* index = nullptr;
  Value* found = nullptr;
  if (backwards) {
    // The next valid step at or behind this one.
    Value* total = b.Unsqueeze(b.Cast(packed.lengths, DType::kInt64), {1});
    index = b.Sub(packed.counts, valid);
    found = b.Less(index, total);
    index = b.Min(index, b.Max(b.Sub(total, b.i64(1)), first));
  } else {
    found = b.Greater(packed.counts, first);
    index = b.Max(b.Sub(packed.counts, b.i64(1)), first);
  }
  Value* kept = b.Unsqueeze(zero ? packed.mask : found, {2});
  return b.Where(kept, gather_steps(b, y, index), b.number_like(0, y));
}

}  // namespace onward::importer
