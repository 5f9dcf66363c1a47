// Distances between vectors, and lengths brought to bounds: cdist, pdist, pairwise_distance, cosine_similarity, renorm.
#include <cmath>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// The p-norm along the last dimension.
Value* length(ir::Builder& b, Value* x, double p, const std::vector<int64_t>& axes, bool keepdim) {
  if (p == 2) return b.ReduceL2(x, axes, keepdim);
  if (p == 1) return b.ReduceL1(x, axes, keepdim);
  if (std::isinf(p)) return b.reduce(p > 0 ? "ReduceMax" : "ReduceMin", b.Abs(x), axes, keepdim);
  if (p == 0) return b.ReduceSum(b.Cast(b.Cast(x, DType::kBool), x->dtype), axes, keepdim);
  return b.Pow(b.ReduceSum(b.Pow(b.Abs(x), p), axes, keepdim), 1 / p);
}

// aten::cdist(Tensor x1, Tensor x2, float p=2, int? compute_mode=None) -> Tensor: every row of one with every row of
// the other.
Value* cdist(Call& c) {
  const ir::Values x = c.promoted_float({"x1", "x2"});
  Value* difference = c.b.Sub(c.b.Unsqueeze(x[0], {-2}), c.b.Unsqueeze(x[1], {-3}));
  return length(c.b, difference, c.number("p"), {-1}, false);
}
// Every pair of rows once.
Value* pdist(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* rows = counting(b, b.dim(x, 0));
  Value* pairs = b.Transpose(b.NonZero(b.Less(b.Unsqueeze(rows, {1}), rows)), {1, 0});
  Value* first = b.Gather(x, b.Select(pairs, 0, 1), 0);
  Value* second = b.Gather(x, b.Select(pairs, 1, 1), 0);
  return length(b, b.Sub(first, second), c.number("p"), {-1}, false);
}
Value* pairwise_distance(Call& c) {
  const ir::Values x = c.promoted_float({"x1", "x2"});
  Value* difference = c.b.Add(c.b.Sub(x[0], x[1]), c.number("eps"));
  return length(c.b, difference, c.number("p"), {-1}, c.flag("keepdim"));
}
Value* dist(Call& c) {
  const ir::Values x = c.promoted_float({"self", "other"});
  Value* difference = c.b.Sub(x[0], x[1]);
  if (difference->rank() == 0) difference = c.b.Unsqueeze(difference, {0});
  return length(c.b, difference, c.number("p"), {}, false);
}

// Whether broadcasting leaves both as long as they are along `axis`.
bool same_rank_and_size(const Value* a, const Value* d, int64_t axis) {
  if (!a->has_rank() || !d->has_rank() || a->rank() != d->rank()) return false;
  const auto at = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(a->rank()) : axis);
  return at < a->rank() && a->dim(at) == d->dim(at) && !a->dim(at).is_unknown();
}

Value* cosine_similarity(Call& c) {
  ir::Builder& b = c.b;
  ir::Values x = c.promoted_float({"x1", "x2"});
  const int64_t axis = c.integer("dim");
  if (!same_rank_and_size(x[0], x[1], axis)) {  // lengths are those of the vectors after broadcasting
    Value* shape = b.Shape(b.Mul(x[0], x[1]));
    for (Value*& operand : x) operand = b.Expand(operand, shape);
  }
  Value* eps = c.scalar("eps", x[0]->dtype);
  Value* dot = b.ReduceSum(b.Mul(x[0], x[1]), {axis}, false);
  Value* norms = b.Mul(b.Max(b.ReduceL2(x[0], {axis}, false), eps), b.Max(b.ReduceL2(x[1], {axis}, false), eps));
  return b.Div(dot, norms);
}

