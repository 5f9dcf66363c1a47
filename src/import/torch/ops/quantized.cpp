// Quantization: PT2E's quantize and dequantize become ONNX's pairs; fake quantization is both at once.
#include <cmath>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

struct Scheme {
  Value* scale;       // float
  Value* zero_point;  // of the quantized type; null where that has no kernel
  int64_t low;
  int64_t high;
  DType dtype;
};

bool has_kernel(DType dtype) { return dtype == DType::kInt8 || dtype == DType::kUInt8; }
bool is_full_range(const Scheme& s) {
  if (s.dtype == DType::kInt8) return s.low == -128 && s.high == 127;
  return s.dtype == DType::kUInt8 && s.low == 0 && s.high == 255;
}

Value* number_or_tensor(Call& c, std::string_view name, DType dtype) {
  if (!c.arg(name).is_tensor()) return c.scalar(name, dtype);
  Value* value = c.b.Cast(c.tensor(name), dtype);
  return value->rank() == 1 && !c.has("axis") ? c.b.Squeeze(value, {0}) : value;
}
// quantize_per_tensor(Tensor input, float scale, int zero_point, int quant_min, int quant_max, ScalarType dtype)
Scheme scheme_of(Call& c) {
  const bool channels = c.has("scales");
  Scheme s{};
  s.dtype = *c.dtype();
  s.low = c.integer("quant_min");
  s.high = c.integer("quant_max");
  s.scale = number_or_tensor(c, channels ? "scales" : "scale", DType::kFloat);
  const char* zero = channels ? "zero_points" : "zero_point";
  s.zero_point = c.given(zero) ? number_or_tensor(c, zero, DType::kInt64) : c.b.i64(0);
  return s;
}
int64_t axis_of(Call& c, const Value* x) { return c.has("axis") ? c.axis("axis", x->rank()) : 0; }
Value* beside(Call& c, Value* value, const Value* x) {
  return value->rank() == 0 ? value : along(c.b, value, axis_of(c, x), x->rank());
}

// Rounded to the grid and cut to its range, still as floats around zero.
Value* on_grid(Call& c, Value* x, Value* scale, Value* zero, double low, double high) {
  ir::Builder& b = c.b;
  Value* shifted = b.Add(b.Round(b.Div(x, scale)), b.Cast(zero, x->dtype));
  return b.Min(b.Max(shifted, low), high);
}

Value* quantize(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const Scheme s = scheme_of(c);
  if (has_kernel(s.dtype) && x->dtype == DType::kFloat) {
    Value* q = b.op("QuantizeLinear", {x, s.scale, b.Cast(s.zero_point, s.dtype)}, {{"axis", axis_of(c, x)}});
    if (is_full_range(s)) return q;
    Value* low = b.constant(ir::Tensor::from_ints(s.dtype, {}, {s.low}));
    return b.Clip(q, low, b.constant(ir::Tensor::from_ints(s.dtype, {}, {s.high})));
  }
  Value* grid = on_grid(c, x, beside(c, s.scale, x), beside(c, s.zero_point, x), static_cast<double>(s.low),
                        static_cast<double>(s.high));
  return b.Cast(grid, s.dtype);
}
// Weights of int8 as uint8, which means the same: where a processor has no instruction for it, ONNX Runtime's products
// of uint8 activations with int8 weights saturate halfway.
Value* as_unsigned(ir::Builder& b, Value* weights, Scheme& s) {
  std::vector<int64_t> values = weights->constant()->ints();
  for (int64_t& value : values) value += 128;
  s.zero_point = b.Add(s.zero_point, b.i64(128));
  return b.constant(ir::Tensor::from_ints(DType::kUInt8, weights->constant()->dims(), values));
}

Value* dequantize(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  Scheme s = scheme_of(c);
  if (x->is_constant() && x->dtype == DType::kInt8) x = as_unsigned(b, x, s);
  const DType out = c.has("out_dtype") && c.given("out_dtype") ? *c.dtype("out_dtype") : DType::kFloat;
  if (has_kernel(x->dtype)) {
    Value* result = b.op("DequantizeLinear", {x, s.scale, b.Cast(s.zero_point, x->dtype)}, {{"axis", axis_of(c, x)}});
    return b.Cast(result, out);
  }
  Value* shifted = b.Sub(b.Cast(x, DType::kFloat), b.Cast(beside(c, s.zero_point, x), DType::kFloat));
  return b.Cast(b.Mul(shifted, beside(c, s.scale, x)), out);
}

