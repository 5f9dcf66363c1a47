// Complex numbers: making them and taking them apart; which operators of other families take them, and how.
#include "import/common/complex.h"

#include "import/torch/ops/families.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// --- making and taking apart -----------------------------------------------------------------------------------------

// aten::complex(Tensor real, Tensor imag) -> Tensor
Value* make(Call& c) {
  Value* re = c.tensor("real");
  Value* im = c.tensor("imag");
  Value* shape = c.b.Shape(c.b.Add(re, im));
  return join(c.b, {c.b.Expand(re, shape), c.b.Expand(im, shape)});
}
Value* make_polar(Call& c) {
  Complex z = polar(c.b, c.tensor("abs"), c.tensor("angle"));
  return join(c.b, z);
}
Value* real(Call& c) { return c.complex("self").re; }
Value* imaginary_part(Call& c) { return imaginary(c.b, c.complex("self")); }
// The pairs themselves, without the mark.
Value* view_as_real(Call& c) { return c.b.Identity(c.tensor("self")); }
Value* view_as_complex(Call& c) { return as_complex(c.b.Identity(c.tensor("self"))); }
Value* itself(Call& c) { return c.tensor("self"); }

// To another element type; the imaginary part is dropped where that is real.
Value* to_dtype(Call& c, DType dtype) {
  const Complex x = c.complex("self");
  if (dtype == DType::kBool) {
    const Complex zero{c.b.number_like(0, x.re), nullptr};
    return c.b.Not(equal(c.b, x, zero));
  }
  if (!ir::is_complex(dtype)) return c.b.Cast(x.re, dtype);
  if (framework_dtype(c.tensor("self")) == dtype) return c.tensor("self");
  return join(c.b, cast(c.b, x, real_dtype(dtype)));
}
Value* to(Call& c) {
  const DType own = framework_dtype(c.tensor("self"));
  return to_dtype(c, c.has("other") ? framework_dtype(c.tensor("other")) : c.dtype().value_or(own));
}
Value* to_bool(Call& c) { return to_dtype(c, DType::kBool); }
Value* to_complex(Call& c) { return join(c.b, cast(c.b, c.complex("self"), real_dtype(DType::kComplex64))); }
Value* to_complex_double(Call& c) { return join(c.b, cast(c.b, c.complex("self"), DType::kDouble)); }

// --- element by element ----------------------------------------------------------------------------------------------

Complex one(Call& c) {  // as a complex number of at least float
  Complex x = c.complex("self");
  return x;
}

using Function = Complex (*)(ir::Builder&, const Complex&);
template <Function F>
Value* unary(Call& c) {
  return join(c.b, F(c.b, one(c)));
}
using Measure = Value* (*)(ir::Builder&, const Complex&);
template <Measure F>
Value* measured(Call& c) {
  return F(c.b, one(c));
}

using Operation = Complex (*)(ir::Builder&, const Complex&, const Complex&);
template <Operation F>
Value* binary(Call& c) {
  const std::vector<Complex> x = c.promoted_complex({"self", c.has("exponent") ? "exponent" : "other"});
  return join(c.b, F(c.b, x[0], x[1]));
}
// aten::float_power: in double, whatever comes in.
Value* double_power(Call& c) {
  const std::vector<Complex> x = c.promoted_complex({"self", "exponent"});
  return join(c.b, pow(c.b, cast(c.b, x[0], DType::kDouble), cast(c.b, x[1], DType::kDouble)));
}
Complex scale(Call& c, const Complex& x, std::string_view name) {
  if (c.known(name) && !c.arg(name).is_complex() && c.number(name) == 1) return x;
  return mul(c.b, x, cast(c.b, c.complex(name), x.re->dtype));
}
template <Operation F, bool Reversed>
Value* scaled(Call& c) {
  const std::vector<Complex> x = c.promoted_complex({"self", "other"});
  return join(c.b, Reversed ? F(c.b, x[1], scale(c, x[0], "alpha")) : F(c.b, x[0], scale(c, x[1], "alpha")));
}
template <bool Same>
Value* compare(Call& c) {
  const std::vector<Complex> x = c.promoted_complex({"self", "other"});
  Value* same = equal(c.b, x[0], x[1]);
  return Same ? same : c.b.Not(same);
}

