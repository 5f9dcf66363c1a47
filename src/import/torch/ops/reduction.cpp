// Sums, means, extremes, norms and their kin over some or all dimensions; running sums.
#include <cmath>
#include <limits>

#include "import/torch/ops/families.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

struct Over {
  std::vector<int64_t> axes;  // empty: all
  bool keepdim = false;
};

Over over(Call& c, size_t rank) {
  Over result;
  if (c.signature().find("dim") == nullptr || !c.given("dim")) {
    result.keepdim = c.signature().find("keepdim") != nullptr && c.flag("keepdim");
    return result;
  }
  result.axes = c.axes("dim", rank);
  result.keepdim = c.signature().find("keepdim") != nullptr && c.flag("keepdim");
  return result;
}

// Rank 0 has no dimension that `dim` 0 could mean.
Value* reduce(Call& c, std::string_view type, Value* x, const Over& over) {
  if (x->shape && x->shape->empty()) {
    return type == "ReduceL2" || type == "ReduceL1" ? c.b.Abs(x) : x;
  }
  return c.b.reduce(type, x, over.axes, over.keepdim);
}
size_t rank_of(Call& c) { return c.given("dim") ? c.tensor("self")->rank() : 0; }
Over plan(Call& c) { return over(c, c.signature().find("dim") != nullptr && c.given("dim") ? rank_of(c) : 0); }

// Integers are summed as int64.
Value* summand(Call& c) {
  Value* x = c.tensor("self");
  if (c.dtype()) return c.b.Cast(x, *c.dtype());
  return ir::is_floating(x->dtype) || ir::is_complex(x->dtype) ? x : c.b.Cast(x, DType::kInt64);
}
Value* sum(Call& c) { return reduce(c, "ReduceSum", summand(c), plan(c)); }
Value* prod(Call& c) { return reduce(c, "ReduceProd", summand(c), plan(c)); }
Value* mean(Call& c) {
  Value* x = c.tensor("self");
  if (c.dtype()) x = c.b.Cast(x, *c.dtype());
  return reduce(c, "ReduceMean", x, plan(c));
}
Value* without_nan(Call& c, Value* x) {
  if (!ir::is_floating(x->dtype)) return x;
  return c.b.Where(c.b.IsNaN(x), c.b.number_like(0, x), x);
}
Value* nansum(Call& c) { return reduce(c, "ReduceSum", without_nan(c, summand(c)), plan(c)); }
Value* nanmean(Call& c) {
  Value* x = c.tensor("self");
  Value* there = c.b.Cast(c.b.Not(c.b.IsNaN(x)), x->dtype);
  const Over o = plan(c);
  return c.b.Div(reduce(c, "ReduceSum", without_nan(c, x), o), reduce(c, "ReduceSum", there, o));
}
Value* count_nonzero(Call& c) {
  return reduce(c, "ReduceSum", c.b.Cast(c.b.Cast(c.tensor("self"), DType::kBool), DType::kInt64), plan(c));
}

Value* extreme_of(Call& c, std::string_view type, const Over& o) { return reduce(c, type, c.tensor("self"), o); }
Value* amax(Call& c) { return extreme_of(c, "ReduceMax", plan(c)); }
Value* amin(Call& c) { return extreme_of(c, "ReduceMin", plan(c)); }

template <bool Max>
Value* position(Call& c) {
  Value* x = c.tensor("self");
  const bool all = !c.given("dim");
  if (all) {
    Value* flat = c.b.Reshape(x, {-1});
    Value* at = Max ? c.b.ArgMax(flat, 0, false) : c.b.ArgMin(flat, 0, false);
    if (!c.flag("keepdim")) return at;
    return c.b.Reshape(at, std::vector<int64_t>(x->rank(), 1));
  }
  if (x->rank() == 0) return c.b.i64(0);
  const int64_t axis = c.axis("dim", x->rank());
  return Max ? c.b.ArgMax(x, axis, c.flag("keepdim")) : c.b.ArgMin(x, axis, c.flag("keepdim"));
}
template <bool Max>
ir::Values with_position(Call& c) {
  Value* x = c.tensor("self");
  if (x->rank() == 0) return {c.tensor("self"), c.b.i64(0)};
  const int64_t axis = c.axis("dim", x->rank());
  const bool keep = c.flag("keepdim");
  Value* values = extreme_of(c, Max ? "ReduceMax" : "ReduceMin", {{axis}, keep});
  return {values, Max ? c.b.ArgMax(x, axis, keep) : c.b.ArgMin(x, axis, keep)};
}
ir::Values aminmax(Call& c) { return {amin(c), amax(c)}; }

