// Tensors made of nothing: zeros, full, arange, eye, tril …
#include <algorithm>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

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

// From both ends, as PyTorch does, so that the last value is exact.
Value* spaced(Call& c, DType dtype) {
  ir::Builder& b = c.b;
  const int64_t steps = c.integer("steps");
  if (c.known("start") && c.known("end")) {
    const double start = c.number("start");
    const double end = c.number("end");
    const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
    std::vector<double> values;
    for (int64_t i = 0; i < steps; ++i) {
      values.push_back(i < steps / 2 || steps == 1 ? start + step * static_cast<double>(i)
                                                   : end - step * static_cast<double>(steps - 1 - i));
    }
    return b.constant(ir::Tensor::from_doubles(dtype, {steps}, values));
  }
  std::vector<double> from_start;
  std::vector<double> from_end;
  for (int64_t i = 0; i < steps; ++i) {
    const bool first_half = i < steps / 2 || steps == 1;
    from_start.push_back(first_half ? static_cast<double>(i) : 0);
    from_end.push_back(first_half ? 0 : static_cast<double>(steps - 1 - i));
  }
  std::vector<double> second;
  for (int64_t i = 0; i < steps; ++i) second.push_back(i < steps / 2 || steps == 1 ? 0 : 1);
  Value* start = b.Reshape(c.scalar("start", dtype), {1});
  Value* end = b.Reshape(c.scalar("end", dtype), {1});
  Value* step = b.Div(b.Sub(end, start), static_cast<double>(std::max<int64_t>(steps - 1, 1)));
  Value* rising = b.Add(start, b.Mul(step, vector_of(b, from_start, dtype)));
  Value* falling = b.Sub(end, b.Mul(step, vector_of(b, from_end, dtype)));
  return b.Where(b.Cast(vector_of(b, second, dtype), DType::kBool), falling, rising);
}
Value* linspace(Call& c) {
  const DType dtype = c.dtype().value_or(DType::kFloat);
  const bool whole = !ir::is_floating(dtype);
  return c.b.Cast(spaced(c, whole || dtype == DType::kFloat16 ? DType::kDouble : dtype), dtype);
}
Value* logspace(Call& c) {
  const DType dtype = c.dtype().value_or(DType::kFloat);
  Value* exponents = spaced(c, DType::kDouble);
  return c.b.Cast(c.b.Pow(c.b.number(c.number("base"), DType::kDouble), exponents), dtype);
}

// aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor: as large as self.
Value* copy(Call& c) {
  Value* x = c.tensor("self");
  return c.b.Expand(c.b.Cast(c.tensor("src"), x->dtype), c.b.Shape(x));
}
Value* fill(Call& c) {
  Value* x = c.tensor("self");
  Value* value = c.arg("value").is_tensor() ? c.b.Cast(c.tensor("value"), x->dtype) : c.scalar("value", x->dtype);
  return filled(c, c.b.Shape(x), value);
}
Value* scalar_tensor(Call& c) { return c.b.Identity(c.scalar("s", c.dtype().value_or(default_dtype(c.arg("s"))))); }
Value* item(Call& c) { return c.b.Reshape(c.tensor("self"), c.b.ints({})); }

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
  for (const char* bounds : {"(Scalar start, Scalar end", ".Tensor_Tensor(Tensor start, Tensor end",
                             ".Tensor_Scalar(Tensor start, Scalar end", ".Scalar_Tensor(Scalar start, Tensor end"}) {
    t.add("aten::linspace" + std::string(bounds) + ", int steps" + end, linspace);
    t.add("aten::logspace" + std::string(bounds) + ", int steps, float base=10.0" + end, logspace);
  }
  t.add("aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor", copy);
  t.add("aten::fill.Scalar(Tensor self, Scalar value) -> Tensor", fill);
  t.add("aten::fill.Tensor(Tensor self, Tensor value) -> Tensor", fill);
  t.add("aten::zero(Tensor self) -> Tensor",
        [](Call& c) { return c.b.Fill(c.b.Shape(c.tensor("self")), 0, c.tensor("self")->dtype); });
  t.add("aten::scalar_tensor(Scalar s" + end, scalar_tensor);
  t.add("aten::item(Tensor self) -> Scalar", item);
  t.add("aten::_local_scalar_dense(Tensor self) -> Scalar", item);
  t.add("aten::empty_permuted(SymInt[] size, int[] physical_layout" + end, constant_of_size<0>);
  t.add("aten::empty_strided(SymInt[] size, SymInt[] stride" + end, constant_of_size<0>);
  t.add("aten::new_empty_strided(Tensor self, SymInt[] size, SymInt[] stride" + end, new_constant<0>);
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
