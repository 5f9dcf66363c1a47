// Ranges and quantiles.
#include <cmath>
#include <limits>

#include "import/common/axes.h"
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

// ptp(x, axis=None, keepdims=False): from the least to the most
ir::Values ptp(const Arguments& a) {
  Value* x = a.value("x");
  const std::vector<int64_t> axes = a.axes("axis", x);
  const bool keep = a.flag("keepdims", false);
  return {a.b.Sub(a.b.ReduceMax(x, axes, keep), a.b.ReduceMin(x, axes, keep))};
}

// The elements of the axes in rising order along one new last axis, behind the axes that stay.
struct Ordered {
  Value* values;
  Value* count;    // [..., 1] of double: how many there are
  Value* nothing;  // [...] bool: whether the result is no number
};

Ordered ordered(const Arguments& a, Value* x, const std::vector<int64_t>& axes, bool skip_missing) {
  Builder& b = a.b;
  std::vector<int64_t> perm;
  ir::Values shape;
  for (size_t i = 0; i < x->rank(); ++i) {
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) != axes.end()) continue;
    perm.push_back(static_cast<int64_t>(i));
    shape.push_back(b.dim(x, static_cast<int64_t>(i)));
  }
  perm.insert(perm.end(), axes.begin(), axes.end());
  shape.push_back(b.ints({-1}));
  Value* rows = axes.size() == 1 ? b.Transpose(x, perm) : b.Reshape(b.Transpose(x, perm), b.Concat(shape, 0));
  Value* missing = b.IsNaN(rows);
  Value* found = b.ReduceSum(b.Cast(b.Not(missing), DType::kDouble), {-1});
  Value* size = b.Cast(b.dim(rows, -1), DType::kDouble);
  Value* infinity = b.number_like(std::numeric_limits<double>::infinity(), rows);
  Value* filled = b.Where(missing, infinity, rows);
  Value* sorted = b.ops("TopK", {filled, b.dim(rows, -1)}, 2, {{"axis", -1}, {"largest", 0}, {"sorted", 1}})[0];
  Value* short_of = skip_missing ? b.Equal(found, b.number(0, DType::kDouble)) : b.Less(found, size);
  Value* count = skip_missing ? b.Max(found, 1) : b.Expand(size, b.Shape(found));
  return {sorted, count, b.Squeeze(short_of, {-1})};
}

// The value at the share `q` (rank 0, double) of each row.
Value* at_share(const Arguments& a, const Ordered& rows, Value* q, const std::string& method) {
  Builder& b = a.b;
  Value* last = b.Sub(rows.count, 1);
  Value* exact = b.Mul(last, q);
  const auto at = [&](Value* place) {
    Value* inside = b.Max(b.Min(place, last), 0.0);
    return b.Squeeze(b.op("GatherElements", {rows.values, b.Cast(inside, DType::kInt64)}, {{"axis", -1}}), {-1});
  };
  if (method == "lower") return at(b.Floor(exact));
  if (method == "higher") return at(b.Ceil(exact));
  if (method == "nearest") return at(b.Round(exact));
  if (method == "midpoint") return b.Mul(b.Add(at(b.Floor(exact)), at(b.Ceil(exact))), 0.5);
  a.require(method == "linear", "method \"" + method + "\" is unknown");
  Value* low = b.Max(b.Sub(b.Ceil(exact), 1), 0.0);
  Value* high = b.Min(b.Add(low, 1), last);
  Value* share = b.Cast(b.Squeeze(b.Sub(high, exact), {-1}), rows.values->dtype);
  return b.Add(b.Mul(at(high), b.Sub(b.number_like(1, share), share)), b.Mul(at(low), share));
}

struct Share {
  double unit;
  bool skip_missing;
};

Value* quantiles(const Arguments& a, Value* q, Share kind) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  const std::vector<int64_t> axes = a.axes("axis", x);
  const Ordered rows = ordered(a, x, axes, kind.skip_missing);
  // Keras' Quantile has a method but does not use it.
  const std::string method = a.name() == "Quantile" ? "linear" : a.text("method", "linear");
  Value* nothing = b.number_like(std::nan(""), x);
  const auto one = [&](Value* share) {
    Value* y = b.Where(rows.nothing, nothing, at_share(a, rows, share, method));
    return a.flag("keepdims", false) ? b.Unsqueeze(y, axes) : y;
  };
  Value* shares = b.Mul(b.Cast(q, DType::kDouble), kind.unit);
  if (shares->rank() == 0) return one(shares);
  const ir::Dim count = shares->dim(0);
  a.require(shares->rank() == 1 && count.is_known(), "with shares of unknown number is not supported");
  ir::Values parts;  // the shares' axis comes first, as NumPy has it
  for (int64_t i = 0; i < count.value(); ++i) parts.push_back(b.Unsqueeze(one(b.Select(shares, i, 0)), {0}));
  return b.Concat(parts, 0);
}

// quantile(x, q, axis=None, method="linear", keepdims=False); percentile in hundredths; the nan forms pass over NaNs
ir::Values quantile(const Arguments& a) { return {quantiles(a, a.value("q"), {1, false})}; }
ir::Values percentile(const Arguments& a) { return {quantiles(a, a.value("q"), {0.01, false})}; }
ir::Values nanquantile(const Arguments& a) { return {quantiles(a, a.value("q"), {1, true})}; }
ir::Values nanpercentile(const Arguments& a) { return {quantiles(a, a.value("q"), {0.01, true})}; }

// median(x, axis=None, keepdims=False)
Value* half(const Arguments& a) { return a.b.number(0.5, DType::kDouble); }
ir::Values median(const Arguments& a) { return {quantiles(a, half(a), {1, false})}; }
ir::Values nanmedian(const Arguments& a) { return {quantiles(a, half(a), {1, true})}; }

}  // namespace

void register_quantile_operations(OperationTable& table) {
  table.add("Ptp", {"x axis keepdims", ptp});
  table.add("Quantile", {"x q", quantile});
  table.add("Percentile", {"x q", percentile});
  table.add("Nanquantile", {"x q", nanquantile});
  table.add("Nanpercentile", {"x q", nanpercentile});
  table.add("Median", {"x", median});
  table.add("Nanmedian", {"x", nanmedian});
}

}  // namespace onward::importer::keras