Complex log_to(Call& c, double base_log) { return mul(c.b, log(c.b, one(c)), 1 / base_log); }
Value* log2(Call& c) { return join(c.b, log_to(c, 0.6931471805599453)); }
Value* log10(Call& c) { return join(c.b, log_to(c, 2.302585092994046)); }
Value* log1p(Call& c) {
  const Complex x = one(c);
  return join(c.b, log(c.b, {c.b.Add(x.re, 1), x.im}));
}
Value* exp2(Call& c) { return join(c.b, exp(c.b, mul(c.b, one(c), 0.6931471805599453))); }
Value* expm1(Call& c) {
  const Complex e = exp(c.b, one(c));
  return join(c.b, {c.b.Sub(e.re, 1), e.im});
}
Value* rsqrt(Call& c) { return join(c.b, reciprocal(c.b, sqrt(c.b, one(c)))); }
Value* square(Call& c) {
  const Complex x = one(c);
  return join(c.b, mul(c.b, x, x));
}
Value* silu(Call& c) {
  const Complex x = one(c);
  return join(c.b, mul(c.b, x, sigmoid(c.b, x)));
}

Complex plus_one(Call& c, const Complex& x, double sign) {
  return {sign > 0 ? c.b.Add(x.re, 1) : c.b.Sub(c.b.number_like(1, x.re), x.re),
          sign > 0 || x.im == nullptr ? x.im : c.b.Neg(x.im)};
}
// asin z = -i log(i z + sqrt(1 - z²)), acos z = π/2 - asin z, atan z = i/2 (log(1 - i z) - log(1 + i z)).
Complex arc_sine(Call& c, const Complex& x) {
  const Complex root = sqrt(c.b, plus_one(c, mul(c.b, x, x), -1));
  return neg(c.b, times_i(c.b, log(c.b, add(c.b, times_i(c.b, x), root))));
}
Value* asin(Call& c) { return join(c.b, arc_sine(c, one(c))); }
Value* acos(Call& c) {
  const Complex s = arc_sine(c, one(c));
  return join(c.b, sub(c.b, {c.b.number_like(1.5707963267948966, s.re), nullptr}, s));
}
Complex arc_tangent(Call& c, const Complex& x) {
  const Complex turned = times_i(c.b, x);
  const Complex difference = sub(c.b, log(c.b, plus_one(c, turned, -1)), log(c.b, plus_one(c, turned, 1)));
  return mul(c.b, times_i(c.b, difference), 0.5);
}
Value* atan(Call& c) { return join(c.b, arc_tangent(c, one(c))); }
Value* asinh(Call& c) {  // -i asin(i z)
  return join(c.b, neg(c.b, times_i(c.b, arc_sine(c, times_i(c.b, one(c))))));
}
Value* atanh(Call& c) { return join(c.b, neg(c.b, times_i(c.b, arc_tangent(c, times_i(c.b, one(c)))))); }
Value* acosh(Call& c) {  // log(z + sqrt(z + 1) sqrt(z - 1))
  const Complex x = one(c);
  const Complex below{c.b.Sub(x.re, 1), x.im};
  return join(c.b, log(c.b, add(c.b, x, mul(c.b, sqrt(c.b, plus_one(c, x, 1)), sqrt(c.b, below)))));
}

