// Complex numbers, kept as pairs of real ones, and Fourier transforms.
#include "import/common/complex.h"

#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"
#include "import/tensorflow/types.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;
using tensorflow::DataType;
using Parts = importer::Complex;

Value* pairs_of(Call& c, size_t index) {
  const auto* complex = c.item(index).get_if<Complex>();
  c.require(complex != nullptr, "input " + std::to_string(index) + " is not complex");
  return complex->pairs;
}
Parts operand(Call& c, size_t index) {
  if (!c.is_complex(index)) return {c.input(index), nullptr};
  return parts(c.b, as_complex(pairs_of(c, index)));
}
Item result(Call& c, const Parts& x) { return Complex{join(c.b, x)}; }

// Complex(real: T, imag: T) -> out
Items make(Call& c) {
  ir::Builder& b = c.b;
  Value* re = c.input(0);
  Value* im = c.input(1);
  Value* shape = b.Shape(b.Add(re, im));
  return {result(c, {b.Expand(re, shape), b.Expand(im, shape)})};
}
// Real(input: T) -> output; of real numbers themselves
Value* real(Call& c) { return operand(c, 0).re; }
Value* imag(Call& c) { return imaginary(c.b, operand(c, 0)); }
// ComplexAbs(x: T) -> y
Value* size(Call& c) { return importer::abs(c.b, operand(c, 0)); }
// Angle(input: T) -> output
Value* argument(Call& c) { return importer::angle(c.b, operand(c, 0)); }
// Conj(input: T) -> output
Items conjugate(Call& c) {
  if (!c.is_complex(0)) return {c.item(0)};
  return {result(c, importer::conj(c.b, operand(c, 0)))};
}

// Cast(x: SrcT, Truncate: bool = false) -> y: a complex number becomes its real part
Items cast(Call& c) {
  const DType to = c.dtype("DstT");
  const Parts x = operand(c, 0);
  if (ir::is_complex(to)) return {result(c, importer::cast(c.b, x, real_dtype(to)))};
  return {c.b.Cast(x.re, to)};
}

// --- arithmetic: what the other families translate for real numbers --------------------------------------------------

using Unary = Parts (*)(ir::Builder&, const Parts&);
using Binary = Parts (*)(ir::Builder&, const Parts&, const Parts&);

template <Unary F>
Items unary(Call& c) {
  return {result(c, F(c.b, operand(c, 0)))};
}
template <Binary F>
Items binary(Call& c) {
  return {result(c, F(c.b, operand(c, 0), operand(c, 1)))};
}
Items square(Call& c) {
  const Parts x = operand(c, 0);
  return {result(c, importer::mul(c.b, x, x))};
}
Items equal(Call& c) { return {importer::equal(c.b, operand(c, 0), operand(c, 1))}; }
Items not_equal(Call& c) { return {c.b.Not(importer::equal(c.b, operand(c, 0), operand(c, 1)))}; }

Parts adjoint(Call& c, Parts x, bool wanted, bool conjugated) {
  if (!wanted) return x;
  x.re = swapped(c.b, x.re);
  if (x.im != nullptr) x.im = swapped(c.b, x.im);
  return conjugated ? importer::conj(c.b, x) : x;
}
Items mat_mul(Call& c) {
  const Parts x = adjoint(c, operand(c, 0), c.flag("transpose_a"), false);
  const Parts y = adjoint(c, operand(c, 1), c.flag("transpose_b"), false);
  return {result(c, importer::matmul(c.b, x, y))};
}
Items batch_mat_mul(Call& c) {
  const Parts x = adjoint(c, operand(c, 0), c.flag("adj_x"), true);
  const Parts y = adjoint(c, operand(c, 1), c.flag("adj_y"), true);
  return {result(c, importer::matmul(c.b, x, y))};
}
// AddN(inputs: N * T) -> sum
Items add_n(Call& c) {
  Parts sum = operand(c, 0);
  for (size_t i = 1; i < c.input_count(); ++i) sum = importer::add(c.b, sum, operand(c, i));
  return {result(c, sum)};
}

// Select(condition: bool, t: T, e: T) -> output
Items select_complex(Call& c) { return {result(c, importer::where(c.b, c.input(0), operand(c, 1), operand(c, 2)))}; }

// What only moves or adds elements: the operator on the real and on the imaginary parts.
Items by_parts(Call& c) {
  const Op* op = op_table().find(c.node().op);
  c.require(op != nullptr, "has no translation for real numbers");
  const auto on = [&](bool imaginary_part) {
    Items inputs;
    for (size_t i = 0; i < c.input_count(); ++i) {
      const Parts x = c.is_complex(i) ? operand(c, i) : Parts{};
      inputs.push_back(!c.is_complex(i) ? c.item(i) : Item(imaginary_part ? imaginary(c.b, x) : x.re));
    }
    return Call(c.evaluator(), c.scope(), c.index(), std::move(inputs)).run(*op);
  };
  const Items re = on(false);
  const Items im = on(true);
  Items results;
  for (size_t i = 0; i < re.size(); ++i) {
    const auto* real_part = re[i].get_if<Value*>();
    const auto* imaginary_part = im[i].get_if<Value*>();
    c.require(real_part != nullptr && imaginary_part != nullptr, "gives no tensors");
    results.push_back(result(c, {*real_part, *imaginary_part}));
  }
  return results;
}

