// Tensors made of nothing: zeros, full, arange, eye, tril …
#include <cmath>

#include "import/torch/ops/families.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

Value* filled(Call& c, Value* shape, Value* number) {
  if (number->is_constant()) return c.b.Fill(shape, number->constant()->as_double(), number->dtype);
  return c.b.Expand(number, shape);
}

// dtype of a tensor made of a number: PyTorch's default for its kind.
DType default_dtype(const Arg& number) {
  if (number.is_bool()) return DType::kBool;
  return number.is_int() ? DType::kInt64 : DType::kFloat;
}

template <int Number>
Value* constant_of_size(Call& c) {
  const DType dtype = c.dtype().value_or(DType::kFloat);
  return c.b.Fill(c.int_vector("size"), Number, dtype);
}
Value* full(Call& c) {
  const DType dtype = c.dtype().value_or(default_dtype(c.arg("fill_value")));
  return filled(c, c.int_vector("size"), c.scalar("fill_value", dtype));
}

template <int Number>
Value* like(Call& c) {
  Value* x = c.tensor("self");
  return c.b.Fill(c.b.Shape(x), Number, c.dtype().value_or(x->dtype));
}
Value* full_like(Call& c) {
  Value* x = c.tensor("self");
  return filled(c, c.b.Shape(x), c.scalar("fill_value", c.dtype().value_or(x->dtype)));
}

template <int Number>
Value* new_constant(Call& c) {
  return c.b.Fill(c.int_vector("size"), Number, c.dtype().value_or(c.tensor("self")->dtype));
}
Value* new_full(Call& c) {
  return filled(c, c.int_vector("size"), c.scalar("fill_value", c.dtype().value_or(c.tensor("self")->dtype)));
}

// aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, …)
Value* arange(Call& c) {
  const bool has_start = c.signature().find("start") != nullptr;
  const bool has_step = c.signature().find("step") != nullptr;
  bool integer = c.arg("end").is_int();
  if (has_start) integer = integer && c.arg("start").is_int();
  if (has_step) integer = integer && c.arg("step").is_int();
  const DType dtype = c.dtype().value_or(integer ? DType::kInt64 : DType::kFloat);
  // Counted in int64 or double, so that fractions fall as PyTorch's do.
  const DType wide = integer ? DType::kInt64 : DType::kDouble;
  Value* start = has_start ? c.scalar("start", wide) : c.b.number(0, wide);
  Value* step = has_step ? c.scalar("step", wide) : c.b.number(1, wide);
  return c.b.Cast(c.b.Range(start, c.scalar("end", wide), step), dtype);
}

Value* linspace(Call& c) {
  const DType dtype = c.dtype().value_or(DType::kFloat);
  const int64_t steps = c.integer("steps");
  const double start = c.number("start");
  const double end = c.number("end");
  const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
  std::vector<double> values;
  for (int64_t i = 0; i < steps; ++i) {
    // From both ends, as PyTorch does, so that the last value is exact.
    values.push_back(i < steps / 2 ? start + step * static_cast<double>(i)
                                   : end - step * static_cast<double>(steps - 1 - i));
  }
  return c.b.constant(ir::Tensor::from_doubles(dtype, {steps}, values));
}
Value* logspace(Call& c) {
  const DType dtype = c.dtype().value_or(DType::kFloat);
  const int64_t steps = c.integer("steps");
  const double step = steps > 1 ? (c.number("end") - c.number("start")) / static_cast<double>(steps - 1) : 0;
  std::vector<double> values;
  for (int64_t i = 0; i < steps; ++i)
    values.push_back(std::pow(c.number("base"), c.number("start") + step * static_cast<double>(i)));
  return c.b.constant(ir::Tensor::from_doubles(dtype, {steps}, values));
}

Value* eye(Call& c) {
  const DType dtype = c.dtype().value_or(DType::kFloat);
  Value* rows = c.int_scalar("n");
  Value* columns = c.signature().find("m") != nullptr ? c.int_scalar("m") : rows;
  Value* zeros = c.b.Fill(c.b.join({rows, columns}), 0, DType::kFloat);
  return c.b.Cast(c.b.op("EyeLike", {zeros}, {{"dtype", DType::kFloat}}), dtype);
}