// self + value * tensor1 (*|/) tensor2
template <Operation F>
Value* add_combined(Call& c) {
  const std::vector<Complex> x = c.promoted_complex({"self", "tensor1", "tensor2"});
  return join(c.b, add(c.b, x[0], scale(c, F(c.b, x[1], x[2]), "value")));
}
Value* lerp(Call& c) {
  const std::vector<Complex> x = c.promoted_complex({"self", "end", "weight"});
  return join(c.b, add(c.b, x[0], mul(c.b, x[2], sub(c.b, x[1], x[0]))));
}

Value* is_finite(Call& c) {
  const auto finite = [&](Value* x) { return c.b.Not(c.b.Or(c.b.IsInf(x), c.b.IsNaN(x))); };
  const Complex x = one(c);
  return x.im == nullptr ? finite(x.re) : c.b.And(finite(x.re), finite(x.im));
}
Value* is_nan(Call& c) { return c.b.Or(c.b.IsNaN(one(c).re), c.b.IsNaN(imaginary(c.b, one(c)))); }
Value* is_infinite(Call& c) { return c.b.Or(c.b.IsInf(one(c).re), c.b.IsInf(imaginary(c.b, one(c)))); }
Value* is_real(Call& c) {
  Value* im = imaginary(c.b, one(c));
  return c.b.Equal(im, c.b.number_like(0, im));
}
// Of a real tensor every element is.
Value* all_real(Call& c) {
  Value* x = c.tensor("self");
  return c.b.Expand(c.b.boolean(true), c.b.Shape(x));
}
Value* not_zero(Call& c) {
  const Complex x = one(c);
  return c.b.Not(equal(c.b, x, {c.b.number_like(0, x.re), nullptr}));
}

// --- products --------------------------------------------------------------------------------------------------------

Value* matrix_product(Call& c) {
  const char* second = c.has("other") ? "other" : c.has("mat2") ? "mat2" : c.has("vec") ? "vec" : "tensor";
  const std::vector<Complex> x = c.promoted_complex({"self", second});
  return join(c.b, matmul(c.b, x[0], x[1]));
}
Value* conjugate_product(Call& c) {
  const std::vector<Complex> x = c.promoted_complex({"self", "other"});
  return join(c.b, matmul(c.b, conj(c.b, x[0]), x[1]));
}
Value* add_product(Call& c, const Complex& product) {
  Complex result = scale(c, product, "alpha");
  const bool ignored = c.known("beta") && !c.arg("beta").is_complex() && c.number("beta") == 0;
  if (!ignored) result = add(c.b, scale(c, cast(c.b, c.complex("self"), product.re->dtype), "beta"), result);
  return join(c.b, result);
}
template <char Kind>
Value* scaled_product(Call& c) {
  const char* first = Kind == 'm' ? "mat1" : Kind == 'v' ? "mat" : Kind == 'o' ? "vec1" : "batch1";
  const char* second = Kind == 'm' ? "mat2" : Kind == 'v' ? "vec" : Kind == 'o' ? "vec2" : "batch2";
  Complex x = c.complex(first);
  Complex y = c.complex(second);
  if (Kind == 'o') {
    const auto unsqueezed = [&](const Complex& z, int64_t axis) {
      return Complex{c.b.Unsqueeze(z.re, {axis}), z.im == nullptr ? nullptr : c.b.Unsqueeze(z.im, {axis})};
    };
    return add_product(c, mul(c.b, unsqueezed(x, 1), unsqueezed(y, 0)));
  }
  return add_product(c, matmul(c.b, x, y));
}
Value* outer(Call& c) {
  const Complex x = c.complex("self");
  const Complex y = c.complex("vec2");
  const auto column = [&](Value* part) { return part == nullptr ? nullptr : c.b.Unsqueeze(part, {1}); };
  return join(c.b, mul(c.b, {column(x.re), column(x.im)}, y));
}

// --- constants -------------------------------------------------------------------------------------------------------

Value* ones(Call& c) {
  Value* shape = c.has("size") ? c.int_vector("size") : c.b.Shape(c.complex("self").re);
  const DType dtype = c.dtype().value_or(framework_dtype(c.tensor("self")));
  Value* all = c.b.Fill(shape, 1, real_dtype(dtype));
  return ir::is_complex(dtype) ? join(c.b, {all, nullptr}) : all;
}

}  // namespace

