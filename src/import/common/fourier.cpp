#include "import/common/fourier.h"

#include "import/common/axes.h"

namespace onward::importer {

using ir::DType;
using ir::Value;

namespace {

Value* scaled(ir::Builder& b, Value* x, Value* length, Norm norm) {
  if (norm == Norm::kNone) return x;
  Value* n = b.Cast(length, x->dtype);
  return b.Div(x, norm == Norm::kRoot ? b.Sqrt(n) : n);
}

// As [1, …, 1 or 2]: DFT wants a batch before the signal.
Value* signal(ir::Builder& b, Value* x, size_t rank) {
  Value* pairs = x->complex ? x : b.Unsqueeze(x, {-1});
  return rank == 1 ? b.Unsqueeze(pairs, {0}) : pairs;
}

}  // namespace

Value* transform(ir::Builder& b, Value* x, int64_t axis, Value* length, bool inverse, Norm norm, bool onesided) {
  const size_t rank = framework_rank(x);
  Value* in = signal(b, x, rank);
  const int64_t at = rank == 1 ? 1 : axis;
  Value* count = length != nullptr ? length : b.dim(x, axis);
  Value* out = b.op("DFT", {in, length == nullptr ? nullptr : b.Squeeze(length, {0})},
                    {{"axis", at}, {"inverse", inverse}, {"onesided", onesided}});
  if (rank == 1) out = b.Squeeze(out, {0});
  if (inverse && norm != Norm::kLength) {  // ONNX divides by the length
    Value* n = b.Cast(count, out->dtype);
    out = b.Mul(out, norm == Norm::kNone ? n : b.Sqrt(n));
  } else if (!inverse) {
    out = scaled(b, out, count, norm);
  }
  return as_complex(out);
}

// The spectrum of a real signal of `length`, from its first half: the rest mirrors it.
Value* real_inverse(ir::Builder& b, Value* x, int64_t axis, Value* length, Norm norm) {
  const size_t rank = framework_rank(x);
  Complex half = parts(b, x);
  half.im = imaginary(b, half);
  Value* bins = b.dim(half.re, axis);
  if (length == nullptr) length = b.Mul(b.Sub(bins, b.ints({1})), b.ints({2}));
  Value* needed = b.Add(b.Div(length, b.ints({2})), b.ints({1}));
  Value* missing = b.Max(b.Sub(needed, bins), b.ints({0}));
  const bool enough = missing->is_constant() && missing->constant()->as_int() == 0;
  const auto extended = [&](Value* part) {
    if (enough) return part;
    return b.op("Pad", {part, b.Concat({b.ints({0}), missing}, 0), nullptr, b.ints({axis})});
  };
  Value* k = counting(b, length);
  Value* n = b.Squeeze(length, {0});
  Value* mirrored = b.Greater(b.Mul(k, b.i64(2)), n);
  Value* source = b.Where(mirrored, b.Sub(n, k), k);
  Value* sign = b.Where(mirrored, b.number_like(-1, half.re), b.number_like(1, half.re));
  Value* re = b.Gather(extended(half.re), source, axis);
  Value* im = b.Mul(b.Gather(extended(half.im), source, axis), along(b, sign, axis, rank));
  return parts(b, transform(b, join(b, {re, im}), axis, nullptr, true, norm, false)).re;
}

}  // namespace onward::importer
