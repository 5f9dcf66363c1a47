// Putting elements at indices along one dimension, or over a part of a tensor: scatter, index_add, select_scatter …
#include <algorithm>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// --- along an axis ---------------------------------------------------------------------------------------------------

struct Scatter {
  Value* x;
  Value* index;   // of the source's shape
  Value* source;  // of x's dtype
  int64_t axis;
};

// Rank 0 counts as rank 1.
Value* scattered(ir::Builder& b, const Scatter& s, const std::string& reduction) {
  if (s.x->rank() == 0) {
    const Scatter flat{b.Unsqueeze(s.x, {0}), b.Reshape(s.index, {-1}), b.Reshape(s.source, {-1}), 0};
    return b.Reshape(scattered(b, flat, reduction), b.ints({}));
  }
  // No kernel reduces bools or half floats.
  const DType dtype = s.x->dtype;
  const bool narrow = reduction != "none" && (dtype == DType::kBool || dtype == DType::kFloat16 ||
                                              dtype == DType::kBFloat16 || ir::dtype_bits(dtype) < 32);
  const DType wide = !narrow ? dtype : ir::is_floating(dtype) ? DType::kFloat : DType::kInt32;
  Value* index = s.index->dtype == DType::kInt32 ? s.index : b.Cast(s.index, DType::kInt64);
  Value* result = b.op("ScatterElements", {b.Cast(s.x, wide), index, b.Cast(s.source, wide)},
                       {{"axis", s.axis}, {"reduction", reduction}});
  return b.Cast(result, dtype);
}

// What changes nothing when reduced with, exactly.
Value* identity_of(ir::Builder& b, const std::string& reduction, DType dtype) {
  const bool max = reduction == "max";
  if (reduction == "add" || reduction == "mul") return b.number(reduction == "mul" ? 1 : 0, dtype);
  if (ir::is_floating(dtype)) {
    const double infinity = std::numeric_limits<double>::infinity();
    return b.number(max ? -infinity : infinity, dtype);
  }
  if (dtype == DType::kBool) return b.boolean(!max);
  const size_t bits = ir::dtype_bits(dtype);
  int64_t top = std::numeric_limits<int64_t>::max() >> (64 - bits);
  int64_t bottom = -top - 1;
  if (ir::is_unsigned_integer(dtype)) {
    top = bits < 64 ? (int64_t{1} << bits) - 1 : -1;
    bottom = 0;
  }
  return b.constant(ir::Tensor::from_ints(dtype, {}, {max ? bottom : top}));
}

Value* filled_like(ir::Builder& b, Value* x, double value, DType dtype) {
  return b.Expand(b.number(value, dtype), b.Shape(x));
}

// With x's own elements counting only where include_self says so.
Value* reduced(ir::Builder& b, Scatter s, const std::string& reduction, bool include_self) {
  const bool mean = reduction == "mean";
  const std::string onnx = mean ? "add" : reduction;
  Value* x = s.x;
  if (!include_self) {
    Value* identity = identity_of(b, onnx, x->dtype);
    s.x = scattered(b, {x, s.index, b.Expand(identity, b.Shape(s.index)), s.axis}, "none");
  }
  Value* result = scattered(b, s, onnx);
  if (!mean) return result;
  Value* ones = filled_like(b, s.index, 1, DType::kInt64);
  Value* start = filled_like(b, x, include_self ? 1 : 0, DType::kInt64);
  Value* count = b.Cast(b.Max(scattered(b, {start, s.index, ones, s.axis}, "add"), b.i64(1)), x->dtype);
  if (ir::is_floating(x->dtype)) return b.Div(result, count);
  return b.Div(b.Sub(result, b.Mod(result, count)), count);
}

std::string onnx_reduction(Call& c) {
  const std::string reduce = c.text("reduce");
  if (reduce == "add" || reduce == "sum") return "add";
  if (reduce == "multiply" || reduce == "prod") return "mul";
  if (reduce == "amax") return "max";
  if (reduce == "amin") return "min";
  if (reduce == "mean") return "mean";
  c.fail("the reduction \"" + reduce + "\" is unknown");
}

// Only as much of the source as there are indices counts.
Value* source_of(Call& c, std::string_view name) {
  Value* source = c.b.Cast(c.tensor(name), c.tensor("self")->dtype);
  const Value* index = c.tensor("index");
  if (!source->shape || !index->shape || source->shape->size() != index->shape->size()) return source;
  bool same = true;
  for (size_t i = 0; i < source->shape->size(); ++i) same = same && (*source->shape)[i].same((*index->shape)[i]);
  if (same || source->shape->empty()) return source;
  const std::vector<int64_t> axes = all_axes(source->shape->size());
  return c.b.Slice(source, c.b.ints(std::vector<int64_t>(axes.size(), 0)), c.b.Shape(c.tensor("index")),
                   c.b.ints(axes));
}

// aten::scatter.*(Tensor self, int dim, Tensor index, Tensor src | Scalar value, *, str reduce)
Scatter scatter_of(Call& c) {
  Value* x = c.tensor("self");
  Value* index = c.tensor("index");
  Value* source = c.has("src") ? source_of(c, "src") : c.b.Expand(c.scalar("value", x->dtype), c.b.Shape(index));
  return {x, index, source, c.axis("dim", x->rank())};
}
Value* scatter(Call& c) { return scattered(c.b, scatter_of(c), "none"); }
Value* scatter_add(Call& c) { return scattered(c.b, scatter_of(c), "add"); }
Value* scatter_reduce(Call& c) {
  return reduced(c.b, scatter_of(c), onnx_reduction(c), !c.has("include_self") || c.flag("include_self"));
}

