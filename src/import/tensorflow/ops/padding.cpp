// Padding.
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// [rank, 2] as ONNX has it: all begins, then all ends.
Value* pads_of(Call& c) { return c.b.Reshape(c.b.Transpose(c.b.Cast(c.input(1), DType::kInt64), {1, 0}), {-1}); }

// Pad(input: T, paddings: Tpaddings) -> output; PadV2 also takes constant_values: T
Value* pad(Call& c) {
  Value* filler = c.input_count() > 2 ? as_scalar(c.b, c.input(2)) : nullptr;
  Value* x = c.input(0);
  if (x->dtype == DType::kBool) {
    if (filler != nullptr) filler = c.b.Cast(filler, DType::kUInt8);
    Value* wide = c.b.op("Pad", {c.b.Cast(x, DType::kUInt8), pads_of(c), filler}, {{"mode", "constant"}});
    return c.b.Cast(wide, DType::kBool);
  }
  return c.b.op("Pad", {x, pads_of(c), filler}, {{"mode", "constant"}});
}

// The positions that an axis of `length` is read at: from -begin to length + end, turned back at the borders.
Value* mirrored(ir::Builder& b, Value* length, Value* begin, Value* end, bool symmetric) {
  Value* position = b.Range(b.Neg(begin), b.Add(length, end), b.i64(1));
  Value* last = b.Sub(length, b.i64(1));
  if (!symmetric) {
    Value* period = b.Max(b.Mul(last, b.i64(2)), b.i64(1));
    Value* turned = b.Mod(position, period);
    return b.Min(turned, b.Sub(period, turned));
  }
  Value* period = b.Mul(length, b.i64(2));
  Value* turned = b.Mod(position, period);
  return b.Min(turned, b.Sub(b.Sub(period, b.i64(1)), turned));
}

// MirrorPad(input: T, paddings: Tpaddings, mode: string) -> output
Value* mirror_pad(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const std::string mode = c.text("mode");
  c.require(mode == "REFLECT" || mode == "SYMMETRIC", "its mode \"" + mode + "\" is unknown");
  const auto known = c.known_ints(1);
  if (mode == "REFLECT" && known) return b.op("Pad", {x, pads_of(c)}, {{"mode", "reflect"}});
  Value* pads = b.Cast(c.input(1), DType::kInt64);
  for (size_t axis = 0; axis < x->rank(); ++axis) {
    if (known && known->at(2 * axis) == 0 && known->at(2 * axis + 1) == 0) continue;
    const auto at = static_cast<int64_t>(axis);
    Value* both = b.Select(pads, at, 0);
    Value* index = mirrored(b, b.dim_scalar(x, at), b.Select(both, 0, 0), b.Select(both, 1, 0), mode == "SYMMETRIC");
    x = b.Gather(x, index, at);
  }
  return x;
}

}  // namespace

void register_padding(OpTable& t) {
  t.add("Pad", pad);
  t.add("PadV2", pad);
  t.add("MirrorPad", mirror_pad);
}

}  // namespace onward::importer::tf