// quantized_decomposed::choose_qparams.tensor(Tensor input, int quant_min, int quant_max, float eps, ScalarType dtype)
// -> (Tensor, Tensor): a range that holds the data and 0.
ir::Values choose_qparams(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const auto low = static_cast<double>(c.integer("quant_min"));
  const auto high = static_cast<double>(c.integer("quant_max"));
  Value* least = b.Min(b.ReduceMin(x, {}, false), 0.0);
  Value* most = b.Max(b.ReduceMax(x, {}, false), 0.0);
  Value* scale = b.Max(b.Div(b.Sub(most, least), high - low), c.number("eps"));
  Value* zero = b.Sub(b.number(low, x->dtype), b.Round(b.Div(least, scale)));
  zero = b.Min(b.Max(zero, low), high);
  return {b.Reshape(b.Cast(scale, DType::kDouble), {1}), b.Reshape(b.Cast(zero, DType::kInt64), {1})};
}

// choose_qparams_symmetric.tensor: a range as wide below 0 as above
ir::Values choose_symmetric(Call& c) {
  ir::Builder& b = c.b;
  Value* most = b.ReduceMax(b.Abs(c.tensor("input")), {}, false);
  const double half = (c.number("quant_max") - c.number("quant_min")) / 2;
  Value* scale = b.Max(b.Div(most, half), c.number("eps"));
  const double zero = *c.dtype() == DType::kUInt8 ? 128 : 0;
  return {b.Reshape(b.Cast(scale, DType::kDouble), {1}), b.ints({static_cast<int64_t>(zero)})};
}

// --- fake quantization -----------------------------------------------------------------------------------------------

Value* fake_quantized(Call& c, Value* x, Value* scale, Value* zero) {
  ir::Builder& b = c.b;
  Value* grid = on_grid(c, x, scale, zero, c.number("quant_min"), c.number("quant_max"));
  return b.Mul(b.Sub(grid, b.Cast(zero, x->dtype)), scale);
}
Value* fake_quantize(Call& c) {
  Value* x = c.tensor("self");
  return fake_quantized(c, x, number_or_tensor(c, "scale", x->dtype), number_or_tensor(c, "zero_point", DType::kInt64));
}
Value* fake_quantize_channels(Call& c) {
  Value* x = c.tensor("self");
  return fake_quantized(c, x, beside(c, c.tensor("scale"), x), beside(c, c.tensor("zero_point"), x));
}
Value* fake_quantize_decomposed(Call& c) {
  Value* x = c.tensor("input");
  return fake_quantized(c, x, beside(c, c.tensor("scales"), x), beside(c, c.tensor("zero_points"), x));
}

}  // namespace

void register_quantized(OpTable& t) {
  const std::string space = "quantized_decomposed::";
  const std::string range = "int quant_min, int quant_max, ScalarType dtype";
  const std::string out = ", *, ScalarType? out_dtype=None) -> Tensor";
  t.add(space + "quantize_per_tensor(Tensor input, float scale, int zero_point, " + range + ") -> Tensor", quantize);
  t.add(space + "dequantize_per_tensor(Tensor input, float scale, int zero_point, " + range + out, dequantize);
  for (const char* overload : {".tensor", ".tensor2"}) {
    const std::string tensors =
        overload + std::string("(Tensor input, Tensor scale, Tensor zero_point, ") +
        (overload == std::string_view(".tensor") ? range : "Tensor quant_min, Tensor quant_max, ScalarType dtype");
    t.add(space + "quantize_per_tensor" + tensors + ") -> Tensor", quantize);
    t.add(space + "dequantize_per_tensor" + tensors + out, dequantize);
  }
  t.add(space + "quantize_per_channel(Tensor input, Tensor scales, Tensor zero_points, int axis, " + range +
            ") -> Tensor",
        quantize);
  t.add(space + "dequantize_per_channel(Tensor input, Tensor scales, Tensor? zero_points, int axis, " + range + out,
        dequantize);
  t.add(space +
            "choose_qparams.tensor(Tensor input, int quant_min, int quant_max, float eps, ScalarType dtype) -> "
            "(Tensor, Tensor)",
        choose_qparams);
  t.add(
      space +
          "choose_qparams_symmetric.tensor(Tensor input, int quant_min, int quant_max, float eps, ScalarType dtype) -> "
          "(Tensor, Tensor)",
      choose_symmetric);
  t.add(space + "convert_element_type.no_fuse(Tensor input, ScalarType dtype) -> Tensor",
        [](Call& c) { return c.b.Cast(c.tensor("input"), *c.dtype()); });
  t.add(space +
            "fake_quant_per_channel(Tensor input, Tensor scales, Tensor zero_points, int axis, int quant_min, int "
            "quant_max) -> Tensor",
        fake_quantize_decomposed);
  const std::string bounds = "int quant_min, int quant_max) -> Tensor";
  t.add("aten::fake_quantize_per_tensor_affine(Tensor self, float scale, int zero_point, " + bounds, fake_quantize);
  t.add("aten::fake_quantize_per_tensor_affine.tensor_qparams(Tensor self, Tensor scale, Tensor zero_point, " + bounds,
        fake_quantize);
  t.add("aten::fake_quantize_per_channel_affine(Tensor self, Tensor scale, Tensor zero_point, int axis, " + bounds,
        fake_quantize_channels);
}

}  // namespace onward::importer::torch