// A vector of indices for whole slices.
Scatter slices_of(Call& c, Value* source) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const int64_t axis = c.axis("dim", x->rank());
  Value* index = b.Cast(at_least_1d(b, c.tensor("index")), DType::kInt64);
  if (x->rank() == 0) return {x, index, source, 0};
  ir::Values dims;
  for (size_t i = 0; i < x->rank(); ++i) {
    const auto at = static_cast<int64_t>(i);
    dims.push_back(at == axis ? b.dim(index, 0) : b.dim(x, at));
  }
  Value* shape = b.Concat(dims, 0);
  if (source->rank() < x->rank() && source->rank() > 0) source = b.Unsqueeze(source, {axis});
  return {x, b.Expand(along(b, index, axis, x->rank()), shape), b.Expand(b.Cast(source, x->dtype), shape), axis};
}
Value* index_add(Call& c) {
  Value* x = c.tensor("self");
  Value* source = c.b.Cast(c.tensor("source"), x->dtype);
  const bool plain = !c.has("alpha") || (c.known("alpha") && c.number("alpha") == 1);
  if (!plain) source = c.b.Mul(source, c.scalar("alpha", x->dtype));
  return scattered(c.b, slices_of(c, source), "add");
}
Value* index_copy(Call& c) { return scattered(c.b, slices_of(c, c.tensor("source")), "none"); }
Value* index_fill(Call& c) {
  Value* x = c.tensor("self");
  Value* value = c.arg("value").is_tensor() ? c.b.Cast(c.tensor("value"), x->dtype) : c.scalar("value", x->dtype);
  return scattered(c.b, slices_of(c, value), "none");
}
Value* index_reduce(Call& c) {
  return reduced(c.b, slices_of(c, c.tensor("source")), onnx_reduction(c), c.flag("include_self"));
}

// Counted over the flattened tensor.
Value* put(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const Scatter flat{b.Reshape(x, {-1}), b.Reshape(c.tensor("index"), {-1}),
                     b.Cast(b.Reshape(c.tensor("source"), {-1}), x->dtype), 0};
  return b.Reshape(scattered(b, flat, c.flag("accumulate") ? "add" : "none"), b.Shape(x));
}

// --- over a part -----------------------------------------------------------------------------------------------------

// x with x[…, places, …] = source, `places` a vector along the axis.
Value* put_slices(ir::Builder& b, Value* x, Value* places, Value* source, int64_t axis) {
  Value* moved = move_axis(b, x, axis, 0);
  Value* result = b.op("ScatterND", {moved, b.Unsqueeze(places, {1}), move_axis(b, source, axis, 0)});
  return move_axis(b, result, 0, axis);
}
Value* select_scatter(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const int64_t axis = c.axis("dim", x->rank());
  Value* source = b.Unsqueeze(b.Cast(c.tensor("src"), x->dtype), {axis});
  return put_slices(b, x, b.Unsqueeze(c.int_scalar("index"), {0}), source, axis);
}
// The positions that x[start:end:step] names.
Value* slice_places(Call& c, Value* x, int64_t axis) {
  ir::Builder& b = c.b;
  Value* all = counting(b, b.dim(x, axis));
  Value* start = c.given("start") ? b.Unsqueeze(c.int_scalar("start"), {0}) : b.ints({0});
  Value* end = c.given("end") ? b.Unsqueeze(c.int_scalar("end"), {0}) : b.ints({kToEnd});
  return b.Slice(all, start, end, b.ints({0}), b.Unsqueeze(c.int_scalar("step"), {0}));
}
Value* slice_scatter(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const int64_t axis = c.axis("dim", x->rank());
  Value* places = slice_places(c, x, axis);
  Value* shape =
      b.Concat({b.Slice(b.Shape(x), 0, axis, 0), b.dim(places, 0), b.Slice(b.Shape(x), axis + 1, kToEnd, 0)}, 0);
  return put_slices(b, x, places, b.Expand(b.Cast(c.tensor("src"), x->dtype), shape), axis);
}

}  // namespace

void register_scatter(OpTable& t) {
  const std::string head = "(Tensor self, int dim, Tensor index, ";
  t.add("aten::scatter.src" + head + "Tensor src) -> Tensor", scatter);
  t.add("aten::scatter.value" + head + "Scalar value) -> Tensor", scatter);
  t.add("aten::scatter.reduce" + head + "Tensor src, *, str reduce) -> Tensor", scatter_reduce);
  t.add("aten::scatter.value_reduce" + head + "Scalar value, *, str reduce) -> Tensor", scatter_reduce);
  t.add("aten::scatter_add" + head + "Tensor src) -> Tensor", scatter_add);
  t.add("aten::scatter_reduce.two" + head + "Tensor src, str reduce, *, bool include_self=True) -> Tensor",
        scatter_reduce);
  t.add("aten::index_add" + head + "Tensor source, *, Scalar alpha=1) -> Tensor", index_add);
  t.add("aten::index_copy" + head + "Tensor source) -> Tensor", index_copy);
  t.add("aten::index_fill.int_Scalar" + head + "Scalar value) -> Tensor", index_fill);
  t.add("aten::index_fill.int_Tensor" + head + "Tensor value) -> Tensor", index_fill);
  t.add("aten::index_reduce" + head + "Tensor source, str reduce, *, bool include_self=True) -> Tensor", index_reduce);
  t.add("aten::put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor", put);
  t.add("aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor", select_scatter);
  t.add(
      "aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> "
      "Tensor",
      slice_scatter);
}

}  // namespace onward::importer::torch
