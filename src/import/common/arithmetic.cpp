#include "import/common/arithmetic.h"

namespace onward::importer {

using ir::DType;
using ir::Value;

Value* vector_of(ir::Builder& b, const std::vector<double>& values, DType dtype) {
  return b.constant(ir::Tensor::from_doubles(dtype, {static_cast<int64_t>(values.size())}, values));
}

// A long one as powers times coefficients: four nodes instead of two for each coefficient.
Value* polynomial(ir::Builder& b, Value* x, const std::vector<double>& coefficients) {
  if (coefficients.size() > 4) {
    std::vector<double> powers;
    for (size_t i = coefficients.size(); i-- > 0;) powers.push_back(static_cast<double>(i));
    Value* terms =
        b.Mul(b.Pow(b.Unsqueeze(x, {-1}), vector_of(b, powers, x->dtype)), vector_of(b, coefficients, x->dtype));
    return b.ReduceSum(terms, {-1}, false);
  }
  Value* sum = b.number_like(coefficients.at(0), x);
  for (size_t i = 1; i < coefficients.size(); ++i) sum = b.Add(b.Mul(sum, x), coefficients[i]);
  return sum;
}

Value* truncated(ir::Builder& b, Value* x) {
  if (!ir::is_floating(x->dtype)) return x;
  return b.Where(b.Less(x, b.number_like(0, x)), b.Ceil(x), b.Floor(x));
}

Value* broadcast_shape(ir::Builder& b, const ir::Values& tensors) {
  Value* all = nullptr;
  for (Value* tensor : tensors) {
    Value* there = b.Expand(b.boolean(true), b.Shape(tensor));
    all = all == nullptr ? there : b.And(all, there);
  }
  return b.Shape(all);
}

}  // namespace onward::importer
