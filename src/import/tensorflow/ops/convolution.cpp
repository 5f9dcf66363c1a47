// Convolutions, their transposes (named by TensorFlow after gradients), and dilation.
#include <algorithm>

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"
#include "import/tensorflow/ops/windows.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

int64_t known_dim(const Call& c, const Value* x, size_t axis, const char* what) {
  const ir::Dim dim = x->dim(axis);
  c.require(dim.is_known(), std::string("its ") + what + " is only known when the model runs");
  return dim.value();
}

// A filter has its spatial dimensions first.
Windows windows_of(Call& c, const Value* filter) {
  Windows w;
  const size_t rank = filter->rank();
  w.channels_first = channels_first(c, rank == 5 ? "NDHWC" : "NHWC");
  for (size_t i = 0; i + 2 < rank; ++i) w.kernel.push_back(known_dim(c, filter, i, "kernel's size"));
  w.strides = spatial(c.integers("strides"), w.channels_first);
  w.dilations = spatial(c.integers("dilations"), w.channels_first);
  if (w.dilations.empty()) w.dilations.assign(w.kernel.size(), 1);
  c.require(w.strides.size() == w.kernel.size() && w.dilations.size() == w.kernel.size(),
            "its strides or dilations do not fit its filter");
  return w;
}

std::vector<int64_t> filter_to_front(size_t rank, bool out_first) {
  const auto last = static_cast<int64_t>(rank) - 1;
  std::vector<int64_t> perm = out_first ? std::vector<int64_t>{last, last - 1} : std::vector<int64_t>{last - 1, last};
  for (int64_t i = 0; i < last - 1; ++i) perm.push_back(i);
  return perm;
}

Value* floats(Call& c, Value* x) { return ir::is_floating(x->dtype) ? x : c.b.Cast(x, DType::kFloat); }

// `weight` is as ONNX has it: [out, in / groups, spatial…].
Value* convolve(Call& c, const Windows& w, Value* weight, int64_t groups) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  ir::Attrs attrs{{"kernel_shape", w.kernel}};
  if (groups != 1) attrs.set("group", groups);
  Value* result = in_nchw(b, floats(c, x), w.kernel.size() + 2, w.channels_first, [&](Value* image) {
    Value* padded = set_windows(c, image, w, 0, attrs);
    return b.op("Conv", {padded, floats(c, weight)}, attrs);
  });
  return b.Cast(result, x->dtype);
}

// Conv2D(input: T, filter: T, strides: ints, use_cudnn_on_gpu: bool = true, padding: string, explicit_paddings: ints
// = [], data_format: string = "NHWC", dilations: ints = [1, 1, 1, 1]) -> output; Conv3D likewise
Value* conv(Call& c) {
  Value* filter = c.input(1);
  const size_t rank = filter->rank();
  const Windows w = windows_of(c, filter);
  int64_t groups = 1;
  const Value* x = c.input(0);
  const ir::Dim channels = x->shape ? x->dim(w.channels_first ? 1 : rank - 1) : ir::Dim();
  const ir::Dim taken = filter->dim(rank - 2);
  if (channels.is_known() && taken.is_known() && taken.value() > 0) groups = channels.value() / taken.value();
  return convolve(c, w, c.b.Transpose(filter, filter_to_front(rank, true)), groups);
}

// [h, w, in, multiplier] → [in * multiplier, 1, h, w]
Value* depthwise_weight(Call& c, Value* filter) {
  ir::Builder& b = c.b;
  const std::vector<int64_t> shape{-1, 1, known_dim(c, filter, 0, "kernel's size"),
                                   known_dim(c, filter, 1, "kernel's size")};
  return b.Reshape(b.Transpose(filter, {2, 3, 0, 1}), shape);
}

// DepthwiseConv2dNative(input: T, filter: T, strides, padding, explicit_paddings, data_format, dilations) -> output
Value* depthwise_conv(Call& c) {
  Value* filter = c.input(1);
  return convolve(c, windows_of(c, filter), depthwise_weight(c, filter), known_dim(c, filter, 2, "number of channels"));
}

