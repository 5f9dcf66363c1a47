// Conv1D/2D/3D, DepthwiseConv1D/2D, SeparableConv1D/2D, Conv1D/2D/3DTranspose.
#include <algorithm>

#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/layout.h"
#include "import/keras/ops/window.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

Value* causal(const Context& ctx, Value* x, const std::vector<int64_t>& dilations, int64_t width) {
  if (ctx.config.get("padding", "valid") != "causal") return x;
  ir::Builder& b = ctx.b;
  return b.Pad(x, {0, 0, dilations[0] * (width - 1), 0, 0, 0});
}

Value* bias_of(const Context& ctx) { return ctx.config.get("use_bias", true) ? ctx.weight("bias") : nullptr; }

// Conv<N>D(filters, kernel_size, strides=1, padding="valid", data_format, dilation_rate=1, groups=1, activation=None,
// use_bias=True)
ir::Values conv(Context& ctx) {
  const size_t rank = spatial_rank(ctx);
  const Window window = window_of(ctx, rank);
  Value* kernel = conv_kernel(ctx.b, ctx.weight("kernel"));
  Value* y = in_nchw(ctx.b, ctx.x(), ctx.channels_first(), [&](Value* x) {
    x = causal(ctx, x, window.dilations, kernel->dim(2).value());
    return ctx.b.op("Conv", {x, kernel, bias_of(ctx)}, conv_attrs(window, *kernel, ctx.config.get("groups", 1)));
  });
  return {activate(ctx, ctx.config["activation"], y)};
}

// DepthwiseConv<N>D(kernel_size, strides=1, padding="valid", depth_multiplier=1, …)
ir::Values depthwise_conv(Context& ctx) {
  const size_t rank = spatial_rank(ctx);
  const Window window = window_of(ctx, rank);
  Value* original = ctx.has_weight("kernel") ? ctx.weight("kernel") : ctx.weight("depthwise_kernel");
  const int64_t groups = original->dim(original->rank() - 2).value();
  Value* kernel = depthwise_kernel(ctx.b, original);
  Value* y = in_nchw(ctx.b, ctx.x(), ctx.channels_first(), [&](Value* x) {
    x = causal(ctx, x, window.dilations, kernel->dim(2).value());
    return ctx.b.op("Conv", {x, kernel, bias_of(ctx)}, conv_attrs(window, *kernel, groups));
  });
  return {activate(ctx, ctx.config["activation"], y)};
}

// SeparableConv<N>D: depthwise, then 1x1.
ir::Values separable_conv(Context& ctx) {
  const size_t rank = spatial_rank(ctx);
  const Window window = window_of(ctx, rank);
  Value* original = ctx.weight("depthwise_kernel");
  const int64_t groups = original->dim(original->rank() - 2).value();
  Value* depthwise = depthwise_kernel(ctx.b, original);
  Value* pointwise = conv_kernel(ctx.b, ctx.weight("pointwise_kernel"));
  Value* y = in_nchw(ctx.b, ctx.x(), ctx.channels_first(), [&](Value* x) {
    x = causal(ctx, x, window.dilations, depthwise->dim(2).value());
    Value* middle = ctx.b.op("Conv", {x, depthwise}, conv_attrs(window, *depthwise, groups));
    return ctx.b.op("Conv", {middle, pointwise, bias_of(ctx)});
  });
  return {activate(ctx, ctx.config["activation"], y)};
}

// Conv<N>DTranspose(filters, kernel_size, strides=1, padding="valid", output_padding=None, dilation_rate=1, …)
ir::Values conv_transpose(Context& ctx) {
  const size_t rank = spatial_rank(ctx);
  Value* kernel = conv_kernel(ctx.b, ctx.weight("kernel"));
  const Json& given = ctx.config["output_padding"];
  const std::vector<int64_t> grown = given.is_null() ? std::vector<int64_t>() : ctx.ints("output_padding", rank);
  ir::Attrs attrs = conv_transpose_attrs(window_of(ctx, rank), *kernel, grown);
  attrs.set("group", ctx.config.get("groups", 1));
  Value* y = in_nchw(ctx.b, ctx.x(), ctx.channels_first(), [&](Value* x) {
    return ctx.b.op("ConvTranspose", {x, kernel, bias_of(ctx)}, attrs);
  });
  return {activate(ctx, ctx.config["activation"], y)};
}

std::vector<Variable> with_bias(const Layer& layer, std::vector<Variable> variables) {
  if (layer.config.get("use_bias", true)) variables.push_back({"bias"});
  return variables;
}

std::vector<Variable> kernel_variables(const Layer& layer) { return with_bias(layer, {{"kernel"}}); }
std::vector<Variable> separable_variables(const Layer& layer) {
  return with_bias(layer, {{"depthwise_kernel"}, {"pointwise_kernel"}});
}

}  // namespace

void register_convolution(OpTable& table) {
  for (const char* rank : {"1D", "2D", "3D"}) {
    table.add(std::string("Conv") + rank, {conv, kernel_variables});
    table.add(std::string("Conv") + rank + "Transpose", {conv_transpose, kernel_variables});
  }
  for (const char* rank : {"1D", "2D"}) {
    table.add(std::string("DepthwiseConv") + rank, {depthwise_conv, kernel_variables});
    table.add(std::string("SeparableConv") + rank, {separable_conv, separable_variables});
  }
}

}  // namespace onward::importer::keras
