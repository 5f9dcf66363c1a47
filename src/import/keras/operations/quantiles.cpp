// Ranges and quantiles.
#include <numeric>

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

}  // namespace

void register_quantile_operations(OperationTable& table) {
  table.add("Ptp", {"x axis keepdims", ptp});
  table.add("Quantile", {"x q", quantile});
  table.add("Percentile", {"x q", percentile});
}

}  // namespace onward::importer::keras
