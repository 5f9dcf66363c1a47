// Over axes: sums, means, extremes, cumulative sums, sorting.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "import/common/axes.h"
#include "import/common/solving.h"
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

using Reduce = Value* (Builder::*)(Value*, const std::vector<int64_t>&, bool);

DType summed_in(DType dtype) {
  switch (dtype) {
    case DType::kBool:
    case DType::kInt8:
    case DType::kInt16:
      return DType::kInt32;
    case DType::kUInt8:
    case DType::kUInt16:
      return DType::kUInt32;
    default:
      return dtype;
  }
}

bool keeps(const Arguments& a) { return a.flag("keepdims", false); }

template <Reduce Method>
ir::Values totals(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const DType result = a.dtype("dtype").value_or(a.tensorflow() ? x->dtype : summed_in(x->dtype));
  const DType computed = result == DType::kUInt32 ? DType::kInt64 : summed_in(result);
  return {b.Cast((b.*Method)(b.Cast(x, computed), a.axes("axis", x), keeps(a)), result)};
}

template <Reduce Method>
ir::Values extremes(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const std::vector<int64_t> axes = a.axes("axis", x);
  if (x->dtype != DType::kBool) {
    Value* found = (b.*Method)(x, axes, keeps(a));
    if (!a.has("initial")) return {found};
    Value* initial = b.Cast(a.from_json(a.json("initial"), x->dtype), x->dtype);
    return {Method == &Builder::ReduceMax ? b.Max(found, initial) : b.Min(found, initial)};
  }
  return {b.Cast((b.*Method)(b.Cast(x, DType::kInt32), axes, keeps(a)), DType::kBool)};
}

// any, all
template <Reduce Method>
ir::Values quantified(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* truth = b.Cast(b.Cast(x, DType::kBool), DType::kInt32);
  return {b.Cast((b.*Method)(truth, a.axes("axis", x), keeps(a)), DType::kBool)};
}

Value* mean_of(Builder& b, Value* x, const std::vector<int64_t>& axes, bool keep) {
  return b.ReduceMean(floating(b, x), axes, keep);
}

ir::Values mean(const Arguments& a) {
  Value* x = a.value("x");
  return {mean_of(a.b, x, a.axes("axis", x), keeps(a))};
}

// average(x, axis=None, weights=None)
ir::Values average(const Arguments& a) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  const std::vector<int64_t> axes = a.axes("axis", x);
  if (!a.has("weights")) return {b.ReduceMean(x, axes, false)};
  Value* weights = b.Cast(a.value("weights"), x->dtype);
  if (weights->rank() == 1 && x->rank() > 1 && axes.size() == 1) {
    std::vector<int64_t> shape(x->rank(), 1);
    shape[static_cast<size_t>(axes[0])] = -1;
    weights = b.Reshape(weights, shape);
  }
  Value* total = b.ReduceSum(b.Mul(x, weights), axes, false);
  return {b.Div(total, b.ReduceSum(b.Expand(weights, b.Shape(x)), axes, false))};
}

Value* variance_of(Builder& b, Value* x, const std::vector<int64_t>& axes, bool keep) {
  Value* centred = b.Sub(x, b.ReduceMean(x, axes));
  return b.ReduceMean(b.Mul(centred, centred), axes, keep);
}

ir::Values variance(const Arguments& a) {
  Value* x = floating(a.b, a.value("x"));
  return {variance_of(a.b, x, a.axes("axis", x), keeps(a))};
}

ir::Values standard_deviation(const Arguments& a) {
  Value* x = floating(a.b, a.value("x"));
  return {a.b.Sqrt(variance_of(a.b, x, a.axes("axis", x), keeps(a)))};
}

// moments(x, axes, keepdims=False, synchronized=False) → mean, variance
ir::Values moments(const Arguments& a) {
  Value* x = floating(a.b, a.value("x"));
  const std::vector<int64_t> axes = a.axes("axis", x);
  return {a.b.ReduceMean(x, axes, keeps(a)), variance_of(a.b, x, axes, keeps(a))};
}

ir::Values logsumexp(const Arguments& a) {
  Value* x = floating(a.b, a.value("x"));
  return {a.b.ReduceLogSumExp(x, a.axes("axis", x), keeps(a))};
}

ir::Values euclidean(const Arguments& a) {
  Value* x = a.value("x");
  return {a.b.ReduceL2(x, a.axes("axis", x), keeps(a))};
}

