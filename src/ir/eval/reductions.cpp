// Reduce*, ArgMax, ArgMin, CumSum.
#include <algorithm>
#include <cmath>

#include "ir/eval/table.h"

namespace onward::ir::eval {
namespace {

struct Reduction {
  std::vector<bool> dropped;
  Dims kept_dims;       // of the result
  Dims result_strides;  // from an input index to the result element, 0 along reduced axes
};

Reduction plan(const Call& call) {
  const Tensor& x = call.required(0);
  std::vector<int64_t> axes = call.attrs.get("axes", Attr::Ints{});
  if (const Tensor* given = call.input(1)) axes = given->ints();
  if (axes.empty() && call.attrs.get("noop_with_empty_axes", int64_t{0}) != 0) throw Unfit();
  const bool keep = call.attrs.get("keepdims", int64_t{1}) != 0;
  Reduction reduction;
  reduction.dropped.assign(x.rank(), axes.empty());
  for (const int64_t axis : axes) reduction.dropped[checked_axis(axis, x.rank())] = true;
  Dims full = x.dims();
  for (size_t i = 0; i < full.size(); ++i) {
    if (reduction.dropped[i]) full[i] = 1;
  }
  reduction.result_strides = strides_of(full);
  for (size_t i = 0; i < full.size(); ++i) {
    if (reduction.dropped[i]) reduction.result_strides[i] = 0;
    if (keep || !reduction.dropped[i]) reduction.kept_dims.push_back(full[i]);
  }
  return reduction;
}

template <class T, class Combine>
std::vector<T> fold(const std::vector<T>& values, const Dims& dims, const Reduction& reduction, T start,
                    bool first_wins, const Combine& combine) {
  std::vector<T> result(static_cast<size_t>(element_count(reduction.kept_dims)), start);
  std::vector<bool> seen(result.size(), !first_wins);
  Dims index(dims.size(), 0);
  int64_t place = 0;
  for (const T value : values) {
    const auto at = static_cast<size_t>(place);
    result[at] = seen[at] ? combine(result[at], value) : value;
    seen[at] = true;
    for (size_t axis = dims.size(); axis-- > 0;) {
      place += reduction.result_strides[axis];
      if (++index[axis] < dims[axis]) break;
      place -= reduction.result_strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return result;
}

// Sums of floats are left to run time, whose order of additions decides the last bits, but for small vectors.
template <class Combine>
std::vector<Tensor> reduce(const Call& call, double start, bool first_wins, const Combine& combine) {
  const Tensor& x = call.required(0);
  const Reduction reduction = plan(call);
  if (x.count() == 0 && first_wins) throw Unfit();
  if (is_integer(x.dtype()) && x.dtype() != DType::kUInt64) {
    const auto out = fold<int64_t>(x.ints(), x.dims(), reduction, static_cast<int64_t>(start), first_wins, combine);
    return {Tensor::from_ints(x.dtype(), reduction.kept_dims, out)};
  }
  if (!is_floating(x.dtype())) throw Unfit();
  const auto out = fold<double>(x.doubles(), x.dims(), reduction, start, first_wins, combine);
  return {Tensor::from_doubles(x.dtype(), reduction.kept_dims, out)};
}

std::vector<Tensor> reduce_mean(const Call& call) {
  const Tensor& x = call.required(0);
  if (!is_floating(x.dtype()) || x.count() == 0) throw Unfit();
  const Tensor sum = reduce(call, 0, false, [](auto a, auto b) { return a + b; }).front();
  std::vector<double> values = sum.doubles();
  const double size = static_cast<double>(x.count()) / static_cast<double>(sum.count());
  for (double& value : values) value /= size;
  return {Tensor::from_doubles(x.dtype(), sum.dims(), values)};
}

std::vector<Tensor> arg_extreme(const Call& call, bool largest) {
  const Tensor& x = call.required(0);
  const size_t axis = checked_axis(call.attrs.get("axis", int64_t{0}), x.rank());
  if (call.attrs.get("select_last_index", int64_t{0}) != 0 || x.count() == 0) throw Unfit();
  const std::vector<double> values = x.doubles();
  const Dims strides = strides_of(x.dims());
  Dims dims = x.dims();
  dims[axis] = 1;
  std::vector<int64_t> winners;
  const int64_t inner = strides[axis];
  const int64_t outer = element_count(x.dims()) / (inner * x.dims()[axis]);
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      int64_t best = 0;
      const auto at = [&](int64_t k) { return values[static_cast<size_t>((o * x.dims()[axis] + k) * inner + i)]; };
      for (int64_t k = 1; k < x.dims()[axis]; ++k) {
        if (largest ? at(k) > at(best) : at(k) < at(best)) best = k;
      }
      winners.push_back(best);
    }
  }
  if (call.attrs.get("keepdims", int64_t{1}) == 0) dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  return {Tensor::of<int64_t>(dims, winners)};
}

std::vector<Tensor> cumulative_sum(const Call& call) {
  const Tensor& x = call.required(0);
  if (x.rank() != 1 || !is_integer(x.dtype()) || x.dtype() == DType::kUInt64) throw Unfit();
  const bool exclusive = call.attrs.get("exclusive", int64_t{0}) != 0;
  const bool reverse = call.attrs.get("reverse", int64_t{0}) != 0;
  std::vector<int64_t> values = x.ints();
  if (reverse) std::reverse(values.begin(), values.end());
  uint64_t sum = 0;
  for (int64_t& value : values) {
    const uint64_t next = sum + static_cast<uint64_t>(value);
    value = static_cast<int64_t>(exclusive ? sum : next);
    sum = next;
  }
  if (reverse) std::reverse(values.begin(), values.end());
  return {Tensor::from_ints(x.dtype(), x.dims(), values)};
}

}  // namespace

void register_reductions(EvalTable& table) {
  table["ReduceSum"] = [](const Call& call) { return reduce(call, 0, false, [](auto a, auto b) { return a + b; }); };
  table["ReduceProd"] = [](const Call& call) { return reduce(call, 1, false, [](auto a, auto b) { return a * b; }); };
  table["ReduceMin"] = [](const Call& call) {
    return reduce(call, 0, true, [](auto a, auto b) { return std::min(a, b); });
  };
  table["ReduceMax"] = [](const Call& call) {
    return reduce(call, 0, true, [](auto a, auto b) { return std::max(a, b); });
  };
  table["ReduceMean"] = reduce_mean;
  table["ArgMax"] = [](const Call& call) { return arg_extreme(call, true); };
  table["ArgMin"] = [](const Call& call) { return arg_extreme(call, false); };
  table["CumSum"] = cumulative_sum;
}

}  // namespace onward::ir::eval
