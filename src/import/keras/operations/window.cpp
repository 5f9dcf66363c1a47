// Windows over images and sequences beyond plain convolution and pooling; what decodes sequences.
#include "import/keras/ops/window.h"

#include <cmath>
#include <numbers>

#include "import/common/axes.h"
#include "import/common/ctc.h"
#include "import/common/folding.h"
#include "import/keras/operations.h"
#include "import/keras/ops/adaptive_pooling.h"
#include "import/keras/ops/layout.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

// adaptive_average_pool(inputs, output_size, data_format), adaptive_max_pool likewise
ir::Values adaptive(const Arguments& a, bool max) {
  Value* x = a.value("x");
  const size_t rank = x->rank() - 2;
  std::vector<int64_t> out = a.ints("output_size");
  if (out.size() == 1) out.assign(rank, out[0]);
  a.require(out.size() == rank, "output_size does not fit the input");
  return {adaptive_pool(a.b, x, a.channels_first() ? 2 : 1, out, max)};
}
ir::Values adaptive_average_pool(const Arguments& a) { return adaptive(a, false); }
ir::Values adaptive_max_pool(const Arguments& a) { return adaptive(a, true); }

Window window_of(const Arguments& a, size_t rank, bool first) {
  return {spatial_list(a.ints("strides"), rank, first), spatial_list(a.ints("dilations"), rank, first), a.padding()};
}

// conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format, dilation_rate=1)
ir::Values conv_transpose(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const bool first = a.channels_first();
  const size_t rank = x->rank() - 2;
  Value* kernel = conv_kernel(b, a.value("kernel"));
  const std::vector<int64_t> grown =
      a.has("output_padding") ? spatial_list(a.ints("output_padding"), rank, first) : std::vector<int64_t>();
  const ir::Attrs attrs = conv_transpose_attrs(window_of(a, rank, first), *kernel, grown);
  return {in_nchw(b, x, first, [&](Value* v) { return b.op("ConvTranspose", {v, kernel}, attrs); })};
}

// separable_conv(inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format, dilation_rate=1)
ir::Values separable_conv(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const bool first = a.channels_first();
  const Window window = window_of(a, x->rank() - 2, first);
  Value* original = a.value("depthwise_kernel");
  const ir::Dim groups = original->dim(original->rank() - 2);
  a.require(groups.is_known(), "a kernel of unknown size is not supported");
  Value* depthwise = depthwise_kernel(b, original);
  Value* pointwise = conv_kernel(b, a.value("pointwise_kernel"));
  return {in_nchw(b, x, first, [&](Value* v) {
    Value* middle = b.op("Conv", {v, depthwise}, conv_attrs(window, *depthwise, groups.value()));
    return b.op("Conv", {middle, pointwise});
  })};
}

std::vector<int64_t> pair(const Arguments& a, const char* name, int64_t fallback) {
  const std::vector<int64_t> given = a.ints(name);
  if (given.empty()) return {fallback, fallback};
  return given.size() == 1 ? std::vector<int64_t>{given[0], given[0]} : given;
}

// unfold(x, kernel_size, dilation=1, padding=0, stride=1): the content of each window of an image [n, c, h, w]
ir::Values unfold(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const std::vector<int64_t> kernel = pair(a, "kernel_size", 1);
  const std::vector<int64_t> dilation = pair(a, "dilation", 1);
  const std::vector<int64_t> padding = pair(a, "padding", 0);
  const std::vector<int64_t> stride = pair(a, "stride", 1);
  Value* rows = block_places(b, b.dim(x, 2), {kernel[0], dilation[0], padding[0], stride[0]});
  Value* columns = block_places(b, b.dim(x, 3), {kernel[1], dilation[1], padding[1], stride[1]});
  return {unfolded(b, b.Pad(x, {0, 0, padding[0], padding[1], 0, 0, padding[0], padding[1]}), rows, columns)};
}

// fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1): the windows' contents added at their places
ir::Values fold(const Arguments& a) {
  const std::vector<int64_t> padding = pair(a, "padding", 0);
  return {a.b.op("Col2Im", {a.value("x"), a.b.ints(pair(a, "output_size", 1)), a.b.ints(pair(a, "kernel_size", 1))},
                 {{"dilations", pair(a, "dilation", 1)},
                  {"pads", std::vector<int64_t>{padding[0], padding[1], padding[0], padding[1]}},
                  {"strides", pair(a, "stride", 1)}})};
}

// psnr(x1, x2, max_val)
ir::Values psnr(const Arguments& a) {
  Builder& b = a.b;
  const auto [x, y] = a.operands("x1", "x2");
  Value* off = b.Sub(floating(b, x), floating(b, y));
  Value* error = b.ReduceMean(b.Mul(off, off), {}, false);
  const double peak = 20 * std::log10(a.number("max_val", 1));
  return {b.Sub(b.number_like(peak, error), b.Mul(b.Log(error), 10 / std::numbers::ln10))};
}

// ctc_decode(inputs, sequence_lengths, strategy="greedy", beam_width=100, top_paths=1, merge_repeated=True,
// mask_index=0) → the classes [1, batch, time] with -1 behind the end, and the scores
ir::Values ctc_decode(const Arguments& a) {
  Builder& b = a.b;
  a.require(a.text("strategy", "greedy") == "greedy", "beam search is not supported: use the greedy strategy");
  Value* scores = b.Transpose(floating(b, a.value("inputs")), {1, 0, 2});
  const GreedyPath path =
      greedy_path(b, scores, a.value("sequence_lengths"), a.flag("merge_repeated", true), a.integer("mask_index", 0));
  // What is not kept goes to one more column, which is cut off.
  Value* time = b.dim(path.best, 1);
  Value* column = b.Where(path.kept, path.place, time);
  Value* shape = b.Concat({b.dim(path.best, 0), b.Add(time, b.ints({1}))}, 0);
  Value* table = b.op("ScatterElements", {b.Fill(shape, -1, DType::kInt64), column, path.best}, {{"axis", 1}});
  Value* decoded = b.Cast(b.Slice(table, b.ints({0}), time, b.ints({1})), DType::kInt32);
  return {b.Unsqueeze(decoded, {0}), path.score};
}

}  // namespace

void register_window_operations(OperationTable& table) {
  table.add("AdaptiveAveragePool", {"x", adaptive_average_pool});
  table.add("AdaptiveMaxPool", {"x", adaptive_max_pool});
  table.add("ConvTranspose",
            {"x kernel strides padding output_padding data_format dilations:dilation_rate", conv_transpose});
  table.add("SeparableConv", {"x depthwise_kernel pointwise_kernel strides padding data_format dilations:dilation_rate",
                              separable_conv});
  table.add("Unfold", {"x", unfold});
  table.add("Fold", {"x", fold});
  table.add("PSNR", {"x1 x2", psnr});
  table.add("CTCDecode", {"inputs sequence_lengths", ctc_decode});
}

}  // namespace onward::importer::keras