// Slices longer than maxnorm are shortened to it.
Value* shortened(ir::Builder& b, Value* x, Value* norm, Value* most) {
  Value* factor = b.Div(most, b.Add(norm, 1e-7));
  return b.Mul(x, b.Where(b.Greater(norm, most), factor, b.number_like(1, x)));
}
// aten::renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor
Value* renorm(Call& c) {
  Value* x = c.tensor("self");
  std::vector<int64_t> axes = all_axes(x->rank());
  axes.erase(axes.begin() + c.axis("dim", x->rank()));
  return shortened(c.b, x, length(c.b, x, c.number("p"), axes, true), c.scalar("maxnorm", x->dtype));
}
// aten::embedding_renorm(Tensor self, Tensor indices, float max_norm, float norm_type) -> Tensor: only the rows that
// are looked up.
Value* embedding_renorm(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* norm = length(b, x, c.number("norm_type"), {1}, true);
  Value* wanted = b.Equal(b.Reshape(c.tensor("indices"), {-1, 1}), counting(b, b.dim(x, 0)));
  Value* any = b.Cast(b.ReduceMax(b.Cast(wanted, DType::kInt32), {0}, false), DType::kBool);
  return b.Where(b.Unsqueeze(any, {1}), shortened(b, x, norm, c.scalar("max_norm", x->dtype)), x);
}

// --- covariance ------------------------------------------------------------------------------------------------------

// aten::cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None): of rows, over the columns;
// fweights say how often each column was seen, aweights how much it counts.
Value* covariance(ir::Builder& b, Value* x, double correction, Value* frequencies, Value* importances) {
  if (x->rank() == 0) x = b.Unsqueeze(x, {0});
  const bool row = x->rank() == 1;
  if (row) x = b.Unsqueeze(x, {0});
  Value* weights = frequencies == nullptr ? nullptr : b.Cast(frequencies, x->dtype);
  if (importances != nullptr) {
    importances = b.Cast(importances, x->dtype);
    weights = weights == nullptr ? importances : b.Mul(weights, importances);
  }
  Value* total =
      weights == nullptr ? b.Cast(b.dim_scalar(x, 1), x->dtype) : b.ReduceSum(weights, std::vector<int64_t>{0}, false);
  const auto weighted = [&](Value* value) { return weights == nullptr ? value : b.Mul(value, weights); };
  Value* centred = b.Sub(x, b.Div(b.ReduceSum(weighted(x), {1}, true), total));
  Value* taken = b.number_like(correction, x);
  if (importances != nullptr) {
    taken = b.Mul(taken, b.Div(b.ReduceSum(b.Mul(weights, importances), {0}, false), total));
  }
  Value* product = b.MatMul(weighted(centred), b.Transpose(centred, {1, 0}));
  Value* result = b.Div(product, b.Max(b.Sub(total, taken), b.number_like(0, x)));
  const ir::Dim rows = x->dim(0);
  return row || (rows.is_known() && rows.value() == 1) ? b.Squeeze(result, {0, 1}) : result;
}

Value* cov(Call& c) {
  return covariance(c.b, c.promoted_float({"self"})[0], static_cast<double>(c.integer("correction")),
                    c.maybe_tensor("fweights"), c.maybe_tensor("aweights"));
}

// aten::corrcoef(Tensor self) -> Tensor
Value* corrcoef(Call& c) {
  ir::Builder& b = c.b;
  Value* result = covariance(b, c.promoted_float({"self"})[0], 1, nullptr, nullptr);
  if (result->rank() == 0) return b.Div(result, result);
  Value* size = b.dim_scalar(result, 0);
  Value* places = b.Unsqueeze(b.op("Range", {b.i64(0), size, b.i64(1)}), {1});
  Value* deviations = b.Sqrt(b.op("GatherElements", {result, places}, {{"axis", 1}}));
  result = b.Div(b.Div(result, deviations), b.Transpose(deviations, {1, 0}));
  return b.Clip(result, b.number_like(-1, result), b.number_like(1, result));
}

}  // namespace

void register_distance(OpTable& t) {
  t.add("aten::cdist(Tensor x1, Tensor x2, float p=2, int? compute_mode=None) -> Tensor", cdist);
  t.add("aten::_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor", cdist);
  t.add("aten::pdist(Tensor self, float p=2) -> Tensor", pdist);
  t.add("aten::_pdist_forward(Tensor self, float p=2) -> Tensor", pdist);
  t.add("aten::pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False) -> Tensor",
        pairwise_distance);
  t.add("aten::dist(Tensor self, Tensor other, Scalar p=2) -> Tensor", dist);
  t.add("aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor", cosine_similarity);
  t.add("aten::renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor", renorm);
  t.add("aten::embedding_renorm(Tensor self, Tensor indices, float max_norm, float norm_type) -> Tensor",
        embedding_renorm);
  t.add("aten::cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor", cov);
  t.add("aten::corrcoef(Tensor self) -> Tensor", corrcoef);
}

}  // namespace onward::importer::torch
