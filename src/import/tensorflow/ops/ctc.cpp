// Decoding of sequences of class scores.
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// CTCGreedyDecoder(inputs: T, sequence_length: int32, merge_repeated: bool = false, blank_index: int = -1) ->
// decoded_indices, decoded_values, decoded_shape, log_probability
ir::Values greedy_decoder(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);  // [time, batch, classes]
  Value* best = b.Transpose(b.ArgMax(x, 2, false), {1, 0});
  Value* time = counting(b, b.dim(best, 1));
  Value* running = b.Less(time, b.Unsqueeze(b.Cast(c.input(1), DType::kInt64), {1}));
  const int64_t blank_index = c.integer("blank_index", -1);
  Value* blank = b.i64(blank_index);
  if (blank_index < 0) blank = b.Add(b.dim_scalar(x, 2), b.i64(blank_index));
  Value* keep = b.And(running, b.Not(b.Equal(best, blank)));
  if (c.flag("merge_repeated")) {
    Value* before = b.Gather(best, b.Max(b.Sub(time, b.i64(1)), b.i64(0)), 1);
    Value* repeats = b.And(b.Equal(best, before), b.Greater(time, b.i64(0)));
    keep = b.And(keep, b.Not(repeats));
  }
  Value* kept = b.Cast(keep, DType::kInt64);
  Value* place = b.op("CumSum", {kept, b.i64(1)}, {{"exclusive", 1}});
  Value* at = b.Transpose(b.NonZero(keep), {1, 0});
  Value* position = b.Unsqueeze(b.op("GatherND", {place, at}), {1});
  Value* longest = b.Reshape(b.ReduceMax(b.ReduceSum(kept, {1}, false), {}, false), {1});
  Value* chosen = b.Transpose(b.ReduceMax(x, {2}, false), {1, 0});
  Value* log_probability = b.Neg(b.ReduceSum(b.Where(running, chosen, b.number_like(0, chosen)), {1}));
  return {b.Concat({b.Slice(at, 0, 1, 1), position}, 1), b.op("GatherND", {best, at}),
          b.Concat({b.dim(best, 0), longest}, 0), log_probability};
}

}  // namespace

void register_ctc(OpTable& t) {
  t.add("CTCGreedyDecoder -> decoded_indices, decoded_values, decoded_shape, log_probability", greedy_decoder);
}

}  // namespace onward::importer::tf
