// Fourier transforms and complex numbers. keras.ops gives spectra as two tensors, the real and the imaginary part.
#include "import/common/fourier.h"

#include "import/common/axes.h"
#include "import/keras/operations.h"
#include "import/keras/ops/signal_window.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

// A real tensor as it is: it has no imaginary part.
Complex given(const Arguments& a) { return parts(a.b, a.value("x")); }

// view_as_complex(x): the last dimension holds the parts
ir::Values view_as_complex(const Arguments& a) {
  Value* x = a.value("x");
  const ir::Dim pair = x->dim(x->rank() - 1);
  a.require(pair.is_known() && pair.value() == 2, "needs a last dimension of 2");
  return {as_complex(a.b.Identity(x))};
}
ir::Values view_as_real(const Arguments& a) {
  Value* pairs = a.b.Identity(a.value("x"));
  pairs->complex = false;
  return {pairs};
}
ir::Values real(const Arguments& a) { return {given(a).re}; }
ir::Values imaginary_part(const Arguments& a) { return {imaginary(a.b, given(a))}; }
ir::Values conjugate(const Arguments& a) {
  Value* x = a.value("x");
  return {x->complex ? join(a.b, conj(a.b, parts(a.b, x))) : x};
}
ir::Values angle_of(const Arguments& a) {
  Complex x = given(a);
  if (x.im == nullptr) x.re = floating(a.b, x.re);
  return {angle(a.b, x)};
}
// isreal(x)
ir::Values is_real(const Arguments& a) {
  Builder& b = a.b;
  const Complex x = given(a);
  if (x.im != nullptr) return {b.Equal(x.im, b.number_like(0, x.im))};
  return {b.Expand(b.boolean(true), b.Shape(x.re))};
}

// --- transforms ------------------------------------------------------------------------------------------------------

Value* spectrum_of(const Arguments& a) {
  const ir::Values x = a.values("x");
  a.require(x.size() == 2, "needs the real and the imaginary part");
  return join(a.b, {x[0], x[1]});
}

ir::Values both(const Arguments& a, Value* spectrum) {
  const Complex x = parts(a.b, spectrum);
  return {x.re, imaginary(a.b, x)};
}

// fft((real, imag)), fft2, ifft2: over the last axes
template <int Axes, bool Inverse>
ir::Values fft(const Arguments& a) {
  Value* x = spectrum_of(a);
  const auto rank = static_cast<int64_t>(framework_rank(x));
  a.require(rank >= Axes, "needs more dimensions");
  for (int64_t axis = rank - 1; axis >= rank - Axes; --axis) {
    x = transform(a.b, x, axis, nullptr, Inverse, Inverse ? Norm::kLength : Norm::kNone, false);
  }
  return both(a, x);
}

Value* length_of(const Arguments& a) { return a.has("fft_length") ? a.b.ints({a.integer("fft_length", 0)}) : nullptr; }

// `x` cut or padded with zeros to `length` along its last axis.
Value* resized(Builder& b, Value* x, Value* length) {
  if (length == nullptr) return x;
  Value* missing = b.Max(b.Sub(length, b.dim(x, -1)), b.ints({0}));
  Value* padded = b.op("Pad", {x, b.Concat({b.ints({0}), missing}, 0), nullptr, b.ints({-1})}, {{"mode", "constant"}});
  return b.Slice(padded, b.ints({0}), length, b.ints({-1}));
}

// rfft(x, fft_length=None)
ir::Values rfft(const Arguments& a) {
  Value* x = resized(a.b, a.value("x"), length_of(a));
  return both(a, transform(a.b, x, static_cast<int64_t>(x->rank()) - 1, nullptr, false, Norm::kNone, true));
}

// irfft((real, imag), fft_length=None)
ir::Values irfft(const Arguments& a) {
  Value* x = spectrum_of(a);
  return {real_inverse(a.b, x, static_cast<int64_t>(framework_rank(x)) - 1, length_of(a), Norm::kLength)};
}

// --- short time ------------------------------------------------------------------------------------------------------

struct Frames {
  int64_t hop;
  int64_t size;                // of the transform
  std::vector<double> window;  // of that size
  int64_t rim;                 // what the signal is longer at each side
};

Frames frames_of(const Arguments& a) {
  Frames frames{};
  const int64_t length = a.integer("sequence_length", 0);
  frames.hop = a.integer("sequence_stride", 0);
  frames.size = a.integer("fft_length", length);
  a.require(length > 0 && frames.hop > 0 && frames.size >= length && frames.size <= (1 << 20),
            "the lengths do not fit together");
  frames.window = signal_window(a.json("window"), length, frames.size);
  frames.rim = a.flag("center", true) ? frames.size / 2 : 0;
  return frames;
}

// extract_sequences(x, sequence_length, sequence_stride)
ir::Values extract_sequences(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* length = b.i64(a.integer("sequence_length", 1));
  Value* stride = b.i64(a.integer("sequence_stride", 1));
  Value* count = b.Max(b.Add(b.Div(b.Sub(b.dim_scalar(x, -1), length), stride), b.i64(1)), b.i64(0));
  Value* starts = b.Unsqueeze(b.Mul(counting(b, count), stride), {1});
  return {b.Gather(x, b.Add(starts, counting(b, length)), static_cast<int64_t>(x->rank()) - 1)};
}

