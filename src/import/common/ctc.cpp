#include "import/common/ctc.h"

#include "import/common/axes.h"

namespace onward::importer {

using ir::DType;
using ir::Value;

GreedyPath greedy_path(ir::Builder& b, Value* scores, Value* lengths, bool merge_repeated, int64_t blank_index) {
  Value* best = b.Transpose(b.ArgMax(scores, 2, false), {1, 0});
  Value* time = counting(b, b.dim(best, 1));
  Value* running = b.Less(time, b.Unsqueeze(b.Cast(lengths, DType::kInt64), {1}));
  Value* blank = b.i64(blank_index);
  if (blank_index < 0) blank = b.Add(b.dim_scalar(scores, 2), b.i64(blank_index));
  Value* keep = b.And(running, b.Not(b.Equal(best, blank)));
  if (merge_repeated) {
    Value* before = b.Gather(best, b.Max(b.Sub(time, b.i64(1)), b.i64(0)), 1);
    Value* repeats = b.And(b.Equal(best, before), b.Greater(time, b.i64(0)));
    keep = b.And(keep, b.Not(repeats));
  }
  Value* kept = b.Cast(keep, DType::kInt64);
  Value* place = b.op("CumSum", {kept, b.i64(1)}, {{"exclusive", 1}});
  Value* chosen = b.Transpose(b.ReduceMax(scores, {2}, false), {1, 0});
  Value* total = b.ReduceSum(b.Where(running, chosen, b.number_like(0, chosen)), {1});
  return {best, keep, place, b.ReduceSum(kept, {1}), b.Neg(total)};
}

}  // namespace onward::importer
