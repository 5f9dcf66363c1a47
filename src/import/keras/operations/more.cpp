// Less usual functions of keras.ops: differences and products of vectors, quantiles, diagonals, blocks of space.
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "import/keras/operations.h"
#include "import/keras/ops/layout.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

// heaviside(x1, x2): 0, x2 at 0, 1
ir::Values heaviside(const Arguments& a) {
  Builder& b = a.b;
  auto [x, at_zero] = a.operands("x1", "x2");
  x = floating(b, x);
  Value* zero = b.number_like(0, x);
  Value* step = b.Where(b.Less(x, zero), zero, b.number_like(1, x));
  return {b.Where(b.Equal(x, zero), b.Cast(at_zero, x->dtype), step)};
}

// isclose(x1, x2, rtol=1e-5, atol=1e-8)
Value* close(const Arguments& a) {
  Builder& b = a.b;
  auto [x, y] = a.operands("x1", "x2");
  x = floating(b, x);
  y = floating(b, y);
  Value* allowed = b.Add(b.Mul(b.Abs(y), a.number("rtol", 1e-5)), a.number("atol", 1e-8));
  return b.Or(b.LessOrEqual(b.Abs(b.Sub(x, y)), allowed), b.Equal(x, y));
}
ir::Values isclose(const Arguments& a) { return {close(a)}; }
ir::Values allclose(const Arguments& a) {
  return {a.b.Cast(a.b.ReduceMin(a.b.Cast(close(a), DType::kInt32), {}, false), DType::kBool)};
}

// fmod(x1, x2): the remainder with the dividend's sign
ir::Values fmod(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  return {a.b.Mod(x, y, true)};
}

// ldexp(x1, x2): x1 · 2^x2
ir::Values ldexp(const Arguments& a) {
  Value* x = floating(a.b, a.value("x1"));
  return {a.b.Mul(x, a.b.Pow(a.b.number_like(2, x), a.b.Cast(a.value("x2"), x->dtype)))};
}

ir::Values logaddexp2(const Arguments& a) {
  Builder& b = a.b;
  auto [x, y] = a.operands("x1", "x2");
  Value* p = b.Mul(floating(b, x), std::numbers::ln2);
  Value* q = b.Mul(floating(b, y), std::numbers::ln2);
  Value* sum = b.Add(b.Max(p, q), b.Softplus(b.Neg(b.Abs(b.Sub(p, q)))));
  return {b.Div(sum, std::numbers::ln2)};
}

// erfc(x) = 1 - erf(x)
ir::Values erfc(const Arguments& a) {
  Value* x = floating(a.b, a.value("x"));
  return {a.b.Sub(a.b.number_like(1, x), a.b.Erf(x))};
}

// vdot(x1, x2): of everything
ir::Values vdot(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  return {a.b.MatMul(a.b.Reshape(x, {-1}), a.b.Reshape(y, {-1}))};
}

// cross(x1, x2): along the last axis, of three
ir::Values cross(const Arguments& a) {
  Builder& b = a.b;
  const auto [x, y] = a.operands("x1", "x2");
  for (const char* axis : {"axisa", "axisb", "axisc", "axis"}) {
    a.require(a.integer(axis, -1) == -1, "along another axis than the last is not supported");
  }
  const auto turned = [&](Value* v, const std::vector<int64_t>& order) { return b.Gather(v, b.ints(order), -1); };
  return {b.Sub(b.Mul(turned(x, {1, 2, 0}), turned(y, {2, 0, 1})), b.Mul(turned(x, {2, 0, 1}), turned(y, {1, 2, 0})))};
}

// ptp(x, axis=None, keepdims=False): from the least to the most
ir::Values ptp(const Arguments& a) {
  Value* x = a.value("x");
  const std::vector<int64_t> axes = a.axes("axis", x);
  const bool keep = a.flag("keepdims", false);
  return {a.b.Sub(a.b.ReduceMax(x, axes, keep), a.b.ReduceMin(x, axes, keep))};
}

