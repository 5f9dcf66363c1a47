// Quantization as TensorFlow simulates it in floats, and to and from its quantized types.
#include <cmath>
#include <limits>

#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"

namespace onward::importer::tf {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

constexpr double kHuge = std::numeric_limits<float>::max();

// Half away from zero, as C's round.
Value* round_away(Builder& b, Value* x) { return b.Mul(b.Sign(x), b.Floor(b.Add(b.Abs(x), 0.5))); }

// --- FakeQuant
// -----------------------------------------------------------------------------------------------------------

// Rounds `x` to the grid of 2^num_bits steps between min and max, moved so that zero is on the grid.
Value* fake_quant(Call& c, Value* x, Value* min, Value* max) {
  Builder& b = c.b;
  const double low = c.flag("narrow_range") ? 1 : 0;
  const double high = std::pow(2.0, static_cast<double>(c.integer("num_bits", 8))) - 1;
  Value* scale = b.Div(b.Sub(max, min), high - low);
  Value* flat = b.Equal(scale, b.number_like(0, scale));
  Value* safe = b.Where(flat, b.number_like(1, scale), scale);
  Value* exact = b.Sub(b.number_like(low, x), b.Div(min, safe));
  Value* zero_point = b.Min(b.Max(round_away(b, exact), low), high);
  Value* nudged_min = b.Mul(b.Sub(b.number_like(low, x), zero_point), safe);
  Value* nudged_max = b.Mul(b.Sub(b.number_like(high, x), zero_point), safe);
  Value* clamped = b.Min(b.Max(x, nudged_min), nudged_max);
  Value* step = b.Floor(b.Add(b.Div(b.Sub(clamped, nudged_min), safe), 0.5));
  Value* result = b.Add(b.Mul(step, safe), nudged_min);
  return b.Where(flat, b.number_like(0, x), result);
}

// FakeQuantWithMinMaxArgs(inputs: float, min: float = -6, max: float = 6, num_bits: int = 8,
//                         narrow_range: bool = false) -> outputs
Value* fake_quant_args(Call& c) {
  Value* x = c.input(0);
  return fake_quant(c, x, c.b.number_like(c.number("min", -6), x), c.b.number_like(c.number("max", 6), x));
}

// FakeQuantWithMinMaxVars(inputs: float, min: float, max: float, …) -> outputs; per channel: vectors for the last axis
Value* fake_quant_vars(Call& c) { return fake_quant(c, c.input(0), c.input(1), c.input(2)); }

// --- QuantizeAndDequantize
// -----------------------------------------------------------------------------------------------

struct Range {
  double low = 0;
  double high = 0;
};

Range quantized_range(bool is_signed, int64_t bits, bool narrow) {
  const double half = std::pow(2.0, static_cast<double>(is_signed ? bits - 1 : bits));
  return {is_signed ? (narrow ? 1 - half : -half) : 0, half - 1};
}

// Numbers along `axis` (-1: one for all) shaped to broadcast over `x`.
Value* along(Call& c, Value* numbers, Value* x, int64_t axis) {
  if (axis < 0) return numbers;
  std::vector<int64_t> shape(x->rank(), 1);
  shape[static_cast<size_t>(c.axis(axis, x))] = -1;
  return c.b.Reshape(numbers, shape);
}

Value* extreme(Call& c, const char* type, Value* x, int64_t axis) {
  if (axis < 0) return c.b.reduce(type, x, {}, false);
  std::vector<int64_t> others;
  for (int64_t i = 0; i < static_cast<int64_t>(x->rank()); ++i) {
    if (i != axis) others.push_back(i);
  }
  return others.empty() ? x : c.b.reduce(type, x, others, false);
}

// number / bound where both have the same sign and the bound is not zero, else huge.
Value* side(Builder& b, double number, Value* bound) {
  if (number == 0) return b.Expand(b.number_like(kHuge, bound), b.Shape(bound));
  Value* zero = b.number_like(0, bound);
  Value* fits = number > 0 ? b.Greater(bound, zero) : b.Less(bound, zero);
  Value* safe = b.Where(fits, bound, b.number_like(number, bound));
  return b.Where(fits, b.Div(b.number_like(number, bound), safe), b.number_like(kHuge, bound));
}

// QuantizeAndDequantizeV2(input: T, input_min: T, input_max: T, signed_input: bool = true, num_bits: int = 8,
//   range_given: bool = false, round_mode: string = "HALF_TO_EVEN", narrow_range: bool = false, axis: int = -1) ->
//   output
Value* quantize_dequantize_with(Call& c, int64_t bits, bool given_by_default) {
  Builder& b = c.b;
  Value* x = c.input(0);
  const int64_t axis = c.integer("axis", -1);
  const bool given = c.flag("range_given", given_by_default);
  const Range range = quantized_range(c.flag("signed_input", true), bits, c.flag("narrow_range"));
  Value* min = along(c, given ? c.input(1) : extreme(c, "ReduceMin", x, axis), x, axis);
  Value* max = along(c, given ? c.input(2) : extreme(c, "ReduceMax", x, axis), x, axis);
  Value* from_min = side(b, range.low, min);
  Value* from_max = side(b, range.high, max);
  Value* scale = b.Min(from_min, from_max);
  Value* one = b.number_like(1, x);
  Value* low = b.Div(b.number_like(range.low, x), scale);
  Value* high = b.Div(b.number_like(range.high, x), scale);
  Value* clamped = given ? b.Min(b.Max(x, low), high) : x;
  Value* scaled = b.Mul(clamped, scale);
  Value* rounded = c.text("round_mode", "HALF_TO_EVEN") == "HALF_UP" ? b.Floor(b.Add(scaled, 0.5)) : b.Round(scaled);
  // All zero: nothing to scale.
  Value* flat = b.Equal(scale, b.number_like(kHuge, scale));
  return b.Where(flat, b.Mul(x, 0.0), b.Div(rounded, b.Where(flat, one, scale)));
}
Value* quantize_dequantize(Call& c) { return quantize_dequantize_with(c, c.integer("num_bits", 8), false); }
// QuantizeAndDequantizeV3(input: T, input_min: T, input_max: T, num_bits: int32, …, range_given: bool = true) -> output
Value* quantize_dequantize_v3(Call& c) {
  return quantize_dequantize_with(c, c.constant_int(3, "number of bits"), true);
}

// --- to and from quantized types
// -----------------------------------------------------------------------------------------

struct Grid {
  double low = 0;
  double high = 0;
  bool is_signed = false;
  double steps() const { return high - low; }
  double half() const { return is_signed ? (high - low + 1) / 2 : 0; }
};

Grid stored_range(Call& c, DType dtype) {
  c.require(ir::is_integer(dtype), "quantized numbers of that type are not supported");
  const bool is_signed = ir::is_signed_integer(dtype);
  const auto bits = static_cast<int64_t>(ir::dtype_bits(dtype));
  const Range range = quantized_range(is_signed, bits, false);
  return {range.low, range.high, is_signed};
}

// The scale of mode SCALED: the smaller of what the two ends allow.
Value* scaled_factor(Call& c, const Grid& stored, Value* min, Value* max) {
  const double low = stored.low + (c.flag("narrow_range") && stored.is_signed ? 1 : 0);
  return c.b.Min(side(c.b, low, min), side(c.b, stored.high, max));
}

// The scale and offset of mode MIN_FIRST, whose zero is exact.
Value* min_first_scale(Builder& b, const Grid& stored, Value* min, Value* max) {
  const double steps = stored.steps() + 1;
  return b.Div(b.number_like(steps, min), b.Mul(b.Sub(max, min), steps / (steps - 1)));
}

// QuantizeV2(input: float, min_range: float, max_range: float, T: type, mode: string = "MIN_COMBINED",
//   round_mode: string = "HALF_AWAY_FROM_ZERO", narrow_range: bool = false, axis: int = -1,
//   ensure_minimum_range: float = 0.01) -> output, output_min, output_max
ir::Values quantize(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  const DType dtype = c.dtype("T");
  const Grid stored = stored_range(c, dtype);
  const int64_t axis = c.integer("axis", -1);
  Value* zero = b.number_like(0, x);
  Value* min = b.Min(c.input(1), zero);
  Value* largest = b.Max(b.Max(b.Abs(c.input(1)), b.Abs(c.input(2))), b.number_like(1, x));
  Value* max = b.Max(b.Max(c.input(2), b.Add(min, b.Mul(largest, c.number("ensure_minimum_range", 0.01)))), zero);
  const std::string mode = c.text("mode", "MIN_COMBINED");
  Value* result = nullptr;
  if (mode == "SCALED") {
    Value* factor = scaled_factor(c, stored, min, max);
    const double low = stored.low + (c.flag("narrow_range") && stored.is_signed ? 1 : 0);
    min = b.Div(b.number_like(low, x), factor);
    max = b.Div(b.number_like(stored.high, x), factor);
    Value* scaled = b.Mul(b.Min(b.Max(x, along(c, min, x, axis)), along(c, max, x, axis)), along(c, factor, x, axis));
    result = c.text("round_mode", "HALF_AWAY_FROM_ZERO") == "HALF_TO_EVEN" ? b.Round(scaled) : round_away(b, scaled);
  } else if (mode == "MIN_FIRST") {
    Value* scale = min_first_scale(b, stored, min, max);
    Value* moved =
        b.Sub(round_away(b, b.Mul(x, along(c, scale, x, axis))), along(c, round_away(b, b.Mul(min, scale)), x, axis));
    result = b.Min(b.Max(b.Add(moved, stored.low), stored.low), stored.high);
  } else {
    Value* factor = b.Div(b.number_like(stored.steps(), x), b.Sub(max, min));
    Value* clamped = b.Min(b.Max(x, along(c, min, x, axis)), along(c, max, x, axis));
    Value* scaled = b.Mul(b.Sub(clamped, along(c, min, x, axis)), along(c, factor, x, axis));
    result = stored.is_signed ? round_away(b, b.Sub(scaled, stored.half())) : b.Floor(b.Add(scaled, 0.5));
  }
  return {b.Cast(result, dtype), min, max};
}

// Dequantize(input: T, min_range: float, max_range: float, mode: string = "MIN_COMBINED", narrow_range: bool = false,
//   axis: int = -1, dtype: type = float) -> output
Value* dequantize(Call& c) {
  Builder& b = c.b;
  const Grid stored = stored_range(c, c.input(0)->dtype);
  Value* x = b.Cast(c.input(0), DType::kFloat);
  const int64_t axis = c.integer("axis", -1);
  Value* min = along(c, b.Cast(c.input(1), DType::kFloat), x, axis);
  Value* max = along(c, b.Cast(c.input(2), DType::kFloat), x, axis);
  const std::string mode = c.text("mode", "MIN_COMBINED");
  const DType out = c.dtype("dtype", tensorflow::DataType::kFloat);
  if (mode == "SCALED") {
    const double low = stored.low + (c.flag("narrow_range") ? 1 : 0);
    Value* from_max = b.Div(max, stored.high);
    Value* scale = stored.is_signed ? b.Max(b.Div(min, low), from_max) : from_max;
    return b.Cast(b.Mul(x, scale), out);
  }
  if (mode == "MIN_FIRST") {
    Value* scale = b.Reciprocal(min_first_scale(b, stored, min, max));
    Value* start = b.Mul(round_away(b, b.Div(min, scale)), scale);
    return b.Cast(b.Add(start, b.Mul(b.Sub(x, stored.low), scale)), out);
  }
  Value* scale = b.Div(b.Sub(max, min), stored.steps());
  return b.Cast(b.Add(b.Mul(b.Add(x, stored.half()), scale), min), out);
}

}  // namespace

void register_quantization(OpTable& t) {
  t.add("FakeQuantWithMinMaxArgs", fake_quant_args);
  t.add("FakeQuantWithMinMaxVars", fake_quant_vars);
  t.add("FakeQuantWithMinMaxVarsPerChannel", fake_quant_vars);
  t.add("QuantizeAndDequantize", quantize_dequantize);
  t.add("QuantizeAndDequantizeV2", quantize_dequantize);
  t.add("QuantizeAndDequantizeV3", quantize_dequantize_v3);
  t.add("QuantizeAndDequantizeV4", quantize_dequantize);
  t.add("QuantizeV2 -> output, output_min, output_max", quantize);
  t.add("Dequantize", dequantize);
}

}  // namespace onward::importer::tf
