// Over axes: sums, means, extremes, cumulative sums, sorting.
#include <limits>

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
  if (x->dtype != DType::kBool) return {(b.*Method)(x, axes, keeps(a))};
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

// norm(x, ord=None, axis=None, keepdims=False): vector norms
ir::Values norm(const Arguments& a) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  const std::vector<int64_t> axes = a.axes("axis", x);
  const bool keep = keeps(a);
  const Json& ord = a.json("ord");
  if (ord.is_null() || (ord.is_string() && (ord.as_string() == "fro" || ord.as_string() == "euclidean"))) {
    return {b.ReduceL2(x, axes, keep)};
  }
  a.require(axes.size() == 1, "a matrix norm other than the Frobenius norm is not supported");
  if (ord.is_string()) {
    a.require(ord.as_string() == "inf" || ord.as_string() == "-inf", "ord \"" + ord.as_string() + "\" is unknown");
    return {ord.as_string() == "inf" ? b.ReduceMax(b.Abs(x), axes, keep) : b.ReduceMin(b.Abs(x), axes, keep)};
  }
  const double order = ord.as_double();
  if (order == 1) return {b.ReduceL1(x, axes, keep)};
  if (order == 2) return {b.ReduceL2(x, axes, keep)};
  if (order == std::numeric_limits<double>::infinity()) return {b.ReduceMax(b.Abs(x), axes, keep)};
  if (order == -std::numeric_limits<double>::infinity()) return {b.ReduceMin(b.Abs(x), axes, keep)};
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
  return {b.Cast(found, result)};
}
ir::Values argmax(const Arguments& a) { return arg_extreme(a, true); }
ir::Values argmin(const Arguments& a) { return arg_extreme(a, false); }

// cumsum(x, axis=None, dtype=None)
ir::Values cumsum(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const DType result = a.dtype("dtype").value_or(a.tensorflow() ? x->dtype : summed_in(x->dtype));
  x = b.Cast(x, result);
  const bool flat = !a.has("axis") && !a.tensorflow();
  Value* source = flat ? b.Reshape(x, {-1}) : x;
  return {b.op("CumSum", {source, b.i64(flat ? 0 : a.axis("axis", x, 0))},
               {{"exclusive", a.flag("exclusive", false)}, {"reverse", a.flag("reverse", false)}})};
}

// cumprod(x, axis=None, dtype=None): a step for each element along the axis
ir::Values cumprod(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  x = b.Cast(x, a.dtype("dtype").value_or(a.tensorflow() ? x->dtype : summed_in(x->dtype)));
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
  return {b.Transpose(out[1], back)};
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

// median(x, axis=None, keepdims=False): the mean of the two middle ones
ir::Values median(const Arguments& a) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  const std::vector<int64_t> axes = a.axes("axis", x);
  const bool all = axes.size() == x->rank();
  a.require(all || axes.size() == 1, "over several axes is not supported");
  const bool keep = keeps(a);
  const size_t rank = x->rank();
  Value* source = all ? b.Reshape(x, {-1}) : x;
  const int64_t axis = all ? 0 : axes[0];
  Value* values = sorted(a, source, axis, false)[0];
  Value* last = b.Sub(b.dim(source, axis), b.ints({1}));
  Value* low = b.Div(last, b.ints({2}));
  Value* high = b.Div(b.Add(last, b.ints({1})), b.ints({2}));
  Value* middle = b.Mul(b.Add(b.Gather(values, low, axis), b.Gather(values, high, axis)), 0.5);
  if (all) return {keep ? b.Reshape(middle, std::vector<int64_t>(rank, 1)) : b.Squeeze(middle, {0})};
  return {keep ? middle : b.Squeeze(middle, {axis})};
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
  both("Median", "", "", median);
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
  for (const char* name : {"tf.math.cumsum", "tf.cumsum"}) table.add(name, {"x axis exclusive reverse", cumsum});
  table.add("tf.math.cumprod", {"x axis exclusive reverse", cumprod});
  table.add("TopK", {"x k sorted", top_k});
  for (const char* name : {"tf.math.top_k", "tf.nn.top_k"}) table.add(name, {"x:input k sorted", top_k});
  table.add("Sort", {"x axis", sort});
  table.add("Argsort", {"x axis", argsort});
  table.add("tf.sort", {"x:values axis direction", sort});
  table.add("tf.argsort", {"x:values axis direction", argsort});
  table.add("Diff", {"a n axis", diff});
}

}  // namespace onward::importer::keras
