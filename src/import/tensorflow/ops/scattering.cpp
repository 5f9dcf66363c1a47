// Writing into tensors and variables at indices.
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// What ScatterElements can combine.
Value* combined(Call& c, Value* data, Value* indices, Value* updates, const char* reduction) {
  ir::Builder& b = c.b;
  const DType dtype = data->dtype;
  if (dtype == DType::kString || std::string_view(reduction) == "none") {
    return scatter(b, data, indices, updates, "none");
  }
  const DType wide = arithmetic_dtype(dtype);
  return b.Cast(scatter(b, b.Cast(data, wide), indices, b.Cast(updates, wide), reduction), dtype);
}

// ScatterNd(indices: Tindices, updates: T, shape: Tindices) -> output: repeated indices add up
Value* scatter_nd(Call& c) {
  ir::Builder& b = c.b;
  Value* updates = c.input(1);
  Value* shape = as_vector(b, c.input(2));
  if (updates->dtype == DType::kString) {
    Value* blank = b.constant(ir::Tensor::of_strings({}, {""}));
    return combined(c, b.Expand(blank, shape), c.input(0), updates, "none");
  }
  return combined(c, b.Fill(shape, 0, updates->dtype), c.input(0), updates, "add");
}

Value* negated(ir::Builder& b, Value* x) {
  const DType wide = arithmetic_dtype(x->dtype);
  return b.Cast(b.Neg(b.Cast(x, wide)), x->dtype);
}

// `data` with `updates` in the rows or at the points that `indices` names.
using Change = Value* (*)(Call&, Value* data, Value* indices, Value* updates);

Value* set(Call& c, Value* data, Value* indices, Value* updates) { return combined(c, data, indices, updates, "none"); }
Value* add(Call& c, Value* data, Value* indices, Value* updates) { return combined(c, data, indices, updates, "add"); }
Value* subtract(Call& c, Value* data, Value* indices, Value* updates) {
  return combined(c, data, indices, negated(c.b, updates), "add");
}
Value* multiply(Call& c, Value* data, Value* indices, Value* updates) {
  return combined(c, data, indices, updates, "mul");
}
Value* divide(Call& c, Value* data, Value* indices, Value* updates) {
  c.require(ir::is_floating(data->dtype), "integers cannot be divided in place");
  return combined(c, data, indices, c.b.Reciprocal(updates), "mul");
}
Value* most(Call& c, Value* data, Value* indices, Value* updates) { return combined(c, data, indices, updates, "max"); }
Value* least(Call& c, Value* data, Value* indices, Value* updates) {
  return combined(c, data, indices, updates, "min");
}

// TensorScatterUpdate(tensor: T, indices: Tindices, updates: T) -> output
template <Change F>
Value* in_tensor(Call& c) {
  return F(c, c.input(0), c.input(1), c.input(2));
}

// ResourceScatterNdUpdate(ref, indices: Tindices, updates: T)
template <Change F>
Items at_points(Call& c) {
  const Resource& variable = c.resource(0);
  Value* old = c.tensor_of(variable_content(c, variable), "the variable");
  c.state().variables[&variable] = F(c, old, c.input(1), c.input(2));
  return {};
}

// ResourceScatterUpdate(resource, indices: Tindices, updates: dtype): whole rows; `updates` may be one number
template <Change F>
Items in_rows(Call& c) {
  ir::Builder& b = c.b;
  const Resource& variable = c.resource(0);
  Value* old = c.tensor_of(variable_content(c, variable), "the variable");
  Value* indices = b.Cast(c.input(1), DType::kInt64);
  Value* shape = b.Concat({b.Shape(indices), dims(b, old, 1)}, 0);
  c.state().variables[&variable] = F(c, old, b.Unsqueeze(indices, {-1}), b.Expand(c.input(2), shape));
  return {};
}

// The same on a v1 reference, which is the result.
template <TranslateItems F>
Items of_reference(Call& c) {
  F(c);
  return {c.item(0)};
}

template <Change F>
void add_changes(OpTable& t, const std::string& what) {
  t.effect("ResourceScatter" + what, in_rows<F>);
  t.effect("Scatter" + what, of_reference<in_rows<F>>);
}
template <Change F>
void add_changes_nd(OpTable& t, const std::string& what) {
  t.add("TensorScatter" + what, in_tensor<F>);
  t.effect("ResourceScatterNd" + what, at_points<F>);
  t.effect("ScatterNd" + what, of_reference<at_points<F>>);
}

// InplaceUpdate(x: T, i: int32, v: T) -> y: the rows i of x, which the graph does not change itself
template <Value* (*Combine)(Call&, Value*, Value*)>
Value* in_place(Call& c) {
  ir::Builder& b = c.b;
  Value* rows = b.Unsqueeze(as_vector(b, c.input(1)), {-1});
  return Combine(c, rows, c.input(2));
}
Value* update_rows(Call& c, Value* rows, Value* v) { return scatter(c.b, c.input(0), rows, v, "none"); }
Value* add_rows(Call& c, Value* rows, Value* v) { return scatter(c.b, c.input(0), rows, v, "add"); }
Value* subtract_rows(Call& c, Value* rows, Value* v) { return scatter(c.b, c.input(0), rows, c.b.Neg(v), "add"); }

}  // namespace

void register_scattering(OpTable& t) {
  t.add("InplaceUpdate", in_place<update_rows>);
  t.add("InplaceAdd", in_place<add_rows>);
  t.add("InplaceSub", in_place<subtract_rows>);
  t.add("ScatterNd", scatter_nd);
  t.add("ScatterNdNonAliasingAdd", in_tensor<add>);
  add_changes_nd<set>(t, "Update");
  add_changes_nd<add>(t, "Add");
  add_changes_nd<subtract>(t, "Sub");
  add_changes_nd<most>(t, "Max");
  add_changes_nd<least>(t, "Min");
  add_changes<set>(t, "Update");
  add_changes<add>(t, "Add");
  add_changes<subtract>(t, "Sub");
  add_changes<multiply>(t, "Mul");
  add_changes<divide>(t, "Div");
  add_changes<most>(t, "Max");
  add_changes<least>(t, "Min");
}

}  // namespace onward::importer::tf
