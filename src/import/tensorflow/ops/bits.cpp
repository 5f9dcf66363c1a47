// Bitcast: the bytes of one type read as another. ONNX has no such operator, so numbers are taken apart and put
// together.
#include <cmath>

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// Of a floating type whose numbers and bits both fit into double and int64.
struct Layout {
  int mantissa;
  int bias;
  int64_t exponents;  // the mask
};
std::optional<Layout> layout_of(DType dtype) {
  if (dtype == DType::kFloat) return Layout{23, 127, 255};
  if (dtype == DType::kFloat16) return Layout{10, 15, 31};
  if (dtype == DType::kBFloat16) return Layout{7, 127, 255};
  return std::nullopt;
}

Value* number(ir::Builder& b, double value) { return b.number(value, DType::kDouble); }
Value* power_of_two(ir::Builder& b, Value* exponent) { return b.Pow(number(b, 2), exponent); }

// The bits of a floating number as a whole number of int64, not below 0.
Value* bits_of(ir::Builder& b, Value* given, const Layout& layout) {
  Value* x = b.Cast(given, DType::kDouble);
  Value* zero = number(b, 0);
  Value* negative = b.Or(b.Less(x, zero), b.And(b.Equal(x, zero), b.Less(b.Reciprocal(x), zero)));
  const int least = 1 - layout.bias;
  Value* finite = b.Not(b.Or(b.IsInf(x), b.IsNaN(x)));
  Value* size = b.Where(finite, b.Abs(x), zero);
  // The logarithm may be one off to either side.
  Value* exponent = b.Floor(b.Div(b.Log(b.Max(size, std::ldexp(1.0, least))), std::log(2.0)));
  exponent = b.Where(b.Greater(power_of_two(b, exponent), size), b.Sub(exponent, 1), exponent);
  exponent = b.Where(b.LessOrEqual(power_of_two(b, b.Add(exponent, 1)), size), b.Add(exponent, 1), exponent);
  exponent = b.Max(exponent, static_cast<double>(least));
  // The mantissa with its leading one, which counts as one more exponent.
  Value* mantissa = b.Mul(size, power_of_two(b, b.Sub(number(b, layout.mantissa), exponent)));
  const double one = std::ldexp(1.0, layout.mantissa);
  Value* bits = b.Cast(b.Add(mantissa, b.Mul(b.Sub(exponent, static_cast<double>(least)), one)), DType::kInt64);
  const int64_t infinity = layout.exponents << layout.mantissa;
  bits = b.Where(b.IsInf(x), b.i64(infinity), bits);
  bits = b.Where(b.IsNaN(x), b.i64(infinity + (int64_t{1} << (layout.mantissa - 1))), bits);
  const auto sign = static_cast<double>((layout.exponents + 1) << layout.mantissa);
  return b.Where(negative, b.Add(bits, sign), bits);
}

Value* of_bits(ir::Builder& b, Value* bits, const Layout& layout, DType dtype) {
  const int64_t one = int64_t{1} << layout.mantissa;
  const auto part = [&](int64_t unit, int64_t count) { return b.Mod(b.Div(bits, b.i64(unit)), b.i64(count)); };
  Value* exponent = part(one, layout.exponents + 1);
  Value* fraction = b.Cast(part(1, one), DType::kDouble);
  Value* sign = b.Equal(part(one * (layout.exponents + 1), 2), b.i64(1));
  Value* small = b.Equal(exponent, b.i64(0));
  Value* mantissa = b.Where(small, fraction, b.Add(fraction, static_cast<double>(one)));
  Value* shift = b.Cast(b.Sub(b.Max(exponent, b.i64(1)), b.i64(layout.bias + layout.mantissa)), DType::kDouble);
  Value* size = b.Mul(mantissa, power_of_two(b, shift));
  Value* infinity = number(b, std::numeric_limits<double>::infinity());
  Value* nan = number(b, std::numeric_limits<double>::quiet_NaN());
  Value* special = b.Where(b.Equal(fraction, number(b, 0)), infinity, nan);
  size = b.Where(b.Equal(exponent, b.i64(layout.exponents)), special, size);
  return b.Cast(b.Where(sign, b.Neg(size), size), dtype);
}

// Whole numbers of `from` as those of int64, not below 0 unless 64 bits wide.
Value* unsigned_bits(ir::Builder& b, Value* x) {
  if (const auto layout = layout_of(x->dtype)) return bits_of(b, x, *layout);
  const auto width = ir::dtype_bits(x->dtype);
  Value* wide = b.Cast(x, DType::kInt64);
  if (width == 64 || ir::is_unsigned_integer(x->dtype)) return wide;
  return b.Where(b.Less(wide, b.i64(0)), b.Add(wide, std::ldexp(1.0, static_cast<int>(width))), wide);
}

Value* from_unsigned_bits(ir::Builder& b, Value* bits, DType dtype) {
  if (const auto layout = layout_of(dtype)) return of_bits(b, bits, *layout, dtype);
  const auto width = static_cast<int>(ir::dtype_bits(dtype));
  if (width == 64 || ir::is_unsigned_integer(dtype)) return b.Cast(bits, dtype);
  Value* turned = b.Sub(bits, std::ldexp(1.0, width));
  return b.Cast(b.Where(b.Less(bits, b.i64(int64_t{1} << (width - 1))), bits, turned), dtype);
}

bool is_whole(DType dtype) { return ir::is_signed_integer(dtype) || ir::is_unsigned_integer(dtype); }

// Bitcast(input: T, type: type) -> output: a smaller type adds a last dimension, a larger one takes it away
Value* bitcast(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const DType to = c.dtype("type");
  if (x->dtype == to) return x;
  for (const DType dtype : {x->dtype, to}) {
    c.require(
        is_whole(dtype) || layout_of(dtype),
        std::string("numbers of type ") + std::string(ir::dtype_name(dtype)) + " cannot be taken apart into bits");
  }
  const auto from_width = static_cast<int64_t>(ir::dtype_bits(x->dtype));
  const auto to_width = static_cast<int64_t>(ir::dtype_bits(to));
  Value* bits = unsigned_bits(b, x);
  if (from_width == to_width) return from_unsigned_bits(b, bits, to);
  const int64_t count = std::max(from_width, to_width) / std::min(from_width, to_width);
  const int64_t width = std::min(from_width, to_width);
  std::vector<int64_t> shifts;
  for (int64_t i = 0; i < count; ++i) shifts.push_back(i * width);
  Value* steps = b.Cast(b.ints(shifts), DType::kUInt64);
  if (from_width < to_width) {
    Value* spread = b.op("BitShift", {b.Cast(bits, DType::kUInt64), steps}, {{"direction", "LEFT"}});
    return from_unsigned_bits(b, b.ReduceSum(b.Cast(spread, DType::kInt64), {-1}, false), to);
  }
  Value* parts = b.op("BitShift", {b.Unsqueeze(b.Cast(bits, DType::kUInt64), {-1}), steps}, {{"direction", "RIGHT"}});
  // The lowest bits of each.
  Value* low = b.Mod(parts, b.Cast(b.i64(int64_t{1} << width), DType::kUInt64));
  return from_unsigned_bits(b, b.Cast(low, DType::kInt64), to);
}

}  // namespace

void register_bits(OpTable& t) { t.add("Bitcast", bitcast); }

}  // namespace onward::importer::tf
