// AdaptiveAveragePooling<N>D, AdaptiveMaxPooling<N>D: each output covers an equal share of the input.
#include "import/keras/ops/adaptive_pooling.h"

#include "base/error.h"
#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/window.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

// One axis: output i covers [floor(i·in/out), ceil((i+1)·in/out)).
Value* pool_axis(Builder& b, Value* x, int64_t axis, int64_t in, int64_t out, bool max) {
  const auto reduce = [&](Value* part) { return max ? b.ReduceMax(part, {axis}) : b.ReduceMean(part, {axis}); };
  if (out == 1) return reduce(x);
  ir::Values parts;
  for (int64_t i = 0; i < out; ++i) {
    parts.push_back(reduce(b.Slice(x, i * in / out, ((i + 1) * in + out - 1) / out, axis)));
  }
  return b.Concat(parts, axis);
}

ir::Values pool(const Context& ctx, bool max) {
  const std::vector<int64_t> out = ctx.ints("output_size", spatial_rank(ctx));
  return {adaptive_pool(ctx.b, ctx.x(), ctx.channels_first() ? 2 : 1, out, max)};
}

ir::Values average(Context& ctx) { return pool(ctx, false); }
ir::Values maximum(Context& ctx) { return pool(ctx, true); }

}  // namespace

Value* adaptive_pool(Builder& b, Value* x, int64_t first, const std::vector<int64_t>& out, bool max) {
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t axis = first + static_cast<int64_t>(i);
    const ir::Dim in = x->dim(static_cast<size_t>(axis));
    if (out[i] <= 0 || out[i] > 4096) fail_unsupported("adaptive pooling to a size that is out of range");
    if (in.is_known() && in.value() >= (int64_t{1} << 31)) fail_unsupported("adaptive pooling of too large an input");
    if (!in.is_known() && out[i] != 1) {
      fail_unsupported("adaptive pooling needs an input of known size", "give the size with --input NAME=DIMS");
    }
    x = pool_axis(b, x, axis, in.is_known() ? in.value() : 0, out[i], max);
  }
  return x;
}

void register_adaptive_pooling(OpTable& table) {
  for (const std::string rank : {"1D", "2D", "3D"}) {
    table.add("AdaptiveAveragePooling" + rank, {average});
    table.add("AdaptiveMaxPooling" + rank, {maximum});
  }
}

}  // namespace onward::importer::keras