Parts rsqrt(ir::Builder& b, const Parts& x) { return importer::reciprocal(b, importer::sqrt(b, x)); }
Parts log1p(ir::Builder& b, const Parts& x) { return importer::log(b, {b.Add(x.re, 1), x.im}); }
Parts expm1(ir::Builder& b, const Parts& x) {
  const Parts y = importer::exp(b, x);
  return {b.Sub(y.re, 1), y.im};
}

// Einsum(inputs: N * T, equation: string) -> output: linear in each of at most two operands
Items einsum(Call& c) {
  ir::Builder& b = c.b;
  c.require(c.input_count() <= 2, "of more than two complex tensors is not supported");
  const std::string equation = c.text("equation");
  const auto on = [&](const ir::Values& inputs) { return b.op("Einsum", inputs, {{"equation", equation}}); };
  const Parts x = operand(c, 0);
  if (c.input_count() == 1) return {result(c, {on({x.re}), on({imaginary(b, x)})})};
  const Parts y = operand(c, 1);
  Value* x_im = imaginary(b, x);
  Value* y_im = imaginary(b, y);
  return {result(c, {b.Sub(on({x.re, y.re}), on({x_im, y_im})), b.Add(on({x.re, y_im}), on({x_im, y.re}))})};
}

// Pad(input: T, paddings: Tpaddings) -> output: with zeros
Items pad(Call& c) {
  ir::Builder& b = c.b;
  Value* sides = b.Concat(
      {b.Cast(c.input(1), DType::kInt64), b.constant(ir::Tensor::from_ints(DType::kInt64, {1, 2}, {0, 0}))}, 0);
  return {Complex{b.op("Pad", {pairs_of(c, 0), b.Reshape(b.Transpose(sides, {1, 0}), {-1})}, {{"mode", "constant"}})}};
}

// --- Fourier transforms ----------------------------------------------------------------------------------------------

// ONNX's DFT of pairs [..., length, 2] along the axis that is `back` from the last; it wants a batch before the signal.
Value* transform(ir::Builder& b, Value* pairs, int64_t back, bool inverse, bool onesided) {
  const size_t rank = pairs->rank();
  const bool bare = rank == 2;
  const int64_t axis = bare ? 1 : static_cast<int64_t>(rank) - 1 - back;
  Value* out = b.op("DFT", {bare ? b.Unsqueeze(pairs, {0}) : pairs},
                    {{"axis", axis}, {"inverse", inverse}, {"onesided", onesided}});
  return bare ? b.Squeeze(out, {0}) : out;
}

// FFT(input: Tcomplex) -> output; 2D and 3D over the last axes
template <int Axes, bool Inverse>
Items fft(Call& c) {
  Value* x = pairs_of(c, 0);
  for (int64_t back = 1; back <= Axes; ++back) x = transform(c.b, x, back, Inverse, false);
  return {Complex{x}};
}

// `x` cut or padded with zeros to `length` along an axis.
Value* resized(ir::Builder& b, Value* x, int64_t axis, Value* length) {
  const ir::Dim own = x->dim(static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(x->rank()) : axis));
  if (length->is_constant() && own.is_known() && own.value() == length->constant()->as_int()) return x;
  Value* missing = b.Max(b.Sub(length, b.dim(x, axis)), b.ints({0}));
  Value* padded =
      b.op("Pad", {x, b.Concat({b.ints({0}), missing}, 0), nullptr, b.ints({axis})}, {{"mode", "constant"}});
  return b.Slice(padded, b.ints({0}), length, b.ints({axis}));
}

// RFFT(input: Treal, fft_length: int32) -> output: the first half of the spectrum along the last axis
template <int Axes>
Items rfft(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  Value* lengths = as_vector(b, c.input(1));
  for (int64_t i = 0; i < Axes; ++i) x = resized(b, x, i - Axes, b.Slice(lengths, i, i + 1, 0));
  Value* spectrum = transform(b, b.Unsqueeze(x, {-1}), 1, false, true);
  for (int64_t back = 2; back <= Axes; ++back) spectrum = transform(b, spectrum, back, false, false);
  return {Complex{spectrum}};
}