void register_complex_functions(OpTable& t) {
  t.complex("aten::abs", measured<importer::abs>);
  t.complex("aten::angle", measured<angle>);
  t.complex("aten::neg", unary<neg>);
  t.complex("aten::reciprocal", unary<reciprocal>);
  t.complex("aten::exp", unary<exp>);
  t.complex("aten::log", unary<log>);
  t.complex("aten::sqrt", unary<sqrt>);
  t.complex("aten::sin", unary<sin>);
  t.complex("aten::cos", unary<cos>);
  t.complex("aten::tan", unary<tan>);
  t.complex("aten::sinh", unary<sinh>);
  t.complex("aten::cosh", unary<cosh>);
  t.complex("aten::tanh", unary<tanh>);
  t.complex("aten::sigmoid", unary<sigmoid>);
  t.complex("aten::sgn", unary<sgn>);
  t.complex("aten::asin", asin);
  t.complex("aten::acos", acos);
  t.complex("aten::atan", atan);
  t.complex("aten::asinh", asinh);
  t.complex("aten::acosh", acosh);
  t.complex("aten::atanh", atanh);
  t.complex("aten::log2", log2);
  t.complex("aten::log10", log10);
  t.complex("aten::log1p", log1p);
  t.complex("aten::exp2", exp2);
  t.complex("aten::expm1", expm1);
  t.complex("aten::rsqrt", rsqrt);
  t.complex("aten::square", square);
  t.complex("aten::silu", silu);
  t.complex("aten::isfinite", is_finite);
  t.complex("aten::isnan", is_nan);
  t.complex("aten::isinf", is_infinite);
  t.complex("aten::isreal", is_real);
  t.complex("aten::logical_not", [](Call& c) -> Value* { return c.b.Not(not_zero(c)); });
}

void register_complex_arithmetic(OpTable& t) {
  t.complex("aten::add", scaled<add, false>);
  t.complex("aten::sub", scaled<sub, false>);
  t.complex("aten::rsub", scaled<sub, true>);
  t.complex("aten::mul", binary<mul>);
  t.complex("aten::div", binary<div>);
  t.complex("aten::true_divide", binary<div>);
  t.complex("aten::pow", binary<pow>);
  t.complex("aten::float_power", double_power);
  t.complex("aten::eq", compare<true>);
  t.complex("aten::ne", compare<false>);
  t.complex("aten::addcmul", add_combined<mul>);
  t.complex("aten::addcdiv", add_combined<div>);
  t.complex("aten::lerp", lerp);
  for (const char* name : {"matmul", "mm", "bmm", "mv", "dot"}) t.complex("aten::" + std::string(name), matrix_product);
  t.complex("aten::vdot", conjugate_product);
  t.complex("aten::addmm", scaled_product<'m'>);
  t.complex("aten::addmv", scaled_product<'v'>);
  t.complex("aten::addr", scaled_product<'o'>);
  t.complex("aten::baddbmm", scaled_product<'b'>);
  t.complex("aten::outer", outer);
  t.complex_by_products("aten::einsum", {"tensors"});
  for (const char* name : {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
                           "convolution", "linear"}) {
    t.complex_by_products("aten::" + std::string(name), {"input", "weight"});
  }
  for (const char* name : {"cross", "linalg_cross", "kron", "tensordot", "inner"}) {
    t.complex_by_products("aten::" + std::string(name), {"self", "other"});
  }
}