template <bool Any>
Value* quantified(Call& c) {
  Value* x = c.b.Cast(c.tensor("self"), DType::kBool);
  Value* result = reduce(c, Any ? "ReduceMax" : "ReduceMin", x, plan(c));
  return c.b.Cast(result, c.tensor("self")->dtype == DType::kUInt8 ? DType::kUInt8 : DType::kBool);
}

// --- variance --------------------------------------------------------------------------------------------------------

double correction_of(Call& c) {
  if (c.signature().find("unbiased") != nullptr) return c.flag("unbiased") ? 1 : 0;
  return c.maybe_number("correction").value_or(1);
}
struct Moments {
  Value* variance;
  Value* mean;
};
Moments moments(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const Over o = plan(c);
  Value* kept = b.ReduceMean(x, o.axes, true);
  Value* squares = b.Mul(b.Sub(x, kept), b.Sub(x, kept));
  Value* mean = o.keepdim ? kept : b.ReduceMean(x, o.axes, false);
  const double correction = correction_of(c);
  if (correction == 0) return {b.ReduceMean(squares, o.axes, o.keepdim), mean};
  Value* count = nullptr;
  if (o.axes.empty()) {
    count = b.Size(x);
  } else {
    ir::Values dims;
    for (const int64_t axis : o.axes) dims.push_back(b.dim(x, axis));
    count = b.ReduceProd(b.Concat(dims, 0), {}, false);
  }
  Value* divisor = b.Max(b.Sub(b.Cast(count, x->dtype), correction), 0.0);
  return {b.Div(b.ReduceSum(squares, o.axes, o.keepdim), divisor), mean};
}
Value* var(Call& c) { return moments(c).variance; }
Value* standard_deviation(Call& c) { return c.b.Sqrt(moments(c).variance); }
ir::Values var_mean(Call& c) {
  const Moments m = moments(c);
  return {m.variance, m.mean};
}
ir::Values std_mean(Call& c) {
  const Moments m = moments(c);
  return {c.b.Sqrt(m.variance), m.mean};
}

// --- norms -----------------------------------------------------------------------------------------------------------

Value* p_norm(Call& c, Value* x, double p, const Over& o) {
  ir::Builder& b = c.b;
  if (x->shape && x->shape->empty()) return p == 0 ? b.Cast(b.Cast(x, DType::kBool), x->dtype) : b.Abs(x);
  if (p == 2) return b.ReduceL2(x, o.axes, o.keepdim);
  if (p == 1) return b.ReduceL1(x, o.axes, o.keepdim);
  if (std::isinf(p)) return b.reduce(p > 0 ? "ReduceMax" : "ReduceMin", b.Abs(x), o.axes, o.keepdim);
  if (p == 0) return b.ReduceSum(b.Cast(b.Cast(x, DType::kBool), x->dtype), o.axes, o.keepdim);
  return b.Pow(b.ReduceSum(b.Pow(b.Abs(x), p), o.axes, o.keepdim), 1 / p);
}
Value* norm(Call& c) {
  const bool linalg = c.signature().find("ord") != nullptr;
  Value* x = c.tensor("self");
  const bool has_dtype = c.signature().find("dtype") != nullptr && c.dtype().has_value();
  if (has_dtype) x = c.b.Cast(x, *c.dtype());
  return p_norm(c, x, c.maybe_number(linalg ? "ord" : "p").value_or(2), plan(c));
}
Value* logsumexp(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.promoted_float({"self"})[0];
  const Over o = plan(c);
  if (x->shape && x->shape->empty()) return x;
  return b.ReduceLogSumExp(x, o.axes, o.keepdim);
}

