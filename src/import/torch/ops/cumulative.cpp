// Running products, extremes and logarithms of sums; differences and integrals along a dimension.
#include <cmath>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;
using Step = std::function<ir::Values(ir::Builder&, const ir::Values& state, const ir::Values& slices)>;

// Walks `axis` of `x` (and of the position along it, where asked for) with a state of one slice each, and stacks the
// states.
ir::Values walk(Call& c, Value* x, int64_t axis, const std::vector<Value*>& initial, const Step& step, bool positions) {
  ir::Builder& b = c.b;
  Value* moved = move_axis(b, x, axis, 0);
  ir::Values scanned{moved};
  if (positions) scanned.push_back(counting(b, b.dim(moved, 0)));
  ir::Values state;
  Value* shape = b.Slice(b.Shape(moved), 1, kToEnd, 0);
  for (Value* value : initial) state.push_back(b.Expand(value, shape));
  const auto body = [&](ir::Builder& inner, const ir::Values& before, const ir::Values& slices) {
    const ir::Values next = step(inner, before, slices);
    return ir::Builder::ScanResult{next, next};
  };
  const ir::Values all = b.Scan(state, scanned, body, state.size());
  ir::Values results;
  for (size_t i = state.size(); i < all.size(); ++i) results.push_back(move_axis(b, all[i], 0, axis));
  return results;
}

Value* summand(Call& c) {
  Value* x = c.tensor("self");
  if (c.has("dtype") && c.dtype()) return c.b.Cast(x, *c.dtype());
  return ir::is_floating(x->dtype) ? x : c.b.Cast(x, DType::kInt64);
}

Value* cumprod(Call& c) {
  Value* x = summand(c);
  if (x->rank() == 0) return x;
  const auto step = [](ir::Builder& b, const ir::Values& state, const ir::Values& slices) {
    return ir::Values{b.Mul(state[0], slices[0])};
  };
  return walk(c, x, c.axis("dim", x->rank()), {c.b.number_like(1, x)}, step, false)[0];
}

// Later equal elements win, and NaN stays.
template <bool Max>
ir::Values cumulative_extreme(Call& c) {
  Value* x = c.tensor("self");
  if (x->rank() == 0) return {x, c.b.i64(0)};
  const DType dtype = x->dtype;
  if (dtype == DType::kBool) x = c.b.Cast(x, DType::kInt32);
  const auto step = [](ir::Builder& b, const ir::Values& state, const ir::Values& slices) {
    Value* better = Max ? b.GreaterOrEqual(slices[0], state[0]) : b.LessOrEqual(slices[0], state[0]);
    if (ir::is_floating(slices[0]->dtype)) better = b.Or(better, b.IsNaN(slices[0]));
    better = b.Or(better, b.Equal(slices[1], b.i64(0)));
    if (ir::is_floating(slices[0]->dtype)) {
      better = b.And(better, b.Or(b.Not(b.IsNaN(state[0])), b.IsNaN(slices[0])));
    }
    return ir::Values{b.Where(better, slices[0], state[0]), b.Where(better, slices[1], state[1])};
  };
  ir::Values both = walk(c, x, c.axis("dim", x->rank()), {c.b.number_like(0, x), c.b.i64(0)}, step, true);
  both[0] = c.b.Cast(both[0], dtype);
  return both;
}

Value* logcumsumexp(Call& c) {
  Value* x = c.tensor("self");
  if (x->rank() == 0) return x;
  const auto step = [](ir::Builder& b, const ir::Values& state, const ir::Values& slices) {
    Value* large = b.Max(state[0], slices[0]);
    Value* rest = b.Log(b.Add(b.Exp(b.Neg(b.Abs(b.Sub(state[0], slices[0])))), 1));
    return ir::Values{b.Where(b.IsInf(large), large, b.Add(large, rest))};
  };
  Value* nothing = c.b.number_like(-std::numeric_limits<double>::infinity(), x);
  return walk(c, x, c.axis("dim", x->rank()), {nothing}, step, false)[0];
}

// --- differences and integrals ---------------------------------------------------------------------------------------

// aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor
Value* diff(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const int64_t axis = c.axis("dim", x->rank());
  if (c.integer("n") == 0) return x;
  ir::Values parts;
  for (const char* name : {"prepend", "self", "append"}) {
    if (Value* part = c.maybe_tensor(name)) parts.push_back(b.Cast(part, x->dtype));
  }
  x = b.Concat(parts, axis);
  for (int64_t i = 0, n = c.integer("n"); i < n; ++i) {
    Value* later = b.Slice(x, 1, kToEnd, axis);
    Value* earlier = b.Slice(x, 0, -1, axis);
    x = x->dtype == DType::kBool ? b.Xor(later, earlier) : b.Sub(later, earlier);
  }
  return x;
}

// Areas of the trapezoids between neighbours.
Value* trapezoids(Call& c, int64_t axis) {
  ir::Builder& b = c.b;
  Value* y = c.tensor("y");
  if (!ir::is_floating(y->dtype)) y = b.Cast(y, DType::kFloat);
  Value* sums = b.Add(b.Slice(y, 1, kToEnd, axis), b.Slice(y, 0, -1, axis));
  if (c.has("dx")) return b.Mul(b.Mul(sums, c.scalar("dx", y->dtype)), 0.5);
  Value* x = b.Cast(c.tensor("x"), y->dtype);
  if (x->rank() == 1 && y->rank() > 1) {
    Value* widths = b.Sub(b.Slice(x, 1, kToEnd, 0), b.Slice(x, 0, -1, 0));
    return b.Mul(b.Mul(sums, along(b, widths, axis, y->rank())), 0.5);
  }
  const int64_t own = axis - static_cast<int64_t>(y->rank()) + static_cast<int64_t>(x->rank());
  return b.Mul(b.Mul(sums, b.Sub(b.Slice(x, 1, kToEnd, own), b.Slice(x, 0, -1, own))), 0.5);
}
Value* trapezoid(Call& c) {
  const int64_t axis = c.axis("dim", c.tensor("y")->rank());
  return c.b.ReduceSum(trapezoids(c, axis), {axis}, false);
}
Value* cumulative_trapezoid(Call& c) {
  const int64_t axis = c.axis("dim", c.tensor("y")->rank());
  return c.b.op("CumSum", {trapezoids(c, axis), c.b.i64(axis)});
}

// --- gradient --------------------------------------------------------------------------------------------------------

// Central differences of second order inside, one-sided ones of `edge_order` at the ends.
Value* gradient_along(Call& c, Value* x, int64_t axis, Value* spacing, Value* coordinates) {
  ir::Builder& b = c.b;
  const size_t rank = x->rank();
  const auto part = [&](Value* value, int64_t from, int64_t to, int64_t at) { return b.Slice(value, from, to, at); };
  const bool second = c.integer("edge_order") == 2;
  if (coordinates == nullptr) {
    Value* inner = b.Div(b.Mul(b.Sub(part(x, 2, kToEnd, axis), part(x, 0, -2, axis)), 0.5), spacing);
    Value* first = part(x, 0, 1, axis);
    Value* next = part(x, 1, 2, axis);
    Value* last = part(x, -1, kToEnd, axis);
    Value* before = part(x, -2, -1, axis);
    Value* front = b.Sub(next, first);
    Value* back = b.Sub(last, before);
    if (second) {
      front = b.Sub(b.Mul(front, 1.5), b.Mul(b.Sub(part(x, 2, 3, axis), next), 0.5));
      back = b.Sub(b.Mul(back, 1.5), b.Mul(b.Sub(before, part(x, -3, -2, axis)), 0.5));
    }
    return b.Concat({b.Div(front, spacing), inner, b.Div(back, spacing)}, axis);
  }
  Value* steps = along(b, b.Sub(part(coordinates, 1, kToEnd, 0), part(coordinates, 0, -1, 0)), axis, rank);
  Value* slopes = b.Div(b.Sub(part(x, 1, kToEnd, axis), part(x, 0, -1, axis)), steps);
  // The nearer slope counts with the farther step.
  const auto mixed = [&](Value* near, Value* far, Value* near_step, Value* far_step) {
    return b.Div(b.Add(b.Mul(near, far_step), b.Mul(far, near_step)), b.Add(near_step, far_step));
  };
  Value* left = part(slopes, 0, -1, axis);
  Value* right = part(slopes, 1, kToEnd, axis);
  Value* left_step = part(steps, 0, -1, axis);
  Value* right_step = part(steps, 1, kToEnd, axis);
  Value* inner = mixed(left, right, left_step, right_step);
  Value* front = part(slopes, 0, 1, axis);
  Value* back = part(slopes, -1, kToEnd, axis);
  if (second) {
    const auto beyond = [&](Value* near, Value* far, Value* near_step, Value* far_step) {
      return b.Add(near, b.Mul(b.Div(b.Sub(near, far), b.Add(near_step, far_step)), near_step));
    };
    front = beyond(front, part(slopes, 1, 2, axis), part(steps, 0, 1, axis), part(steps, 1, 2, axis));
    back = beyond(back, part(slopes, -2, -1, axis), part(steps, -1, kToEnd, axis), part(steps, -2, -1, axis));
  }
  return b.Concat({front, inner, back}, axis);
}