// stft(x, sequence_length, sequence_stride, fft_length, window="hann", center=True)
ir::Values stft(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const Frames frames = frames_of(a);
  Value* lead = b.op("Shape", {x}, {{"end", -1}});
  Value* signal = b.Reshape(x, b.Concat({b.ints({-1}), b.dim(x, -1)}, 0));
  if (frames.rim > 0) signal = b.Pad(signal, {0, frames.rim, 0, frames.rim}, 0, "reflect");
  Value* window = b.constant(ir::Tensor::from_doubles(x->dtype, {frames.size}, frames.window));
  Value* spectrum =
      b.op("STFT", {b.Unsqueeze(signal, {2}), b.i64(frames.hop), window, b.i64(frames.size)}, {{"onesided", 1}});
  Value* shape = b.Concat({lead, b.op("Shape", {spectrum}, {{"start", 1}})}, 0);
  return both(a, as_complex(b.Reshape(spectrum, shape)));
}

// The window by which the frames are multiplied so that overlapping ones add up to the signal.
std::vector<double> inverse_window(const Frames& frames) {
  std::vector<double> inverse(frames.window.size());
  for (size_t i = 0; i < inverse.size(); ++i) {
    double total = 0;
    const auto hop = static_cast<size_t>(frames.hop);
    for (size_t k = i % hop; k < inverse.size(); k += hop) total += frames.window[k] * frames.window[k];
    inverse[i] = frames.window[i] / total;
  }
  return inverse;
}

// Frames [batch, count, size] at their places, added: [batch, length].
Value* overlapped(Builder& b, Value* pieces, const Frames& frames, Value* length) {
  Value* starts = b.Unsqueeze(b.Mul(counting(b, b.dim(pieces, 1)), b.i64(frames.hop)), {1});
  Value* places = b.Add(starts, counting(b, b.i64(frames.size)));
  Value* batch = b.dim(pieces, 0);
  Value* flat = b.Reshape(pieces, b.Concat({batch, b.ints({-1})}, 0));
  Value* index = b.Expand(b.Reshape(places, {1, -1}), b.Shape(flat));
  Value* silence = b.Fill(b.Concat({batch, length}, 0), 0, pieces->dtype);
  return b.op("ScatterElements", {silence, index, flat}, {{"axis", 1}, {"reduction", "add"}});
}

// istft((real, imag), sequence_length, sequence_stride, fft_length, length=None, window="hann", center=True)
ir::Values istft(const Arguments& a) {
  Builder& b = a.b;
  const ir::Values x = a.values("x");
  a.require(x.size() == 2, "needs the real and the imaginary part");
  const Frames frames = frames_of(a);
  Value* lead = b.op("Shape", {x[0]}, {{"end", -2}});
  Value* inner = b.op("Shape", {x[0]}, {{"start", -2}});
  const auto flat = [&](Value* part) { return b.Reshape(part, b.Concat({b.ints({-1}), inner}, 0)); };
  Value* pieces = real_inverse(b, join(b, {flat(x[0]), flat(x[1])}), 2, b.ints({frames.size}), Norm::kLength);
  if (a.has("window")) {
    pieces = b.Mul(pieces, b.constant(ir::Tensor::from_doubles(pieces->dtype, {frames.size}, inverse_window(frames))));
  }
  Value* length = b.Add(b.Mul(b.Sub(b.dim(pieces, 1), b.ints({1})), b.ints({frames.hop})), b.ints({frames.size}));
  Value* signal = overlapped(b, pieces, frames, length);
  Value* end = a.has("length") ? b.ints({frames.rim + a.integer("length", 0)}) : b.Sub(length, b.ints({frames.rim}));
  signal = b.Slice(signal, b.ints({frames.rim}), end, b.ints({1}));
  return {b.Reshape(signal, b.Concat({lead, b.dim(signal, 1)}, 0))};
}

}  // namespace

void register_fourier_operations(OperationTable& table) {
  table.add("ViewAsComplex", {"x", view_as_complex});
  table.add("ViewAsReal", {"x", view_as_real});
  table.add("Real", {"x", real});
  table.add("Imag", {"x", imaginary_part});
  for (const char* name : {"Conj", "Conjugate"}) table.add(name, {"x", conjugate});
  table.add("Angle", {"x", angle_of});
  table.add("Isreal", {"x", is_real});
  table.add("FFT", {"x", fft<1, false>});
  table.add("FFT2", {"x", fft<2, false>});
  table.add("IFFT2", {"x", fft<2, true>});
  table.add("RFFT", {"x", rfft});
  table.add("IRFFT", {"x", irfft});
  table.add("STFT", {"x", stft});
  table.add("ISTFT", {"x", istft});
  table.add("ExtractSequences", {"x", extract_sequences});
}

}  // namespace onward::importer::keras