// --- running ---------------------------------------------------------------------------------------------------------

Value* cumsum(Call& c) {
  Value* x = summand(c);
  if (x->rank() == 0) return x;
  return c.b.op("CumSum", {x, c.b.i64(c.axis("dim", x->rank()))});
}

}  // namespace

void register_reduction(OpTable& t) {
  const std::string dtype = ", *, ScalarType? dtype=None) -> Tensor";
  const std::string dims = "(Tensor self, int[1]? dim, bool keepdim=False";
  for (const auto& [name, translate] : std::initializer_list<std::pair<const char*, TranslateOne>>{
           {"sum", sum}, {"mean", mean}, {"nansum", nansum}, {"nanmean", nanmean}}) {
    const std::string full = "aten::" + std::string(name);
    t.add(full + "(Tensor self" + dtype, translate);
    t.add(full + ".dim" + dims + dtype, translate);
  }
  t.add("aten::prod(Tensor self" + dtype, prod);
  t.add("aten::prod.dim_int(Tensor self, int dim, bool keepdim=False" + dtype, prod);
  t.add("aten::count_nonzero(Tensor self, int? dim=None) -> Tensor", count_nonzero);
  t.add("aten::count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor", count_nonzero);
  t.add("aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", amax);
  t.add("aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", amin);
  t.add("aten::max(Tensor self) -> Tensor", amax);
  t.add("aten::min(Tensor self) -> Tensor", amin);
  t.add("aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
        with_position<true>);
  t.add("aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
        with_position<false>);
  t.add("aten::aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)", aminmax);
  t.add("aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", position<true>);
  t.add("aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", position<false>);
  for (const bool any : {true, false}) {
    const std::string name = any ? "aten::any" : "aten::all";
    const TranslateOne translate = any ? quantified<true> : quantified<false>;
    t.add(name + "(Tensor self) -> Tensor", translate);
    t.add((any ? "aten::_is_any_true" : "aten::_is_all_true") + std::string("(Tensor self) -> Tensor"), translate);
    t.add(name + ".dim(Tensor self, int dim, bool keepdim=False) -> Tensor", translate);
    t.add(name + ".dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", translate);
  }
  const std::string correction = "(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> ";
  const std::string unbiased = "(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> ";
  t.add("aten::var(Tensor self, bool unbiased=True) -> Tensor", var);
  t.add("aten::var.dim" + unbiased + "Tensor", var);
  t.add("aten::var.correction" + correction + "Tensor", var);
  t.add("aten::std(Tensor self, bool unbiased=True) -> Tensor", standard_deviation);
  t.add("aten::std.dim" + unbiased + "Tensor", standard_deviation);
  t.add("aten::std.correction" + correction + "Tensor", standard_deviation);
  t.add("aten::var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", var_mean);
  t.add("aten::var_mean.dim" + unbiased + "(Tensor, Tensor)", var_mean);
  t.add("aten::var_mean.correction" + correction + "(Tensor, Tensor)", var_mean);
  t.add("aten::std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", std_mean);
  t.add("aten::std_mean.dim" + unbiased + "(Tensor, Tensor)", std_mean);
  t.add("aten::std_mean.correction" + correction + "(Tensor, Tensor)", std_mean);
  t.add(
      "aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
      "dtype=None) -> Tensor",
      norm);
  t.add("aten::norm.Scalar(Tensor self, Scalar p=2) -> Tensor", norm);
  t.add("aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor", norm);
  t.add(
      "aten::norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype) -> Tensor",
      norm);
  t.add("aten::norm.ScalarOpt_dtype(Tensor self, Scalar? p, *, ScalarType dtype) -> Tensor", norm);
  t.add("aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", logsumexp);
  t.add("aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", cumsum);
}

}  // namespace onward::importer::torch
