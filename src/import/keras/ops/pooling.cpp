// Max and average pooling, local and global, in one to three dimensions.
#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/layout.h"
#include "import/keras/ops/window.h"

namespace onward::importer::keras {
namespace {

using ir::Value;

// <Max|Average>Pooling<N>D(pool_size=2, strides=None, padding="valid", data_format)
ir::Values pool(Context& ctx, const char* op) {
  const size_t rank = spatial_rank(ctx);
  const std::vector<int64_t> size = ctx.ints("pool_size", rank, 2);
  const std::vector<int64_t> strides = ctx.config["strides"].is_null() ? size : ctx.ints("strides", rank);
  ir::Attrs attrs{{"kernel_shape", size}, {"strides", strides}};
  if (ctx.config.get("padding", "valid") == "same") attrs.set("auto_pad", "SAME_UPPER");
  return {in_nchw(ctx.b, ctx.x(), ctx.channels_first(), [&](Value* x) { return ctx.b.op(op, {x}, attrs); })};
}

ir::Values max_pool(Context& ctx) { return pool(ctx, "MaxPool"); }
ir::Values average_pool(Context& ctx) { return pool(ctx, "AveragePool"); }

// Global<Max|Average>Pooling<N>D(data_format, keepdims=False)
std::vector<int64_t> spatial_axes(const Context& ctx, size_t rank) {
  std::vector<int64_t> axes;
  for (size_t i = 1; i + 1 < rank; ++i) axes.push_back(static_cast<int64_t>(ctx.channels_first() ? i + 1 : i));
  return axes;
}

ir::Values global_max_pool(Context& ctx) {
  Value* x = ctx.x();
  return {ctx.b.ReduceMax(x, spatial_axes(ctx, x->rank()), ctx.config.get("keepdims", false))};
}

ir::Values global_average_pool(Context& ctx) {
  ir::Builder& b = ctx.b;
  Value* x = ctx.x();
  Value* mask = ctx.layer.class_name == "GlobalAveragePooling1D" ? ctx.mask() : nullptr;
  if (mask != nullptr) {
    // Only the steps that count.
    Value* weight = b.Unsqueeze(b.Cast(mask, x->dtype), {ctx.channels_first() ? 1 : 2});
    const std::vector<int64_t> axes = spatial_axes(ctx, x->rank());
    const bool keep = ctx.config.get("keepdims", false);
    return {b.Div(b.ReduceSum(b.Mul(x, weight), axes, keep), b.ReduceSum(weight, axes, keep))};
  }
  return {ctx.b.ReduceMean(x, spatial_axes(ctx, x->rank()), ctx.config.get("keepdims", false))};
}

}  // namespace

void register_pooling(OpTable& table) {
  for (const std::string rank : {"1D", "2D", "3D"}) {
    table.add("MaxPooling" + rank, {max_pool});
    table.add("AveragePooling" + rank, {average_pool});
    table.add("GlobalMaxPooling" + rank, {global_max_pool});
    table.add("GlobalAveragePooling" + rank, {global_average_pool});
  }
}

}  // namespace onward::importer::keras
