// LocallyConnected1D/2D of Keras 2: convolutions with a kernel of its own at every place.
#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/layout.h"
#include "import/keras/ops/window.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

struct Grid {
  std::vector<int64_t> kernel;
  std::vector<int64_t> strides;
  std::vector<int64_t> out;
};

Grid grid_of(const Context& ctx, Value* x, size_t rank) {
  Grid grid{ctx.ints("kernel_size", rank), ctx.ints("strides", rank), {}};
  for (size_t i = 0; i < rank; ++i) {
    const ir::Dim in = x->dim(i + 1);
    ctx.require(in.is_known(), "needs an input of known size");
    ctx.require(grid.kernel[i] > 0 && grid.kernel[i] <= 256 && grid.strides[i] > 0,
                "the kernel's size is out of range");
    grid.out.push_back((in.value() - grid.kernel[i]) / grid.strides[i] + 1);
  }
  return grid;
}

// Every place's window with channels last, flattened: [batch, places, kernel · channels].
Value* windows(Builder& b, Value* x, const Grid& grid, size_t rank) {
  const int64_t channels = x->dim(rank + 1).value();
  int64_t places = 1;
  int64_t taps = 1;
  for (size_t i = 0; i < rank; ++i) {
    places *= grid.out[i];
    taps *= grid.kernel[i];
  }
  // One strided slice for each tap of the kernel.
  ir::Values parts;
  for (int64_t tap = 0; tap < taps; ++tap) {
    int64_t rest = tap;
    std::vector<int64_t> starts(rank);
    std::vector<int64_t> ends(rank);
    std::vector<int64_t> axes(rank);
    for (size_t i = rank; i-- > 0;) {
      starts[i] = rest % grid.kernel[i];
      rest /= grid.kernel[i];
      ends[i] = starts[i] + (grid.out[i] - 1) * grid.strides[i] + 1;
      axes[i] = static_cast<int64_t>(i) + 1;
    }
    Value* part = b.Slice(x, b.ints(starts), b.ints(ends), b.ints(axes), b.ints(grid.strides));
    parts.push_back(b.Reshape(part, {-1, places, 1, channels}));
  }
  return b.Reshape(b.Concat(parts, 2), {-1, places, taps * channels});
}

// LocallyConnected<N>D(filters, kernel_size, strides=1, padding="valid", implementation=1): the kernel is
// [places, kernel · channels, filters]
ir::Values locally_connected(Context& ctx) {
  Builder& b = ctx.b;
  const size_t rank = spatial_rank(ctx);
  ctx.require(ctx.config.get("implementation", 1) == 1, "implementations 2 and 3 are not supported",
              "set implementation=1 before saving");
  ctx.require(ctx.config.get("padding", "valid") == "valid", "padding other than \"valid\" is not supported");
  Value* x = ctx.x();
  const bool first = ctx.channels_first();
  if (first) x = b.Transpose(x, channels_to_back(rank + 2));
  const Grid grid = grid_of(ctx, x, rank);
  Value* patches = b.Transpose(windows(b, x, grid, rank), {1, 0, 2});  // [places, batch, kernel · channels]
  Value* kernel = ctx.weight("kernel");
  ctx.require(kernel->rank() == 3, "the kernel has an unknown layout");
  Value* y = b.Transpose(b.MatMul(patches, kernel), {1, 0, 2});
  std::vector<int64_t> shape{-1};
  shape.insert(shape.end(), grid.out.begin(), grid.out.end());
  shape.push_back(kernel->dim(2).value());
  y = b.Reshape(y, shape);
  if (ctx.config.get("use_bias", true)) y = b.Add(y, ctx.weight("bias"));
  if (first) y = b.Transpose(y, channels_to_front(rank + 2));
  return {activate(ctx, ctx.config["activation"], y)};
}

std::vector<Variable> variables(const Layer& layer) {
  std::vector<Variable> result{{"kernel"}};
  if (layer.config.get("use_bias", true)) result.push_back({"bias"});
  return result;
}

}  // namespace

void register_locally_connected(OpTable& table) {
  for (const char* name : {"LocallyConnected1D", "LocallyConnected2D"}) table.add(name, {locally_connected, variables});
}

}  // namespace onward::importer::keras
