// Tensors made from bounds and powers: linspace and its kin, arange, full, vander.
#include <cmath>
#include <numbers>

#include "import/common/axes.h"
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

constexpr int64_t kMostPoints = int64_t{1} << 22;

struct Spaced {
  Value* points;
  Value* step;
};

// `count` points from `start` on along a new axis of the result.
Spaced spaced(const Arguments& a, Value* start, Value* stop, DType dtype) {
  Builder& b = a.b;
  const int64_t count = a.integer("num", 50);
  a.require(count >= 0 && count <= kMostPoints, "num is out of range");
  const bool endpoint = a.flag("endpoint", true);
  const DType computed = ir::is_floating(dtype) ? dtype : DType::kFloat;
  start = b.Cast(start, computed);
  stop = b.Cast(stop, computed);
  Value* span = b.Sub(stop, start);
  const int64_t steps = endpoint ? count - 1 : count;
  Value* step = steps > 0 ? b.Div(span, static_cast<double>(steps)) : b.number_like(std::nan(""), span);
  Value* last = endpoint ? stop : b.Sub(stop, step);
  const auto rank = static_cast<int64_t>(span->rank()) + 1;
  int64_t axis = a.integer("axis", 0);
  axis += axis < 0 ? rank : 0;
  a.require(axis >= 0 && axis < rank, "axis is out of range");
  Value* number = along(b, counting(b, b.i64(count)), axis, static_cast<size_t>(rank));
  const auto wide = [&](Value* x) { return b.Unsqueeze(b.Expand(x, b.Shape(span)), {axis}); };
  Value* points = wide(start);
  if (count != 1) {
    points = b.Add(points, b.Mul(b.Cast(number, computed), wide(steps > 0 ? step : b.number_like(0, span))));
    points = b.Where(b.Equal(number, b.i64(count - 1)), wide(last), points);
  }
  if (!ir::is_floating(dtype)) points = b.Floor(points);
  return {b.Cast(points, dtype), step};
}

DType spaced_dtype(const Arguments& a, const Value* start, const Value* stop) {
  const DType both = common_dtype(start->dtype, stop->dtype);
  return a.dtype("dtype").value_or(ir::is_floating(both) ? both : DType::kFloat);
}

// linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0)
ir::Values linspace(const Arguments& a) {
  const auto [start, stop] = a.operands("start", "stop");
  const Spaced result = spaced(a, start, stop, spaced_dtype(a, start, stop));
  if (a.flag("retstep", false)) return {result.points, result.step};
  return {result.points};
}

Value* powers_of(const Arguments& a, double base, Value* exponents) {
  return a.b.Pow(a.b.number_like(base, exponents), exponents);
}

// logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0)
ir::Values logspace(const Arguments& a) {
  const auto [start, stop] = a.operands("start", "stop");
  return {powers_of(a, a.number("base", 10), spaced(a, start, stop, spaced_dtype(a, start, stop)).points)};
}

// geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0)
ir::Values geomspace(const Arguments& a) {
  Builder& b = a.b;
  const auto [start, stop] = a.operands("start", "stop");
  const DType dtype = a.dtype("dtype").value_or(DType::kFloat);
  const auto digits = [&](Value* x) { return b.Div(b.Log(b.Abs(b.Cast(x, dtype))), std::numbers::ln10); };
  Value* result = powers_of(a, 10, spaced(a, digits(start), digits(stop), dtype).points);
  return {b.Mul(result, b.Sign(b.Cast(start, dtype)))};
}

// arange(start, stop=None, step=None, dtype=None)
ir::Values arange(const Arguments& a) {
  Builder& b = a.b;
  Value* first = a.value("start");
  Value* stop = a.maybe("stop");
  Value* step = a.maybe("step");
  DType dtype = first->dtype;
  for (const Value* other : {stop, step}) dtype = other != nullptr ? common_dtype(dtype, other->dtype) : dtype;
  dtype = a.dtype("dtype").value_or(dtype);
  const auto bound = [&](Value* x, double fallback) {
    return x != nullptr ? b.Cast(x, dtype) : b.number(fallback, dtype);
  };
  if (stop == nullptr) return {b.Range(bound(nullptr, 0), bound(first, 0), bound(step, 1))};
  return {b.Range(bound(first, 0), bound(stop, 0), bound(step, 1))};
}

// full(shape, fill_value, dtype=None)
ir::Values full(const Arguments& a) {
  return {a.b.Expand(a.b.Cast(a.value("fill_value"), a.dtype("dtype").value_or(DType::kFloat)), a.sizes("shape"))};
}

// vander(x, N=None, increasing=False)
ir::Values vander(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* count = a.has("N") ? b.i64(a.integer("N", 0)) : b.dim_scalar(x, 0);
  Value* powers = counting(b, count);
  if (!a.flag("increasing", false)) powers = b.Sub(b.Sub(count, b.i64(1)), powers);
  Value* base = b.Unsqueeze(floating(b, x), {-1});
  return {b.Cast(b.Pow(base, b.Cast(powers, base->dtype)), x->dtype)};
}

}  // namespace

void register_range_operations(OperationTable& table) {
  table.add("Linspace", {"start stop", linspace});
  table.add("Logspace", {"start stop", logspace});
  table.add("Geomspace", {"start stop", geomspace});
  table.add("Arange", {"start stop step", arange});
  table.add("Full", {"fill_value", full});
  table.add("Vander", {"x", vander});
}

}  // namespace onward::importer::keras