// The norm of the matrices along two axes: the greatest or least sum of a line, or something of the singular values.
Value* matrix_norm(const Arguments& a, Value* x, const std::vector<int64_t>& axes, const std::string& ord) {
  Builder& b = a.b;
  Value* result = nullptr;
  if (ord == "1" || ord == "-1" || ord == "inf" || ord == "-inf") {
    const bool columns = ord.back() == '1';
    Value* sums = b.ReduceSum(b.Abs(x), {axes[columns ? 0 : 1]});
    const std::vector<int64_t> other{axes[columns ? 1 : 0]};
    result = ord[0] == '-' ? b.ReduceMin(sums, other) : b.ReduceMax(sums, other);
    return keeps(a) ? result : b.Squeeze(result, axes);
  }
  a.require(ord == "nuc" || ord == "2" || ord == "-2", "ord " + ord + " is unknown");
  const auto rank = static_cast<int64_t>(x->rank());
  std::vector<int64_t> perm;
  for (int64_t i = 0; i < rank; ++i) {
    if (i != axes[0] && i != axes[1]) perm.push_back(i);
  }
  perm.insert(perm.end(), axes.begin(), axes.end());
  Value* values = singular_values(b, b.Transpose(x, perm));
  if (ord == "nuc") result = b.ReduceSum(values, {-1}, false);
  if (ord == "2") result = b.ReduceMax(values, {-1}, false);
  if (ord == "-2") result = b.ReduceMin(values, {-1}, false);
  std::vector<int64_t> kept = axes;
  std::sort(kept.begin(), kept.end());
  return keeps(a) ? b.Unsqueeze(result, kept) : result;
}

// norm(x, ord=None, axis=None, keepdims=False)
ir::Values norm(const Arguments& a) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  std::vector<int64_t> axes = a.axes("axis", x);
  const bool keep = keeps(a);
  const Json& ord = a.json("ord");
  const std::string name = ord.is_string() ? ord.as_string() : "";
  if (ord.is_null() || name == "fro" || name == "euclidean") return {b.ReduceL2(x, axes, keep)};
  const double order = ord.is_number()                         ? ord.as_double()
                       : name == "-inf" || name == "-Infinity" ? -std::numeric_limits<double>::infinity()
                                                               : std::numeric_limits<double>::infinity();
  if (axes.size() == 2) {
    if (a.has("axis")) {  // in the order given: rows, columns
      axes = a.ints("axis");
      for (int64_t& axis : axes) axis += axis < 0 ? static_cast<int64_t>(x->rank()) : 0;
    }
    const std::string infinite = order < 0 ? "-inf" : "inf";
    return {matrix_norm(a, x, axes, name == "nuc" ? name : std::isinf(order) ? infinite : fmt::format("{:g}", order))};
  }
  a.require(axes.size() == 1, "over more than two axes is not supported");
  a.require(name != "nuc", "ord \"nuc\" needs two axes");
  if (order == 1) return {b.ReduceL1(x, axes, keep)};
  if (order == 2) return {b.ReduceL2(x, axes, keep)};
  if (std::isinf(order)) return {order > 0 ? b.ReduceMax(b.Abs(x), axes, keep) : b.ReduceMin(b.Abs(x), axes, keep)};
  if (order == 0) {
    Value* set = b.Not(b.Equal(x, b.number_like(0, x)));
    return {b.ReduceSum(b.Cast(set, x->dtype), axes, keep)};
  }
  return {b.Pow(b.ReduceSum(b.Pow(b.Abs(x), order), axes, keep), 1 / order)};
}

ir::Values count_nonzero(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* set = b.Cast(b.Cast(x, DType::kBool), DType::kInt32);
  Value* count = b.ReduceSum(set, a.axes("axis", x), keeps(a));
  return {b.Cast(count, a.dtype("dtype").value_or(a.tensorflow() ? DType::kInt64 : DType::kInt32))};
}

// argmax(x, axis=None, keepdims=False): of the flattened tensor without an axis
ir::Values arg_extreme(const Arguments& a, bool greatest) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const DType result = a.dtype("output_type").value_or(a.tensorflow() ? DType::kInt64 : DType::kInt32);
  if (x->dtype == DType::kBool) x = b.Cast(x, DType::kInt32);
  const bool flat = !a.has("axis") && !a.tensorflow();
  Value* source = flat ? b.Reshape(x, {-1}) : x;
  const int64_t axis = flat ? 0 : a.axis("axis", x, 0);
  Value* found = greatest ? b.ArgMax(source, axis, !flat && keeps(a)) : b.ArgMin(source, axis, !flat && keeps(a));
  if (flat && keeps(a)) found = b.Reshape(found, std::vector<int64_t>(x->rank(), 1));
  return {b.Cast(found, result)};
}
ir::Values argmax(const Arguments& a) { return arg_extreme(a, true); }
ir::Values argmin(const Arguments& a) { return arg_extreme(a, false); }