// aten::gradient.*(Tensor self, *, spacing of one of several kinds, dim, int edge_order=1) -> Tensor[]
ir::Values gradient(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  if (!ir::is_floating(x->dtype)) x = b.Cast(x, DType::kFloat);
  const bool named = c.has("dim") && c.given("dim");
  const std::vector<int64_t> axes = named ? c.axes("dim", x->rank()) : all_axes(x->rank());
  const bool given = c.has("spacing") && c.given("spacing");
  const Arg* spacing = given ? &c.arg("spacing") : nullptr;
  ir::Values results;
  for (size_t i = 0; i < axes.size(); ++i) {
    Value* coordinates = nullptr;
    Value* step = b.number_like(1, x);
    if (given && spacing->list() == nullptr) {
      step = c.scalar("spacing", x->dtype);
    } else if (given) {
      const Arg& item = spacing->list()->at(spacing->list()->size() == 1 ? 0 : i);
      if (const auto* tensor = std::get_if<TensorArg>(&item.data)) {
        coordinates = b.Cast(tensor->value, x->dtype);
      } else {
        step = b.number_like(c.numbers("spacing").at(spacing->list()->size() == 1 ? 0 : i), x);
      }
    }
    results.push_back(gradient_along(c, x, axes[i], step, coordinates));
  }
  return results;
}

}  // namespace

void register_cumulative(OpTable& t) {
  t.add("aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", cumprod);
  t.add("aten::cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)", cumulative_extreme<true>);
  t.add("aten::cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)", cumulative_extreme<false>);
  t.add("aten::logcumsumexp(Tensor self, int dim) -> Tensor", logcumsumexp);
  t.add("aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor", diff);
  for (const char* name : {"aten::trapezoid", "aten::trapz", "aten::cumulative_trapezoid"}) {
    const bool running = name == std::string_view("aten::cumulative_trapezoid");
    const TranslateOne translate = running ? cumulative_trapezoid : trapezoid;
    t.add(name + std::string(".x(Tensor y, Tensor x, *, int dim=-1) -> Tensor"), translate);
    t.add(name + std::string(".dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor"), translate);
  }
  const std::string edge = ", int edge_order=1) -> Tensor[]";
  const std::string self = "(Tensor self, *, ";
  t.add("aten::gradient.scalarint" + self + "Scalar? spacing=None, int? dim=None" + edge, gradient);
  t.add("aten::gradient.scalararray" + self + "Scalar spacing, int[] dim" + edge, gradient);
  t.add("aten::gradient.array" + self + "int[] dim" + edge, gradient);
  t.add("aten::gradient.scalarrayint" + self + "Scalar[] spacing, int? dim=None" + edge, gradient);
  t.add("aten::gradient.scalarrayarray" + self + "Scalar[] spacing, int[] dim" + edge, gradient);
  t.add("aten::gradient.tensorarrayint" + self + "Tensor[] spacing, int? dim=None" + edge, gradient);
  t.add("aten::gradient.tensorarray" + self + "Tensor[] spacing, int[] dim" + edge, gradient);
}

}  // namespace onward::importer::torch
