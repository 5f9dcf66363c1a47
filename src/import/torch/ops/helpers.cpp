#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {

using ir::DType;
using ir::Value;

Value* at_least_1d(ir::Builder& b, Value* x) { return x->rank() == 0 ? b.Unsqueeze(x, {0}) : x; }

Value* count_along(ir::Builder& b, Value* x, const std::vector<int64_t>& axes) {
  if (axes.empty()) return b.Size(x);
  ir::Values dims;
  for (const int64_t axis : axes) dims.push_back(b.dim(x, axis));
  return dims.size() == 1 ? b.Squeeze(dims[0], {0}) : b.ReduceProd(b.Concat(dims, 0), {}, false);
}

Value* without_nan(ir::Builder& b, Value* x, double value) {
  if (!ir::is_floating(x->dtype)) return x;
  return b.Where(b.IsNaN(x), b.number_like(value, x), x);
}

bool is_size(const Value* x, size_t axis, int64_t size) {
  return x->shape && axis < x->shape->size() && (*x->shape)[axis].is_known() && (*x->shape)[axis].value() == size;
}

size_t spatial_rank(const Call& c) {
  for (const char letter : c.signature().name) {
    if (letter >= '1' && letter <= '3') return static_cast<size_t>(letter - '0');
  }
  return 2;
}

Value* reduced_loss(Call& c, Value* loss) {
  const int64_t reduction = c.integer("reduction");
  if (reduction == 0) return loss;
  if (loss->shape && loss->shape->empty()) return loss;
  if (reduction == 1 && !ir::is_floating(loss->dtype)) loss = c.b.Cast(loss, DType::kFloat);
  return reduction == 1 ? c.b.ReduceMean(loss, {}, false) : c.b.ReduceSum(loss, {}, false);
}

Value* matrix_of(Call& c) { return c.tensor(c.has("A") ? "A" : c.has("self") ? "self" : "input"); }
Value* no_error(Call& c, Value* a) { return c.b.Fill(c.b.Slice(c.b.Shape(a), 0, -2, 0), 0, DType::kInt32); }

}  // namespace onward::importer::torch