template <bool Upper>
Value* triangle(Call& c) {
  Value* x = c.tensor("self");
  const bool plain = c.known("diagonal") && c.integer("diagonal") == 0;
  return c.b.op("Trilu", {x, plain ? nullptr : c.int_scalar("diagonal")}, {{"upper", Upper}});
}

template <bool Upper>
Value* triangle_indices(Call& c) {
  const int64_t rows = c.integer("row");
  const int64_t columns = c.integer("col");
  const int64_t offset = c.integer("offset");
  std::vector<int64_t> row_of;
  std::vector<int64_t> column_of;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      if (Upper ? j - i < offset : j - i > offset) continue;
      row_of.push_back(i);
      column_of.push_back(j);
    }
  }
  const auto count = static_cast<int64_t>(row_of.size());
  row_of.insert(row_of.end(), column_of.begin(), column_of.end());
  return c.b.constant(ir::Tensor::from_ints(c.dtype().value_or(DType::kInt64), {2, count}, row_of));
}

constexpr const char* kOptions =
    ", *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None";

}  // namespace

void register_creation(OpTable& t) {
  const std::string options(kOptions);
  const std::string end = options + ") -> Tensor";
  const std::string end_with_format = options + ", MemoryFormat? memory_format=None) -> Tensor";
  t.add("aten::zeros(SymInt[] size" + end, constant_of_size<0>);
  t.add("aten::ones(SymInt[] size" + end, constant_of_size<1>);
  t.add("aten::empty.memory_format(SymInt[] size" + end_with_format, constant_of_size<0>);
  t.add("aten::full(SymInt[] size, Scalar fill_value" + end, full);
  t.add("aten::zeros_like(Tensor self" + end_with_format, like<0>);
  t.add("aten::ones_like(Tensor self" + end_with_format, like<1>);
  t.add("aten::empty_like(Tensor self" + end_with_format, like<0>);
  t.add("aten::full_like(Tensor self, Scalar fill_value" + end_with_format, full_like);
  t.add("aten::new_zeros(Tensor self, SymInt[] size" + end, new_constant<0>);
  t.add("aten::new_ones(Tensor self, SymInt[] size" + end, new_constant<1>);
  t.add("aten::new_empty(Tensor self, SymInt[] size" + end, new_constant<0>);
  t.add("aten::new_full(Tensor self, SymInt[] size, Scalar fill_value" + end, new_full);
  t.add("aten::arange(Scalar end" + end, arange);
  t.add("aten::arange.start(Scalar start, Scalar end" + end, arange);
  t.add("aten::arange.start_step(Scalar start, Scalar end, Scalar step=1" + end, arange);
  // TorchScript's traces give all of them by position.
  const std::string positional = ", ScalarType? dtype, Layout? layout, Device? device, bool? pin_memory) -> Tensor";
  t.add("aten::arange.traced_end(Scalar end" + positional, arange);
  t.add("aten::arange.traced_start(Scalar start, Scalar end" + positional, arange);
  t.add("aten::arange.traced_step(Scalar start, Scalar end, Scalar step" + positional, arange);
  t.add("aten::linspace(Scalar start, Scalar end, int steps" + end, linspace);
  t.add("aten::logspace(Scalar start, Scalar end, int steps, float base=10.0" + end, logspace);
  t.add("aten::eye(SymInt n" + end, eye);
  t.add("aten::eye.m(SymInt n, SymInt m" + end, eye);
  t.add("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor", triangle<false>);
  t.add("aten::triu(Tensor self, SymInt diagonal=0) -> Tensor", triangle<true>);
  const std::string indices_end =
      ", ScalarType? dtype=long, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor";
  t.add("aten::tril_indices(int row, int col, int offset=0, *" + indices_end, triangle_indices<false>);
  t.add("aten::triu_indices(int row, int col, int offset=0, *" + indices_end, triangle_indices<true>);
}

}  // namespace onward::importer::torch
