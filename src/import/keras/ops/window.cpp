#include "import/keras/ops/window.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace onward::importer::keras {

using ir::Builder;
using ir::Value;

size_t spatial_rank(const Context& ctx, size_t others) {
  size_t rank = 2;
  for (const char c : ctx.layer.class_name) {
    if (c >= '1' && c <= '3') rank = static_cast<size_t>(c - '0');
  }
  const ir::Values inputs = ctx.inputs();
  ctx.require(!inputs.empty(), "the layer has no input");
  const size_t given = inputs.front()->rank();
  ctx.require(given == rank + others,
              fmt::format("the layer takes {} dimensions, its input has {}", rank + others, given));
  return rank;
}

Window window_of(const Context& ctx, size_t rank) {
  const std::string padding = ctx.config.get("padding", "valid");
  ctx.require(padding == "same" || padding == "valid" || padding == "causal", "padding \"" + padding + "\" is unknown");
  return {ctx.ints("strides", rank), ctx.ints("dilation_rate", rank), padding};
}

std::vector<int64_t> spatial_list(const std::vector<int64_t>& given, size_t rank, bool channels_first) {
  for (const int64_t size : given) {
    if (size < 0 || size >= (int64_t{1} << 31)) fail_unsupported("a window's size is out of range");
  }
  if (given.empty()) return std::vector<int64_t>(rank, 1);
  if (given.size() == 1) return std::vector<int64_t>(rank, given[0]);
  if (given.size() == rank) return given;
  if (given.size() != rank + 2) fail_unsupported("a window with " + std::to_string(given.size()) + " entries");
  const auto start = given.begin() + (channels_first ? 2 : 1);
  return {start, start + static_cast<int64_t>(rank)};
}

// "same" with stride 1 pads the same whatever the size; with a larger stride it depends on the size, which ONNX then
// works out.
ir::Attrs conv_attrs(const Window& window, const Value& kernel, int64_t groups) {
  ir::Attrs attrs{{"strides", window.strides}, {"dilations", window.dilations}, {"group", groups}};
  if (window.padding != "same") return attrs;
  const size_t rank = window.strides.size();
  if (std::any_of(window.strides.begin(), window.strides.end(), [](int64_t stride) { return stride != 1; })) {
    attrs.set("auto_pad", "SAME_UPPER");
    return attrs;
  }
  std::vector<int64_t> pads(2 * rank);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t total = window.dilations[i] * (kernel.dim(2 + i).value() - 1);
    pads[i] = total / 2;
    pads[i + rank] = total - total / 2;
  }
  attrs.set("pads", pads);
  return attrs;
}

namespace {

// How much a transposed convolution's full result is cut (or grown) at each side.
struct TransposeCut {
  int64_t begin;
  int64_t end;
  int64_t output_padding;
};

TransposeCut transpose_cut(const std::string& padding, int64_t kernel, int64_t stride, int64_t dilation,
                           const std::optional<int64_t>& output_padding) {
  const int64_t span = dilation * (kernel - 1) + 1;
  const bool same = padding == "same";
  // How much longer the full result is than Keras' output.
  int64_t excess = same ? span - stride : -std::max<int64_t>(stride - span, 0);
  if (output_padding) excess = (same ? 2 * (span / 2) : 0) - *output_padding;
  const int64_t begin = std::max<int64_t>(excess, 0) / 2;
  return {begin, std::max<int64_t>(excess, 0) - begin, std::max<int64_t>(-excess, 0)};
}

}  // namespace

ir::Attrs conv_transpose_attrs(const Window& window, const Value& kernel, const std::vector<int64_t>& output_padding) {
  const size_t rank = window.strides.size();
  std::vector<int64_t> pads(2 * rank);
  std::vector<int64_t> grown(rank);
  for (size_t i = 0; i < rank; ++i) {
    const TransposeCut cut =
        transpose_cut(window.padding, kernel.dim(2 + i).value(), window.strides[i], window.dilations[i],
                      output_padding.empty() ? std::nullopt : std::optional<int64_t>(output_padding[i]));
    pads[i] = cut.begin;
    pads[i + rank] = cut.end;
    grown[i] = cut.output_padding;
  }
  return {{"strides", window.strides}, {"dilations", window.dilations}, {"pads", pads}, {"output_padding", grown}};
}

Value* conv_kernel(Builder& b, Value* kernel) {
  const auto rank = static_cast<int64_t>(kernel->rank());
  std::vector<int64_t> perm{rank - 1, rank - 2};
  for (int64_t i = 0; i + 2 < rank; ++i) perm.push_back(i);
  return b.Transpose(kernel, perm);
}

Value* depthwise_kernel(Builder& b, Value* kernel) {
  const auto rank = static_cast<int64_t>(kernel->rank());
  const int64_t channels = kernel->dim(kernel->rank() - 2).value() * kernel->dim(kernel->rank() - 1).value();
  std::vector<int64_t> perm{rank - 2, rank - 1};
  std::vector<int64_t> shape{channels, 1};
  for (int64_t i = 0; i + 2 < rank; ++i) {
    perm.push_back(i);
    shape.push_back(kernel->dim(static_cast<size_t>(i)).value());
  }
  return b.Reshape(b.Transpose(kernel, perm), shape);
}

}  // namespace onward::importer::keras
