// Reductions that pass over what is no number.
#include <limits>

#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

struct Numbers {
  Value* x;
  Value* missing;
  std::vector<int64_t> axes;
  bool keep;
};

Numbers numbers(const Arguments& a) {
  Value* x = floating(a.b, a.value("x"));
  return {x, a.b.IsNaN(x), a.axes("axis", x), a.flag("keepdims", false)};
}

Value* instead(Builder& b, const Numbers& n, double value) {
  return b.Where(n.missing, b.number_like(value, n.x), n.x);
}

Value* count(Builder& b, const Numbers& n, bool keep) {
  return b.ReduceSum(b.Cast(b.Not(n.missing), n.x->dtype), n.axes, keep);
}

ir::Values nansum(const Arguments& a) {
  const Numbers n = numbers(a);
  return {a.b.ReduceSum(instead(a.b, n, 0), n.axes, n.keep)};
}
ir::Values nanprod(const Arguments& a) {
  const Numbers n = numbers(a);
  return {a.b.ReduceProd(instead(a.b, n, 1), n.axes, n.keep)};
}

Value* mean_of(Builder& b, const Numbers& n, bool keep) {
  return b.Div(b.ReduceSum(instead(b, n, 0), n.axes, keep), count(b, n, keep));
}
ir::Values nanmean(const Arguments& a) {
  const Numbers n = numbers(a);
  return {mean_of(a.b, n, n.keep)};
}

Value* variance_of(Builder& b, const Numbers& n) {
  Value* off = b.Sub(n.x, mean_of(b, n, true));
  Value* squares = b.Where(n.missing, b.number_like(0, n.x), b.Mul(off, off));
  return b.Div(b.ReduceSum(squares, n.axes, n.keep), count(b, n, n.keep));
}
ir::Values nanvar(const Arguments& a) { return {variance_of(a.b, numbers(a))}; }
ir::Values nanstd(const Arguments& a) { return {a.b.Sqrt(variance_of(a.b, numbers(a)))}; }

// NaN where nothing is a number.
Value* unless_empty(Builder& b, const Numbers& n, Value* result) {
  Value* none = b.Equal(count(b, n, n.keep), b.number_like(0, n.x));
  return b.Where(none, b.number_like(std::numeric_limits<double>::quiet_NaN(), n.x), result);
}
ir::Values nanmax(const Arguments& a) {
  const Numbers n = numbers(a);
  Value* filled = instead(a.b, n, -std::numeric_limits<double>::infinity());
  return {unless_empty(a.b, n, a.b.ReduceMax(filled, n.axes, n.keep))};
}
ir::Values nanmin(const Arguments& a) {
  const Numbers n = numbers(a);
  Value* filled = instead(a.b, n, std::numeric_limits<double>::infinity());
  return {unless_empty(a.b, n, a.b.ReduceMin(filled, n.axes, n.keep))};
}

}  // namespace

void register_nan_operations(OperationTable& table) {
  constexpr const char* kArguments = "x axis keepdims";
  table.add("Nansum", {kArguments, nansum});
  table.add("Nanprod", {kArguments, nanprod});
  table.add("Nanmean", {kArguments, nanmean});
  table.add("Nanvar", {kArguments, nanvar});
  table.add("Nanstd", {kArguments, nanstd});
  table.add("Nanmax", {kArguments, nanmax});
  table.add("Nanmin", {kArguments, nanmin});
}

}  // namespace onward::importer::keras