// What the forward convolution's padding cuts off the full transpose, begins and ends; and the size it leaves.
struct Cut {
  std::vector<int64_t> begins;
  std::vector<int64_t> ends;  // may be negative: zeros to add
};

std::optional<Cut> known_cut(Call& c, const Windows& w, const Value* gradient, const std::vector<int64_t>& wanted) {
  Cut cut;
  const std::string padding = c.text("padding");
  const std::vector<int64_t> pads = c.integers("explicit_paddings");
  for (size_t i = 0; i < w.kernel.size(); ++i) {
    const ir::Dim size = gradient->shape ? gradient->dim(i + 2) : ir::Dim();
    if (!size.is_known() || wanted[i] < 0) return std::nullopt;
    const int64_t extent = (w.kernel[i] - 1) * w.dilations[i] + 1;
    const int64_t full = (size.value() - 1) * w.strides[i] + extent;
    int64_t begin = padding == "SAME" ? std::max<int64_t>(full - wanted[i], 0) / 2 : 0;
    if (padding == "EXPLICIT") begin = pads.at(2 * ((w.channels_first ? 2 : 1) + i));
    cut.begins.push_back(begin);
    cut.ends.push_back(full - begin - wanted[i]);
  }
  return cut;
}

// The begins alone, at run time.
Value* computed_begins(Call& c, const Windows& w, Value* gradient, Value* wanted) {
  ir::Builder& b = c.b;
  const std::string padding = c.text("padding");
  std::vector<int64_t> begins(w.kernel.size(), 0);
  if (padding == "EXPLICIT") {
    const std::vector<int64_t> pads = c.integers("explicit_paddings");
    for (size_t i = 0; i < begins.size(); ++i) begins[i] = pads.at(2 * ((w.channels_first ? 2 : 1) + i));
  }
  if (padding != "SAME") return b.ints(begins);
  std::vector<int64_t> extents;
  for (size_t i = 0; i < w.kernel.size(); ++i) extents.push_back((w.kernel[i] - 1) * w.dilations[i] + 1);
  Value* full = b.Add(b.Mul(b.Sub(dims(b, gradient, 2), b.i64(1)), b.ints(w.strides)), b.ints(extents));
  return b.Div(b.Max(b.Sub(full, wanted), b.i64(0)), b.i64(2));
}

// `weight`: [in of the gradient, out / groups, spatial…].
Value* transposed_conv(Call& c, const Windows& w, Value* weight, int64_t groups) {
  ir::Builder& b = c.b;
  Value* gradient = c.input(2);
  const size_t rank = w.kernel.size() + 2;
  Value* sizes = as_vector(b, c.input(0));
  const auto known = c.known_ints(0);
  std::vector<int64_t> wanted(w.kernel.size(), -1);
  if (c.input(0)->content && c.input(0)->content->size() == rank) {
    for (size_t i = 0; i < wanted.size(); ++i) {
      const ir::Dim dim = (*c.input(0)->content)[i + (w.channels_first ? 2 : 1)];
      if (dim.is_known()) wanted[i] = dim.value();
    }
  }
  if (known && known->size() >= wanted.size()) {
    const std::vector<int64_t> numbers = known->size() == rank ? spatial(*known, w.channels_first) : *known;
    std::copy_n(numbers.begin(), wanted.size(), wanted.begin());
  }
  Value* result = in_nchw(b, floats(c, gradient), rank, w.channels_first, [&](Value* x) {
    ir::Attrs attrs{{"kernel_shape", w.kernel}, {"strides", w.strides}, {"dilations", w.dilations}};
    if (groups != 1) attrs.set("group", groups);
    if (const auto cut = known_cut(c, w, x, wanted)) {
      std::vector<int64_t> pads = cut->begins;
      std::vector<int64_t> extra;
      for (const int64_t end : cut->ends) {
        pads.push_back(std::max<int64_t>(end, 0));
        extra.push_back(std::max<int64_t>(-end, 0));
      }
      attrs.set("pads", pads);
      if (std::count(extra.begin(), extra.end(), 0) != std::ssize(extra)) attrs.set("output_padding", extra);
      return b.op("ConvTranspose", {x, floats(c, weight)}, attrs);
    }
    std::vector<int64_t> extra;
    for (const int64_t stride : w.strides) extra.push_back(stride - 1);
    attrs.set("output_padding", extra);
    const int64_t first = w.channels_first ? 2 : 1;
    Value* size = b.Slice(sizes, first, first + static_cast<int64_t>(w.kernel.size()), 0);
    Value* begins = computed_begins(c, w, x, size);
    Value* full = b.op("ConvTranspose", {x, floats(c, weight)}, attrs);
    std::vector<int64_t> axes = all_axes(rank);
    axes.erase(axes.begin(), axes.begin() + 2);
    Value* result = b.Slice(full, begins, b.Add(begins, size), b.ints(axes));
    for (size_t i = 0; result->shape && i < wanted.size(); ++i) {
      if (wanted[i] >= 0) (*result->shape)[i + 2] = wanted[i];
    }
    return result;
  });
  return b.Cast(result, gradient->dtype);
}