// Unlike sums, running sums stay in their dtype, booleans apart.
DType accumulated_in(const Arguments& a, DType dtype) {
  return a.dtype("dtype").value_or(dtype == DType::kBool && !a.tensorflow() ? DType::kInt32 : dtype);
}

// What nancumsum and nancumprod add and multiply: numbers, `instead` where there is none.
Value* numbers_of(const Arguments& a, double instead) {
  Builder& b = a.b;
  Value* x = a.value("x");
  if (a.name().rfind("Nan", 0) != 0 || !ir::is_floating(x->dtype)) return x;
  const double most = x->dtype == DType::kFloat16 ? 65504.0 : 3.4028234663852886e38;
  Value* finite = b.Max(b.Min(x, most), -most);
  return b.Where(b.IsNaN(x), b.number_like(instead, x), finite);
}

// cumsum(x, axis=None, dtype=None)
ir::Values cumsum(const Arguments& a) {
  Builder& b = a.b;
  Value* x = numbers_of(a, 0);
  const DType result = accumulated_in(a, x->dtype);
  const DType wide = summed_in(result) == DType::kUInt32 ? DType::kInt64 : summed_in(result);
  x = b.Cast(x, wide);
  const bool flat = !a.has("axis") && !a.tensorflow();
  Value* source = flat ? b.Reshape(x, {-1}) : x;
  Value* sums = b.op("CumSum", {source, b.i64(flat ? 0 : a.axis("axis", x, 0))},
                     {{"exclusive", a.flag("exclusive", false)}, {"reverse", a.flag("reverse", false)}});
  return {b.Cast(sums, result)};
}

// cumprod(x, axis=None, dtype=None): a step for each element along the axis
ir::Values cumprod(const Arguments& a) {
  Builder& b = a.b;
  Value* x = numbers_of(a, 1);
  const DType result = accumulated_in(a, x->dtype);
  x = b.Cast(x, summed_in(result) == DType::kUInt32 ? DType::kInt64 : summed_in(result));
  const bool flat = !a.has("axis") && !a.tensorflow();
  if (flat) x = b.Reshape(x, {-1});
  const auto axis = static_cast<size_t>(flat ? 0 : a.axis("axis", x, 0));
  a.require(!a.flag("exclusive", false) && !a.flag("reverse", false), "exclusive and reverse are not supported");
  std::vector<int64_t> perm{static_cast<int64_t>(axis)};
  std::vector<int64_t> back(x->rank());
  for (size_t i = 0; i < x->rank(); ++i) {
    if (i != axis) perm.push_back(static_cast<int64_t>(i));
  }
  for (size_t i = 0; i < perm.size(); ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  Value* steps = b.Transpose(x, perm);
  Value* one = b.Expand(b.number_like(1, x), b.Slice(b.Shape(steps), 1, std::numeric_limits<int64_t>::max(), 0));
  const ir::Values out = b.Scan(
      {one}, {steps},
      [](Builder& inner, const ir::Values& state, const ir::Values& slices) {
        Value* product = inner.Mul(state[0], slices[0]);
        return Builder::ScanResult{{product}, {product}};
      },
      1);
  return {b.Cast(b.Transpose(out[1], back), result)};
}

// top_k(x, k, sorted=True) → values, indices
ir::Values top_k(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  ir::Values found = b.ops("TopK", {x, a.sizes("k")}, 2, {{"axis", -1}, {"largest", 1}, {"sorted", 1}});
  found[1] = b.Cast(found[1], DType::kInt32);
  return found;
}

// The whole axis sorted: values, indices. Equal elements keep their order.
ir::Values sorted(const Arguments& a, Value* x, int64_t axis, bool descending) {
  return a.b.ops("TopK", {x, a.b.dim(x, axis)}, 2, {{"axis", axis}, {"largest", descending}, {"sorted", 1}});
}

bool descending(const Arguments& a) { return a.text("direction", "ASCENDING") == "DESCENDING"; }

ir::Values sort(const Arguments& a) {
  Value* x = a.value("x");
  return {sorted(a, x, a.axis("axis", x, -1), descending(a))[0]};
}

ir::Values argsort(const Arguments& a) {
  Value* x = a.value("x");
  return {a.b.Cast(sorted(a, x, a.axis("axis", x, -1), descending(a))[1], DType::kInt32)};
}

// diff(a, n=1, axis=-1)
ir::Values diff(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("a");
  const int64_t axis = a.axis("axis", x, -1);
  for (int64_t i = 0; i < a.integer("n", 1); ++i) {
    x = b.Sub(b.Slice(x, 1, std::numeric_limits<int64_t>::max(), axis), b.Slice(x, 0, -1, axis));
  }
  return {x};
}

// trapezoid(y, x=None, dx=1.0, axis=-1)
ir::Values trapezoid(const Arguments& a) {
  Builder& b = a.b;
  Value* y = floating(b, a.value("y"));
  const int64_t axis = a.axis("axis", y, -1);
  const auto after = [&](Value* v, int64_t along) { return b.Slice(v, 1, std::numeric_limits<int64_t>::max(), along); };
  const auto before = [&](Value* v, int64_t along) { return b.Slice(v, 0, -1, along); };
  Value* heights = b.Mul(b.Add(after(y, axis), before(y, axis)), 0.5);
  if (!a.has("x")) return {b.ReduceSum(b.Mul(heights, a.number("dx", 1)), {axis}, false)};
  Value* x = b.Cast(a.value("x"), y->dtype);
  const int64_t own = x->rank() == y->rank() ? axis : static_cast<int64_t>(x->rank()) - 1;
  Value* widths = b.Sub(after(x, own), before(x, own));
  if (x->rank() == 1) widths = along(b, widths, axis, y->rank());
  return {b.ReduceSum(b.Mul(heights, widths), {axis}, false)};
}

}  // namespace

