// Convolutions, plain and transposed.
#include "import/torch/ops/families.h"

namespace onward::importer::torch {
namespace {

using ir::Value;

struct Settings {
  std::vector<int64_t> strides;
  std::vector<int64_t> pads;  // begins, then ends
  std::vector<int64_t> dilations;
  std::vector<int64_t> output_padding;
  int64_t groups = 1;
  bool transposed = false;
};

Value* convolve(Call& c, const Settings& s) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  Value* weight = c.tensor("weight");
  Value* bias = c.maybe_tensor("bias");
  const size_t spatial = s.strides.size();
  const bool unbatched = x->shape && x->shape->size() == spatial + 1;
  if (unbatched) x = b.Unsqueeze(x, {0});
  ir::Attrs attrs{{"strides", s.strides}, {"pads", s.pads}, {"dilations", s.dilations}, {"group", s.groups}};
  std::vector<int64_t> kernel;
  for (size_t i = 0; i < spatial; ++i) {
    const ir::Dim dim = weight->dim(2 + i);
    if (dim.is_known()) kernel.push_back(dim.value());
  }
  if (kernel.size() == spatial) attrs.set("kernel_shape", kernel);
  if (s.transposed) attrs.set("output_padding", s.output_padding);
  Value* result = b.op(s.transposed ? "ConvTranspose" : "Conv", {x, weight, bias}, attrs);
  return unbatched ? b.Squeeze(result, {0}) : result;
}

std::vector<int64_t> both_ends(std::vector<int64_t> pads) {
  const std::vector<int64_t> once = pads;
  pads.insert(pads.end(), once.begin(), once.end());
  return pads;
}

std::vector<int64_t> same_pads(Call& c, const std::vector<int64_t>& dilations) {
  const size_t spatial = dilations.size();
  std::vector<int64_t> pads(2 * spatial);
  for (size_t i = 0; i < spatial; ++i) {
    const ir::Dim kernel = c.tensor("weight")->dim(2 + i);
    c.require(kernel.is_known(), "the kernel's size is only known when the model runs");
    const int64_t total = dilations[i] * (kernel.value() - 1);
    pads[i] = total / 2;
    pads[i + spatial] = total - total / 2;
  }
  return pads;
}

// Spatial dimensions follow from the weight.
Value* conv(Call& c) {
  const size_t spatial = c.tensor("weight")->rank() - 2;
  Settings s;
  s.strides = c.integers("stride", spatial);
  s.dilations = c.integers("dilation", spatial);
  s.groups = c.integer("groups");
  if (std::holds_alternative<std::string>(c.arg("padding").data)) {
    const std::string padding = c.text("padding");
    c.require(padding == "same" || padding == "valid", "padding \"" + padding + "\" is unknown");
    s.pads = padding == "same" ? same_pads(c, s.dilations) : std::vector<int64_t>(2 * spatial, 0);
  } else {
    s.pads = both_ends(c.integers("padding", spatial));
  }
  return convolve(c, s);
}

Value* conv_transpose(Call& c) {
  const size_t spatial = c.tensor("weight")->rank() - 2;
  Settings s;
  s.transposed = true;
  s.strides = c.integers("stride", spatial);
  s.pads = both_ends(c.integers("padding", spatial));
  s.output_padding = c.integers("output_padding", spatial);
  s.dilations = c.integers("dilation", spatial);
  s.groups = c.integer("groups");
  return convolve(c, s);
}

Value* convolution(Call& c) { return c.flag("transposed") ? conv_transpose(c) : conv(c); }

}  // namespace

void register_convolution(OpTable& t) {
  for (const char n : {'1', '2', '3'}) {
    const std::string name = std::string("aten::conv") + n + "d";
    const std::string head = "(Tensor input, Tensor weight, Tensor? bias=None, SymInt[] stride=1, ";
    t.add(name + head + "SymInt[] padding=0, SymInt[] dilation=1, SymInt groups=1) -> Tensor", conv);
    t.add(name + ".padding" + head + "str padding=\"valid\", SymInt[] dilation=1, SymInt groups=1) -> Tensor", conv);
    t.add(std::string("aten::conv_transpose") + n + "d" + head +
              "SymInt[] padding=0, SymInt[] output_padding=0, SymInt groups=1, SymInt[] dilation=1) -> Tensor",
          conv_transpose);
  }
  const std::string full =
      "(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool "
      "transposed, "
      "SymInt[] output_padding, SymInt groups";
  t.add("aten::convolution" + full + ") -> Tensor", convolution);
  t.add("aten::_convolution" + full +
            ", bool benchmark, bool deterministic, bool cudnn_enabled, bool allow_tf32) -> Tensor",
        convolution);
  t.add("aten::_convolution.deprecated" + full + ", bool benchmark, bool deterministic, bool cudnn_enabled) -> Tensor",
        convolution);
  t.add(
      "aten::_convolution_mode(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, str padding, "
      "SymInt[] dilation, SymInt groups) -> Tensor",
      conv);
}

}  // namespace onward::importer::torch