// IRFFT(input: Tcomplex, fft_length: int32) -> output: the real signal of such a spectrum, whose second half mirrors
// the first
template <int Axes>
Items irfft(Call& c) {
  ir::Builder& b = c.b;
  Value* x = pairs_of(c, 0);
  Value* lengths = as_vector(b, c.input(1));
  Value* length = b.Slice(lengths, Axes - 1, Axes, 0);
  Value* half = b.Add(b.Div(length, b.ints({2})), b.ints({1}));
  for (int64_t i = 0; i < Axes; ++i) {
    x = resized(b, x, i - Axes - 1, i + 1 == Axes ? half : b.Slice(lengths, i, i + 1, 0));
  }
  for (int64_t back = 2; back <= Axes; ++back) x = transform(b, x, back, true, false);
  Value* number = counting(b, length);
  Value* n = as_scalar(b, length);
  Value* mirrored = b.Greater(b.Mul(number, b.i64(2)), n);
  Value* full = b.Gather(x, b.Where(mirrored, b.Sub(n, number), number), -2);
  Value* sign = b.Where(mirrored, b.number_like(-1, x), b.number_like(1, x));
  Value* one = b.Fill(length, 1, x->dtype);
  full = b.Mul(full, b.Concat({b.Unsqueeze(one, {1}), b.Unsqueeze(sign, {1})}, 1));
  return {b.Select(transform(b, full, 1, true, false), 0, -1)};
}

void register_arithmetic(OpTable& t) {
  t.complex("Add", binary<importer::add>);
  t.complex("AddV2", binary<importer::add>);
  t.complex("Sub", binary<importer::sub>);
  t.complex("Mul", binary<static_cast<Binary>(importer::mul)>);
  t.complex("Div", binary<importer::div>);
  t.complex("RealDiv", binary<importer::div>);
  t.complex("Pow", binary<importer::pow>);
  t.complex("Neg", unary<importer::neg>);
  t.complex("Exp", unary<importer::exp>);
  t.complex("Log", unary<importer::log>);
  t.complex("Sqrt", unary<importer::sqrt>);
  t.complex("Sin", unary<importer::sin>);
  t.complex("Cos", unary<importer::cos>);
  t.complex("Tan", unary<importer::tan>);
  t.complex("Sinh", unary<importer::sinh>);
  t.complex("Cosh", unary<importer::cosh>);
  t.complex("Tanh", unary<importer::tanh>);
  t.complex("Sigmoid", unary<importer::sigmoid>);
  t.complex("Reciprocal", unary<importer::reciprocal>);
  t.complex("Square", square);
  t.complex("Equal", equal);
  t.complex("NotEqual", not_equal);
  t.complex("AddN", add_n);
  t.complex("MatMul", mat_mul);
  t.complex("BatchMatMul", batch_mat_mul);
  t.complex("BatchMatMulV2", batch_mat_mul);
  t.complex("BatchMatMulV3", batch_mat_mul);
  t.complex("SelectV2", select_complex);
  t.complex("Pad", pad);
  t.complex("Sign", unary<importer::sgn>);
  t.complex("Rsqrt", unary<rsqrt>);
  t.complex("Log1p", unary<log1p>);
  t.complex("Expm1", unary<expm1>);
  t.complex("Einsum", einsum);
  for (const char* name : {"Tile",
                           "ReverseV2",
                           "Roll",
                           "Split",
                           "SplitV",
                           "GatherNd",
                           "Unpack",
                           "BroadcastTo",
                           "MirrorPad",
                           "TensorScatterUpdate",
                           "TensorScatterAdd",
                           "Cumsum",
                           "MatrixDiagPart",
                           "MatrixDiagPartV2",
                           "MatrixDiagPartV3",
                           "MatrixDiag",
                           "MatrixDiagV2",
                           "MatrixDiagV3",
                           "MatrixBandPart",
                           "DiagPart",
                           "Diag",
                           "ReverseSequence"}) {
    t.complex(name, by_parts);
  }
}

}  // namespace

void register_complex(OpTable& t) {
  t.add("Complex", make);
  t.add("Real", real);
  t.add("Imag", imag);
  t.add("ComplexAbs", size);
  t.add("Angle", argument);
  t.add("Conj", conjugate);
  t.add("Cast", cast);
  t.add("FFT", fft<1, false>);
  t.add("FFT2D", fft<2, false>);
  t.add("FFT3D", fft<3, false>);
  t.add("IFFT", fft<1, true>);
  t.add("IFFT2D", fft<2, true>);
  t.add("IFFT3D", fft<3, true>);
  t.add("BatchFFT", fft<1, false>);
  t.add("BatchFFT2D", fft<2, false>);
  t.add("BatchIFFT", fft<1, true>);
  t.add("BatchIFFT2D", fft<2, true>);
  t.add("RFFT", rfft<1>);
  t.add("RFFT2D", rfft<2>);
  t.add("RFFT3D", rfft<3>);
  t.add("IRFFT", irfft<1>);
  t.add("IRFFT2D", irfft<2>);
  t.add("IRFFT3D", irfft<3>);
  register_arithmetic(t);
}

}  // namespace onward::importer::tf
