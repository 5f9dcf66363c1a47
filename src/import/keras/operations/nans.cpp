// Reductions that pass over what is no number.
#include <limits>

#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
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

// Whole numbers are all numbers: the plain reduction, in their own dtype or, where they are summed, in one of 32 bits.
bool whole(const Arguments& a) { return !ir::is_floating(a.value("x")->dtype); }
ir::Values reduced(const Arguments& a, const char* type, bool sums) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const DType dtype = x->dtype;
  const bool small = dtype == DType::kBool || ir::dtype_bits(dtype) < 32;
  const DType result = !sums || !small                                         ? dtype
                       : ir::is_signed_integer(dtype) || dtype == DType::kBool ? DType::kInt32
                                                                               : DType::kUInt32;
  const DType wide = dtype == DType::kUInt32 || dtype == DType::kUInt64 ? DType::kInt64 : small ? DType::kInt32 : dtype;
  return {b.Cast(b.reduce(type, b.Cast(x, wide), a.axes("axis", x), a.flag("keepdims", false)), result)};
}

Value* instead(Builder& b, const Numbers& n, double value) {
  return b.Where(n.missing, b.number_like(value, n.x), n.x);
}

Value* count(Builder& b, const Numbers& n, bool keep) {
  return b.ReduceSum(b.Cast(b.Not(n.missing), n.x->dtype), n.axes, keep);
}

ir::Values nansum(const Arguments& a) {
  if (whole(a)) return reduced(a, "ReduceSum", true);
  const Numbers n = numbers(a);
  return {a.b.ReduceSum(instead(a.b, n, 0), n.axes, n.keep)};
}
ir::Values nanprod(const Arguments& a) {
  if (whole(a)) return reduced(a, "ReduceProd", true);
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
  if (whole(a)) return reduced(a, "ReduceMax", false);
  const Numbers n = numbers(a);
  Value* filled = instead(a.b, n, -std::numeric_limits<double>::infinity());
  return {unless_empty(a.b, n, a.b.ReduceMax(filled, n.axes, n.keep))};
}
ir::Values nanmin(const Arguments& a) {
  if (whole(a)) return reduced(a, "ReduceMin", false);
  const Numbers n = numbers(a);
  Value* filled = instead(a.b, n, std::numeric_limits<double>::infinity());
  return {unless_empty(a.b, n, a.b.ReduceMin(filled, n.axes, n.keep))};
}

// nanargmax(x, axis=None, keepdims=False): -1 where nothing is a number
template <bool Greatest>
ir::Values nan_arg(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const bool flat = !a.has("axis");
  const bool keep = a.flag("keepdims", false);
  Value* source = flat ? b.Reshape(x, {-1}) : x;
  const int64_t axis = flat ? 0 : a.axis("axis", x, 0);
  Value* missing = ir::is_floating(x->dtype) ? b.IsNaN(source) : nullptr;
  if (missing != nullptr) {
    const double edge = std::numeric_limits<double>::infinity();
    source = b.Where(missing, b.number_like(Greatest ? -edge : edge, x), source);
  }
  Value* found =
      b.Cast(Greatest ? b.ArgMax(source, axis, keep && !flat) : b.ArgMin(source, axis, keep && !flat), DType::kInt32);
  if (missing != nullptr) {
    Value* none = b.ReduceMin(b.Cast(missing, DType::kInt32), {axis}, keep && !flat);
    found = b.Where(b.Cast(none, DType::kBool), b.number(-1, DType::kInt32), found);
  }
  return {flat && keep ? b.Reshape(found, std::vector<int64_t>(x->rank(), 1)) : found};
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
  table.add("Nanargmax", {kArguments, nan_arg<true>});
  table.add("Nanargmin", {kArguments, nan_arg<false>});
}

}  // namespace onward::importer::keras