void register_complex(OpTable& t) {
  t.add("aten::complex(Tensor real, Tensor imag) -> Tensor", make);
  t.add("aten::polar(Tensor abs, Tensor angle) -> Tensor", make_polar);
  t.add("aten::view_as_real(Tensor self) -> Tensor", itself);
  t.add("aten::view_as_complex(Tensor self) -> Tensor", view_as_complex);
  t.add("aten::isreal(Tensor self) -> Tensor", all_real);
  const std::pair<const char*, TranslateOne> parts_of[] = {
      {"real", real},           {"imag", imaginary_part},       {"conj", unary<conj>},
      {"_conj", unary<conj>},   {"conj_physical", unary<conj>}, {"_conj_physical", unary<conj>},
      {"resolve_conj", itself}, {"resolve_neg", itself},        {"_neg_view", unary<neg>}};
  for (const auto& [name, translate] : parts_of) {
    const std::string full = "aten::" + std::string(name);
    t.add(full + "(Tensor self) -> Tensor", itself);
    t.complex(full, translate);
  }
  t.complex("aten::view_as_real", view_as_real);
  t.add("aten::cfloat(Tensor self) -> Tensor", to_complex);
  t.add("aten::cdouble(Tensor self) -> Tensor", to_complex_double);
  t.complex("aten::cfloat", to_complex);
  t.complex("aten::cdouble", to_complex_double);
  for (const char* name : {"to", "_to_copy", "type_as"}) t.complex("aten::" + std::string(name), to);
  t.complex("aten::bool", to_bool);
  t.complex("aten::ones_like", ones);
  t.complex("aten::new_ones", ones);
  register_complex_functions(t);
  register_complex_arithmetic(t);
  for (const char* name : {"view",
                           "_unsafe_view",
                           "reshape",
                           "flatten",
                           "ravel",
                           "unflatten",
                           "unsqueeze",
                           "squeeze",
                           "transpose",
                           "t",
                           "mT",
                           "numpy_T",
                           "permute",
                           "movedim",
                           "slice",
                           "narrow",
                           "select",
                           "split",
                           "chunk",
                           "unbind",
                           "cat",
                           "stack",
                           "expand",
                           "repeat",
                           "tile",
                           "flip",
                           "roll",
                           "index_select",
                           "gather",
                           "take",
                           "index",
                           "index_put",
                           "scatter",
                           "scatter_add",
                           "masked_select",
                           "masked_fill",
                           "where",
                           "pad",
                           "detach",
                           "contiguous",
                           "clone",
                           "alias",
                           "sum",
                           "mean",
                           "cumsum",
                           "tril",
                           "triu",
                           "zeros_like",
                           "full_like",
                           "new_zeros",
                           "new_full",
                           "empty_like",
                           "constant_pad_nd",
                           "split_with_sizes",
                           "full",
                           "expand_as",
                           "view_as",
                           "reshape_as",
                           "broadcast_to",
                           "broadcast_tensors",
                           "atleast_1d",
                           "atleast_2d",
                           "atleast_3d",
                           "hstack",
                           "vstack",
                           "dstack",
                           "column_stack",
                           "meshgrid",
                           "diagonal",
                           "diag",
                           "diag_embed",
                           "diagflat",
                           "trace",
                           "block_diag",
                           "unfold",
                           "as_strided",
                           "rot90",
                           "tensor_split",
                           "hsplit",
                           "vsplit",
                           "dsplit",
                           "repeat_interleave",
                           "index_add",
                           "index_copy",
                           "index_fill",
                           "select_scatter",
                           "slice_scatter",
                           "diagonal_scatter",
                           "take_along_dim",
                           "masked_scatter",
                           "diff",
                           "fill",
                           "zero",
                           "copy",
                           "linalg_diagonal",
                           "put",
                           "sum_to_size",
                           "fliplr",
                           "flipud",
                           "unsafe_split",
                           "unsafe_split_with_sizes",
                           "unsafe_chunk",
                           "im2col",
                           "col2im",
                           "cartesian_prod",
                           "as_strided_scatter",
                           "positive"}) {
    t.complex_by_parts("aten::" + std::string(name));
  }
}

}  // namespace onward::importer::torch
