#include "import/common/projective.h"

#include "import/common/arithmetic.h"
#include "import/common/axes.h"

namespace onward::importer {

using ir::DType;
using ir::Value;

namespace {

// A coordinate that lies outside [0, length - 1] brought back into it; `length` is rank 0, float.
Value* inside(ir::Builder& b, Value* x, Value* length, const std::string& mode) {
  if (mode == "CONSTANT") return x;
  Value* zero = b.number_like(0, x);
  Value* last = b.Sub(length, 1);
  Value* low = b.Less(x, zero);
  Value* high = b.Greater(x, last);
  if (mode == "REFLECT") {
    Value* period = b.Mul(length, 2);
    Value* up = b.Add(b.Mul(period, truncated(b, b.Div(b.Neg(x), period))), x);
    up = b.Where(b.Less(up, b.Neg(length)), b.Add(up, period), b.Sub(b.Neg(up), 1));
    Value* down = b.Sub(x, b.Mul(period, truncated(b, b.Div(x, period))));
    down = b.Where(b.GreaterOrEqual(down, length), b.Sub(b.Sub(period, down), 1), down);
    x = b.Where(low, up, b.Where(high, down, x));
  } else if (mode == "WRAP") {
    Value* step = b.Max(last, 1);
    Value* up = b.Add(x, b.Mul(length, b.Add(truncated(b, b.Div(b.Neg(x), step)), 1)));
    Value* down = b.Sub(x, b.Mul(length, truncated(b, b.Div(x, step))));
    x = b.Where(low, up, b.Where(high, down, x));
  }
  return b.Min(b.Max(x, zero), last);
}

// Half away from zero.
Value* rounded(ir::Builder& b, Value* x) {
  Value* size = b.Floor(b.Add(b.Abs(x), 0.5));
  return b.Where(b.Less(x, b.number_like(0, x)), b.Neg(size), size);
}

struct Source {
  Value* images;  // [n, h * w, c]
  Value* height;  // rank 0, int64
  Value* width;
  Value* fill;  // rank 0
};

// The pixels at whole coordinates `y`, `x` [n, places] (floats), the fill where they lie outside: [n, places, c].
Value* pixels(ir::Builder& b, const Source& s, Value* y, Value* x) {
  Value* row = b.Cast(y, DType::kInt64);
  Value* column = b.Cast(x, DType::kInt64);
  const auto within = [&](Value* at, Value* end) { return b.And(b.GreaterOrEqual(at, b.i64(0)), b.Less(at, end)); };
  Value* there = b.And(within(row, s.height), within(column, s.width));
  Value* place = b.Where(there, b.Add(b.Mul(row, s.width), column), b.i64(0));
  Value* found = b.op("GatherND", {s.images, b.Unsqueeze(place, {-1})}, {{"batch_dims", 1}});
  return b.Where(b.Unsqueeze(there, {-1}), found, s.fill);
}

Value* bilinear(ir::Builder& b, const Source& s, Value* y, Value* x) {
  Value* top = b.Floor(y);
  Value* left = b.Floor(x);
  Value* bottom = b.Add(top, 1);
  Value* right = b.Add(left, 1);
  const auto weight = [&](Value* from, Value* to) { return b.Unsqueeze(b.Sub(to, from), {-1}); };
  const auto row = [&](Value* at) {
    return b.Add(b.Mul(weight(x, right), pixels(b, s, at, left)), b.Mul(weight(left, x), pixels(b, s, at, right)));
  };
  return b.Add(b.Mul(weight(y, bottom), row(top)), b.Mul(weight(top, y), row(bottom)));
}

}  // namespace

Value* projected(ir::Builder& b, Value* images, Value* transforms, Value* size, const std::string& interpolation,
                 const std::string& fill_mode, Value* fill) {
  const DType dtype = images->dtype;
  Value* wide = b.Cast(images, DType::kFloat);
  Value* rows = b.dim_scalar(images, 1);
  Value* columns = b.dim_scalar(images, 2);
  Value* number = counting(b, b.ReduceProd(size, {0}, false));
  Value* width = b.Select(size, 1, 0);
  Value* y = b.Unsqueeze(b.Cast(b.Div(number, width), DType::kFloat), {0});
  Value* x = b.Unsqueeze(b.Cast(b.Mod(number, width), DType::kFloat), {0});
  const auto factor = [&](int64_t i) { return b.Slice(transforms, i, i + 1, 1); };
  const auto linear = [&](int64_t i) { return b.Add(b.Mul(factor(i), x), b.Mul(factor(i + 1), y)); };
  Value* scale = b.Add(linear(6), 1);
  Value* nowhere = b.Equal(scale, b.number_like(0, scale));
  Value* safe = b.Where(nowhere, b.number_like(1, scale), scale);
  Value* at_x = inside(b, b.Div(b.Add(linear(0), factor(2)), safe), b.Cast(columns, DType::kFloat), fill_mode);
  Value* at_y = inside(b, b.Div(b.Add(linear(3), factor(5)), safe), b.Cast(rows, DType::kFloat), fill_mode);
  Value* batch = b.Concat({b.dim(images, 0), b.dim(number, 0)}, 0);  // one transform may serve all images
  at_x = b.Expand(at_x, batch);
  at_y = b.Expand(at_y, batch);
  Value* flat = b.Reshape(wide, b.Concat({b.dim(images, 0), b.ints({-1}), b.dim(images, 3)}, 0));
  const Source source{flat, rows, columns, b.Cast(fill, DType::kFloat)};
  Value* found = interpolation == "NEAREST" ? pixels(b, source, rounded(b, at_y), rounded(b, at_x))
                                            : bilinear(b, source, at_y, at_x);
  found = b.Where(b.Unsqueeze(nowhere, {-1}), source.fill, found);
  return b.Cast(b.Reshape(found, b.Concat({b.dim(images, 0), size, b.dim(images, 3)}, 0)), dtype);
}

}  // namespace onward::importer
