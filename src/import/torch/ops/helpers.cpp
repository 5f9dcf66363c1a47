#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {

using ir::DType;
using ir::Value;

Value* at_least_1d(ir::Builder& b, Value* x) { return x->rank() == 0 ? b.Unsqueeze(x, {0}) : x; }

Value* along(ir::Builder& b, Value* vector, int64_t axis, size_t rank) {
  std::vector<int64_t> shape(rank, 1);
  shape.at(static_cast<size_t>(axis)) = -1;
  return rank == 1 ? vector : b.Reshape(vector, shape);
}

Value* count_along(ir::Builder& b, Value* x, const std::vector<int64_t>& axes) {
  if (axes.empty()) return b.Size(x);
  ir::Values dims;
  for (const int64_t axis : axes) dims.push_back(b.dim(x, axis));
  return dims.size() == 1 ? b.Squeeze(dims[0], {0}) : b.ReduceProd(b.Concat(dims, 0), {}, false);
}

Value* truncated(ir::Builder& b, Value* x) {
  if (!ir::is_floating(x->dtype)) return x;
  return b.Where(b.Less(x, b.number_like(0, x)), b.Ceil(x), b.Floor(x));
}

Value* without_nan(ir::Builder& b, Value* x, double value) {
  if (!ir::is_floating(x->dtype)) return x;
  return b.Where(b.IsNaN(x), b.number_like(value, x), x);
}

// A long one as powers times coefficients: four nodes instead of two for each coefficient.
Value* polynomial(ir::Builder& b, Value* x, const std::vector<double>& coefficients) {
  if (coefficients.size() > 4) {
    std::vector<double> powers;
    for (size_t i = coefficients.size(); i-- > 0;) powers.push_back(static_cast<double>(i));
    Value* terms = b.Mul(b.Pow(b.Unsqueeze(x, {-1}), vector(b, powers, x->dtype)), vector(b, coefficients, x->dtype));
    return b.ReduceSum(terms, {-1}, false);
  }
  Value* sum = b.number_like(coefficients.at(0), x);
  for (size_t i = 1; i < coefficients.size(); ++i) sum = b.Add(b.Mul(sum, x), coefficients[i]);
  return sum;
}

Value* vector(ir::Builder& b, const std::vector<double>& values, DType dtype) {
  return b.constant(ir::Tensor::from_doubles(dtype, {static_cast<int64_t>(values.size())}, values));
}

Value* broadcast_shape(ir::Builder& b, const ir::Values& tensors) {
  Value* all = nullptr;
  for (Value* tensor : tensors) {
    Value* there = b.Expand(b.boolean(true), b.Shape(tensor));
    all = all == nullptr ? there : b.And(all, there);
  }
  return b.Shape(all);
}

bool is_size(const Value* x, size_t axis, int64_t size) {
  return x->shape && axis < x->shape->size() && (*x->shape)[axis].is_known() && (*x->shape)[axis].value() == size;
}

Value* reduced_loss(Call& c, Value* loss) {
  const int64_t reduction = c.integer("reduction");
  if (reduction == 0) return loss;
  if (loss->shape && loss->shape->empty()) return loss;
  return reduction == 1 ? c.b.ReduceMean(loss, {}, false) : c.b.ReduceSum(loss, {}, false);
}

Value* matrix_of(Call& c) { return c.tensor(c.has("A") ? "A" : c.has("self") ? "self" : "input"); }
Value* no_error(Call& c, Value* a) { return c.b.Fill(c.b.Slice(c.b.Shape(a), 0, -2, 0), 0, DType::kInt32); }

}  // namespace onward::importer::torch