void register_reduction_operations(OperationTable& table) {
  const auto both = [&](const char* keras, const char* tensorflow, const char* more,
                        ir::Values (*translate)(const Arguments&)) {
    for_each_word(keras, [&](std::string name) { table.add(std::move(name), {"x axis keepdims", translate}); });
    for_each_word(tensorflow, [&](const std::string& name) { table.add("tf." + name, {more, translate}); });
  };
  constexpr const char* kTf = "x:input_tensor axis keepdims";
  both("Sum", "math.reduce_sum reduce_sum", kTf, totals<&Builder::ReduceSum>);
  both("Prod", "math.reduce_prod reduce_prod", kTf, totals<&Builder::ReduceProd>);
  both("Max Amax", "math.reduce_max reduce_max", kTf, extremes<&Builder::ReduceMax>);
  both("Min Amin", "math.reduce_min reduce_min", kTf, extremes<&Builder::ReduceMin>);
  both("Any", "math.reduce_any reduce_any", kTf, quantified<&Builder::ReduceMax>);
  both("All", "math.reduce_all reduce_all", kTf, quantified<&Builder::ReduceMin>);
  both("Mean", "math.reduce_mean reduce_mean", kTf, mean);
  both("Var", "math.reduce_variance", kTf, variance);
  both("Std", "math.reduce_std", kTf, standard_deviation);
  both("Logsumexp", "math.reduce_logsumexp reduce_logsumexp", kTf, logsumexp);
  both("", "math.reduce_euclidean_norm", kTf, euclidean);
  both("CountNonzero", "math.count_nonzero", "x:input axis keepdims dtype", count_nonzero);
  table.add("Average", {"x axis weights", average});
  table.add("Norm", {"x ord axis keepdims", norm});
  table.add("tf.norm", {"x:tensor ord axis keepdims", norm});
  table.add("tf.linalg.norm", {"x:tensor ord axis keepdims", norm});
  table.add("Moments", {"x axis:axes keepdims", moments});
  table.add("tf.nn.moments", {"x axis:axes shift keepdims", moments});
  table.add("Argmax", {"x axis keepdims", argmax});
  table.add("Argmin", {"x axis keepdims", argmin});
  for (const char* name : {"tf.math.argmax", "tf.argmax"}) table.add(name, {"x:input axis output_type", argmax});
  for (const char* name : {"tf.math.argmin", "tf.argmin"}) table.add(name, {"x:input axis output_type", argmin});
  table.add("Cumsum", {"x axis dtype", cumsum});
  table.add("Cumprod", {"x axis dtype", cumprod});
  table.add("Nancumsum", {"x axis dtype", cumsum});
  table.add("Nancumprod", {"x axis dtype", cumprod});
  for (const char* name : {"tf.math.cumsum", "tf.cumsum"}) table.add(name, {"x axis exclusive reverse", cumsum});
  table.add("tf.math.cumprod", {"x axis exclusive reverse", cumprod});
  table.add("TopK", {"x k sorted", top_k});
  for (const char* name : {"tf.math.top_k", "tf.nn.top_k"}) table.add(name, {"x:input k sorted", top_k});
  table.add("Sort", {"x axis", sort});
  table.add("Argsort", {"x axis", argsort});
  table.add("tf.sort", {"x:values axis direction", sort});
  table.add("tf.argsort", {"x:values axis direction", argsort});
  table.add("Diff", {"a n axis", diff});
  table.add("Trapezoid", {"y x", trapezoid});
}

}  // namespace onward::importer::keras