// Conv2DBackpropInput(input_sizes: int32, filter: T, out_backprop: T, strides, padding, explicit_paddings, data_format,
// dilations) -> output; Conv3DBackpropInputV2 likewise
Value* conv_backprop_input(Call& c) {
  Value* filter = c.input(1);
  return transposed_conv(c, windows_of(c, filter), c.b.Transpose(filter, filter_to_front(filter->rank(), true)), 1);
}

// DepthwiseConv2dNativeBackpropInput(input_sizes: int32, filter: T, out_backprop: T, strides, padding, …) -> output
Value* depthwise_backprop_input(Call& c) {
  Value* filter = c.input(1);
  return transposed_conv(c, windows_of(c, filter), depthwise_weight(c, filter),
                         known_dim(c, filter, 2, "number of channels"));
}

// Dilation2D(input: T, filter: T, strides: ints, rates: ints, padding: string) -> output: the maximum over the window
// of input + filter
Value* dilation(Call& c) {
  ir::Builder& b = c.b;
  Value* filter = c.input(1);
  Windows w;
  for (size_t i = 0; i < 2; ++i) w.kernel.push_back(known_dim(c, filter, i, "kernel's size"));
  w.strides = spatial(c.integers("strides"), false);
  w.dilations = spatial(c.integers("rates"), false);
  Value* x = floats(c, c.input(0));
  filter = floats(c, filter);
  if (c.text("padding") == "SAME") {
    const SamePads pads = same_pads(b, dims(b, x, 1, 3), w);
    Value* none = b.ints({0});
    x = b.op("Pad",
             {x, b.Concat({none, pads.begins, none, none, pads.ends, none}, 0), b.number_like(lowest(x->dtype), x)},
             {{"mode", "constant"}});
  }
  Value* strides = b.ints(w.strides);
  Value* extents = b.ints({(w.kernel[0] - 1) * w.dilations[0] + 1, (w.kernel[1] - 1) * w.dilations[1] + 1});
  Value* reach = b.Add(b.Mul(b.Div(b.Sub(dims(b, x, 1, 3), extents), strides), strides), b.i64(1));
  ir::Values all;
  for (int64_t i = 0; i < w.kernel[0]; ++i) {
    for (int64_t j = 0; j < w.kernel[1]; ++j) {
      Value* start = b.ints({i * w.dilations[0], j * w.dilations[1]});
      Value* part = b.Slice(x, start, b.Add(start, reach), b.ints({1, 2}), strides);
      all.push_back(b.Add(part, b.Select(b.Select(filter, i, 0), j, 0)));
    }
  }
  Value* result = all.size() == 1 ? all[0] : b.op("Max", all);
  return b.Cast(result, c.input(0)->dtype);
}

}  // namespace

void register_convolution(OpTable& t) {
  t.add("Conv2D", conv);
  t.add("Conv3D", conv);
  t.add("DepthwiseConv2dNative", depthwise_conv);
  t.add("Conv2DBackpropInput", conv_backprop_input);
  t.add("Conv3DBackpropInput", conv_backprop_input);
  t.add("Conv3DBackpropInputV2", conv_backprop_input);
  t.add("DepthwiseConv2dNativeBackpropInput", depthwise_backprop_input);
  t.add("Dilation2D", dilation);
}

}  // namespace onward::importer::tf