// quantile(x, q, axis=None, method="linear", keepdims=False)
ir::Values quantile_of(const Arguments& a, double unit) {
  Builder& b = a.b;
  a.require(a.text("method", "linear") == "linear" && !a.flag("keepdims", false),
            "another method than \"linear\", or keepdims, is not supported");
  Value* x = floating(b, a.value("x"));
  const std::vector<int64_t> axes = a.axes("axis", x);
  const bool all = axes.size() == x->rank();
  a.require(all || axes.size() == 1, "over several axes is not supported");
  Value* source = all ? b.Reshape(x, {-1}) : x;
  const int64_t axis = all ? 0 : axes[0];
  Value* count = b.dim(source, axis);
  Value* sorted = b.ops("TopK", {source, count}, 2, {{"axis", axis}, {"largest", 0}})[0];
  Value* q = b.Mul(b.Cast(a.value("q"), x->dtype), unit);
  Value* place = b.Mul(q, b.Cast(b.Sub(b.Squeeze(count, {0}), b.i64(1)), x->dtype));
  Value* low = b.Floor(place);
  const auto at = [&](Value* index) {
    // The quantiles' axes come first, as NumPy has them.
    std::vector<int64_t> perm(sorted->rank());
    std::iota(perm.begin(), perm.end(), 0);
    perm.erase(perm.begin() + axis);
    perm.insert(perm.begin(), axis);
    return b.Gather(b.Transpose(sorted, perm), b.Cast(index, DType::kInt64), 0);
  };
  std::vector<int64_t> behind;
  for (size_t i = 1; i < source->rank(); ++i) behind.push_back(static_cast<int64_t>(q->rank() + i) - 1);
  Value* rest = b.Unsqueeze(b.Sub(place, low), behind);
  Value* first = at(low);
  return {b.Add(first, b.Mul(b.Sub(at(b.Ceil(place)), first), rest))};
}
ir::Values quantile(const Arguments& a) { return quantile_of(a, 1); }
ir::Values percentile(const Arguments& a) { return quantile_of(a, 0.01); }

Value* reversed(Builder& b, Value* x, int64_t axis) {
  return b.Slice(x, -1, std::numeric_limits<int64_t>::min(), axis, -1);
}
ir::Values flipud(const Arguments& a) { return {reversed(a.b, a.value("x"), 0)}; }
ir::Values fliplr(const Arguments& a) { return {reversed(a.b, a.value("x"), 1)}; }

// append(x1, x2, axis=None)
ir::Values append(const Arguments& a) {
  Builder& b = a.b;
  const auto [x, y] = a.operands("x1", "x2");
  if (!a.has("axis")) return {b.Concat({b.Reshape(x, {-1}), b.Reshape(y, {-1})}, 0)};
  return {b.Concat({x, y}, a.axis("axis", x, 0))};
}

// trace(x, offset=0, axis1=0, axis2=1) of matrices
ir::Values trace(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  a.require(x->rank() == 2 && a.integer("offset", 0) == 0,
            "of more than a matrix, or with an offset, is not supported");
  Value* rows = b.Range(b.i64(0), b.dim_scalar(x, 0), b.i64(1));
  Value* columns = b.Range(b.i64(0), b.dim_scalar(x, 1), b.i64(1));
  Value* on = b.Cast(b.Equal(b.Unsqueeze(rows, {1}), b.Unsqueeze(columns, {0})), x->dtype);
  return {b.ReduceSum(b.Mul(x, on), {}, false)};
}

// saturate_cast(x, dtype): what does not fit becomes the nearest that does
ir::Values saturate_cast(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const auto dtype = a.dtype("dtype");
  a.require(dtype.has_value(), "needs a dtype");
  if (ir::is_integer(*dtype) && ir::dtype_bits(*dtype) < 64) {
    const auto bits = static_cast<int>(ir::dtype_bits(*dtype)) - (ir::is_signed_integer(*dtype) ? 1 : 0);
    const double most = std::ldexp(1.0, bits) - 1;
    const double least = ir::is_signed_integer(*dtype) ? -most - 1 : 0;
    x = b.Min(b.Max(x, least), most);
  }
  return {b.Cast(x, *dtype)};
}

// batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3)
ir::Values batch_norm(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const int64_t axis = a.axis("axis", x, -1);
  std::vector<int64_t> shape(x->rank(), 1);
  shape[static_cast<size_t>(axis)] = -1;
  const auto shaped = [&](const char* name) { return b.Reshape(b.Cast(a.value(name), x->dtype), shape); };
  Value* y = b.Div(b.Sub(x, shaped("mean")), b.Sqrt(b.Add(shaped("variance"), a.number("epsilon", 1e-3))));
  if (a.has("scale")) y = b.Mul(y, shaped("scale"));
  return {a.has("offset") ? b.Add(y, shaped("offset")) : y};
}

// depth_to_space(x, block_size, data_format), space_to_depth likewise
ir::Values blocks(const Arguments& a, const char* op) {
  Value* x = a.value("x");
  const std::string layout = a.text("data_format", "channels_last");
  ir::Attrs attrs{{"blocksize", a.integer("block_size", 1)}};
  return {in_nchw(a.b, x, layout == "channels_first" || layout == "NCHW",
                  [&](Value* v) { return a.b.op(op, {v}, attrs); })};
}
ir::Values depth_to_space(const Arguments& a) { return blocks(a, "DepthToSpace"); }
ir::Values space_to_depth(const Arguments& a) { return blocks(a, "SpaceToDepth"); }

// segment_sum(data, segment_ids, num_segments): rows by a one-hot product
ir::Values segment_sum(const Arguments& a) {
  Builder& b = a.b;
  Value* data = a.value("data");
  a.require(a.has("num_segments"), "needs num_segments");
  const int64_t count = a.integer("num_segments", 0);
  a.require(count > 0 && count <= (1 << 20), "num_segments is out of range");
  std::vector<int64_t> classes(static_cast<size_t>(count));
  std::iota(classes.begin(), classes.end(), 0);
  Value* ids = b.Cast(a.value("segment_ids"), DType::kInt64);
  Value* on = b.Cast(b.Equal(b.Unsqueeze(b.ints(classes), {1}), b.Unsqueeze(ids, {0})), data->dtype);
  Value* rows = b.Reshape(data, b.Concat({b.dim(data, 0), b.ints({-1})}, 0));
  Value* rest = b.Slice(b.Shape(data), 1, kEnd, 0);
  return {b.Reshape(b.MatMul(on, rows), b.Concat({b.ints({count}), rest}, 0))};
}

}  // namespace

void register_more_operations(OperationTable& table) {
  table.add("Heaviside", {"x1 x2", heaviside});
  table.add("Isclose", {"x1 x2 rtol atol", isclose});
  table.add("AllClose", {"x1 x2 rtol atol", allclose});
  table.add("Fmod", {"x1 x2", fmod});
  table.add("Ldexp", {"x1 x2", ldexp});
  table.add("Logaddexp2", {"x1 x2", logaddexp2});
  for (const char* name : {"Erfc", "tf.math.erfc"}) table.add(name, {"x", erfc});
  table.add("Vdot", {"x1 x2", vdot});
  table.add("Cross", {"x1 x2", cross});
  table.add("Ptp", {"x axis keepdims", ptp});
  table.add("Quantile", {"x q", quantile});
  table.add("Percentile", {"x q", percentile});
  table.add("Flipud", {"x", flipud});
  table.add("Fliplr", {"x", fliplr});
  table.add("Append", {"x1 x2 axis", append});
  table.add("Trace", {"x offset axis1 axis2", trace});
  table.add("SaturateCast", {"x dtype", saturate_cast});
  table.add("tf.saturate_cast", {"x:value dtype", saturate_cast});
  table.add("BatchNorm", {"x mean variance offset scale", batch_norm});
  table.add("DepthToSpace", {"x block_size data_format", depth_to_space});
  table.add("SpaceToDepth", {"x block_size data_format", space_to_depth});
  table.add("tf.nn.depth_to_space", {"x:input block_size data_format", depth_to_space});
  table.add("tf.nn.space_to_depth", {"x:input block_size data_format", space_to_depth});
  table.add("SegmentSum", {"data segment_ids num_segments", segment_sum});
}

}  // namespace onward::importer::keras
