// Order: sort, topk, flip, roll, unique …
#include <limits>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::Value;

ir::Values sorted(Call& c, Value* x, int64_t axis, bool descending) {
  ir::Builder& b = c.b;
  if (x->rank() == 0) return {x, b.i64(0)};
  return b.ops("TopK", {x, b.dim(x, axis)}, 2, {{"axis", axis}, {"largest", descending}, {"sorted", true}});
}
int64_t sort_axis(Call& c) { return c.axis("dim", c.tensor("self")->rank()); }
ir::Values sort(Call& c) { return sorted(c, c.tensor("self"), sort_axis(c), c.flag("descending")); }
Value* argsort(Call& c) { return sort(c)[1]; }
Value* msort(Call& c) { return sorted(c, c.tensor("self"), 0, false)[0]; }

// aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)
ir::Values topk(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  if (x->rank() == 0) return {x, b.i64(0)};
  return b.ops("TopK", {x, b.Unsqueeze(c.int_scalar("k"), {0})}, 2,
               {{"axis", c.axis("dim", x->rank())}, {"largest", c.flag("largest")}, {"sorted", c.flag("sorted")}});
}

Value* flip(Call& c) { return flipped(c.b, c.tensor("self"), c.axes("dims", c.tensor("self")->rank())); }
Value* fliplr(Call& c) { return flipped(c.b, c.tensor("self"), {1}); }
Value* flipud(Call& c) { return flipped(c.b, c.tensor("self"), {0}); }

Value* rolled(Call& c, Value* x, Value* shift, int64_t axis) {
  ir::Builder& b = c.b;
  // The last `shift mod size` elements come first.
  Value* size = b.dim(x, axis);
  Value* cut = b.Sub(size, b.Mod(shift, size));
  Value* axes = b.ints({axis});
  Value* tail = b.Slice(x, cut, b.ints({std::numeric_limits<int64_t>::max()}), axes);
  return b.Concat({tail, b.Slice(x, b.ints({0}), cut, axes)}, axis);
}
Value* roll(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* shifts = c.int_vector("shifts");
  if (c.arg("dims").list() == nullptr || c.arg("dims").list()->empty()) {
    return b.Reshape(rolled(c, b.Reshape(x, {-1}), shifts, 0), b.Shape(x));
  }
  const std::vector<int64_t> axes = c.axes("dims", x->rank());
  for (size_t i = 0; i < axes.size(); ++i) {
    x = rolled(c, x, b.Slice(shifts, static_cast<int64_t>(i), static_cast<int64_t>(i) + 1, 0), axes[i]);
  }
  return x;
}

}  // namespace

void register_sorting(OpTable& t) {
  t.add("aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)", sort);
  t.add(
      "aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor "
      "indices)",
      sort);
  t.add("aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor", argsort);
  t.add("aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor", argsort);
  t.add("aten::msort(Tensor self) -> Tensor", msort);
  t.add(
      "aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor "
      "indices)",
      topk);
  t.add("aten::flip(Tensor self, int[] dims) -> Tensor", flip);
  t.add("aten::fliplr(Tensor self) -> Tensor", fliplr);
  t.add("aten::flipud(Tensor self) -> Tensor", flipud);
  t.add("aten::roll(Tensor self, SymInt[] shifts, int[] dims=[]) -> Tensor", roll);
}

}  // namespace onward::importer::torch
