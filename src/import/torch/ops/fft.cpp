// Fourier transforms. Complex numbers are pairs in a last dimension of 2, which is how ONNX's DFT has them, too.
#include <algorithm>
#include <cmath>

#include "import/common/fourier.h"
#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {

namespace {

using ir::DType;
using ir::Value;

// --- arguments -------------------------------------------------------------------------------------------------------

// fft's own direction decides which of "backward" and "forward" divides.
Norm norm_of(Call& c, bool forward) {
  if (!c.given("norm")) return forward ? Norm::kNone : Norm::kLength;
  const std::string norm = c.text("norm");
  if (norm == "ortho") return Norm::kRoot;
  c.require(norm == "forward" || norm == "backward", "the normalization \"" + norm + "\" is unknown");
  return (norm == "forward") == forward ? Norm::kLength : Norm::kNone;
}
Value* real_or_complex(Call& c) {
  Value* x = c.tensor("self");
  if (x->complex) return x;
  return x->dtype == DType::kDouble ? x : c.b.Cast(x, DType::kFloat);
}
Value* length_of(Call& c) { return c.given("n") ? c.b.Unsqueeze(c.int_scalar("n"), {0}) : nullptr; }

// Of the argument "s": a size for each axis, null (-1) for the dimension's own.
ir::Values sizes_of(Call& c) {
  const Arg::List* given = c.arg("s").list();
  if (given == nullptr) return {c.b.ints({c.integer("s")})};
  Value* all = c.known("s") ? nullptr : c.int_vector("s");
  ir::Values sizes;
  for (const Arg& one : *given) {
    const auto place = static_cast<int64_t>(sizes.size());
    const auto* known = std::get_if<int64_t>(&one.data);
    Value* size = known != nullptr ? c.b.ints({*known}) : c.b.Slice(all, place, place + 1, 0);
    sizes.push_back(known != nullptr && *known < 0 ? nullptr : size);
  }
  return sizes;
}

struct Axes {
  std::vector<int64_t> axes;
  ir::Values lengths;  // null: the dimension's own
};
Axes axes_of(Call& c, size_t rank) {
  Axes result;
  const ir::Values sizes = c.given("s") ? sizes_of(c) : ir::Values();
  if (c.has("dim") && c.given("dim")) {
    result.axes = c.axes("dim", rank);
  } else {
    result.axes = all_axes(rank);
    if (c.given("s")) {  // as many as there are sizes, from the back
      c.require(sizes.size() <= rank, "there are more sizes than dimensions");
      result.axes.erase(result.axes.begin(), result.axes.end() - static_cast<int64_t>(sizes.size()));
    }
  }
  result.lengths.resize(result.axes.size(), nullptr);
  c.require(sizes.size() <= result.lengths.size(), "there are more sizes than dimensions");
  std::ranges::copy(sizes, result.lengths.begin());
  return result;
}

// --- one-dimensional operators ---------------------------------------------------------------------------------------

template <bool Inverse>
Value* fft(Call& c) {
  Value* x = real_or_complex(c);
  const int64_t axis = c.axis("dim", framework_rank(x));
  return transform(c.b, x, axis, length_of(c), Inverse, norm_of(c, !Inverse), false);
}
Value* rfft(Call& c) {
  Value* x = real_or_complex(c);
  return transform(c.b, x, c.axis("dim", x->rank()), length_of(c), false, norm_of(c, true), true);
}
Value* conjugated(ir::Builder& b, Value* x) { return x->complex ? join(b, conj(b, parts(b, x))) : x; }
// A real signal's inverse spectrum is the conjugate of its spectrum.
Value* ihfft(Call& c) {
  Value* x = real_or_complex(c);
  return conjugated(c.b, transform(c.b, x, c.axis("dim", x->rank()), length_of(c), false, norm_of(c, false), true));
}
Value* irfft(Call& c) {
  Value* x = real_or_complex(c);
  return real_inverse(c.b, x, c.axis("dim", framework_rank(x)), length_of(c), norm_of(c, false));
}
Value* hfft(Call& c) {
  Value* x = conjugated(c.b, real_or_complex(c));
  return real_inverse(c.b, x, c.axis("dim", framework_rank(x)), length_of(c), norm_of(c, true));
}

// --- several dimensions ----------------------------------------------------------------------------------------------

Value* over_axes(Call& c, Value* x, const Axes& axes, size_t count, bool inverse, Norm norm) {
  for (size_t i = count; i-- > 0;) x = transform(c.b, x, axes.axes[i], axes.lengths[i], inverse, norm, false);
  return x;
}
template <bool Inverse>
Value* fftn(Call& c) {
  Value* x = real_or_complex(c);
  const Axes axes = axes_of(c, framework_rank(x));
  return over_axes(c, x, axes, axes.axes.size(), Inverse, norm_of(c, !Inverse));
}
// The last axis is the one whose half is left out.
Value* rfftn(Call& c) {
  Value* x = real_or_complex(c);
  const Axes axes = axes_of(c, x->rank());
  const Norm norm = norm_of(c, true);
  x = transform(c.b, x, axes.axes.back(), axes.lengths.back(), false, norm, true);
  return over_axes(c, x, axes, axes.axes.size() - 1, false, norm);
}
Value* ihfftn(Call& c) {
  Value* x = real_or_complex(c);
  const Axes axes = axes_of(c, x->rank());
  const Norm norm = norm_of(c, false);
  x = conjugated(c.b, transform(c.b, x, axes.axes.back(), axes.lengths.back(), false, norm, true));
  return over_axes(c, x, axes, axes.axes.size() - 1, true, norm);
}
Value* irfftn(Call& c) {
  Value* x = real_or_complex(c);
  const Axes axes = axes_of(c, framework_rank(x));
  const Norm norm = norm_of(c, false);
  x = over_axes(c, x, axes, axes.axes.size() - 1, true, norm);
  return real_inverse(c.b, x, axes.axes.back(), axes.lengths.back(), norm);
}
Value* hfftn(Call& c) {
  Value* x = real_or_complex(c);
  const Axes axes = axes_of(c, framework_rank(x));
  const Norm norm = norm_of(c, true);
  x = conjugated(c.b, over_axes(c, x, axes, axes.axes.size() - 1, false, norm));
  return real_inverse(c.b, x, axes.axes.back(), axes.lengths.back(), norm);
}

// --- PyTorch's own primitives ----------------------------------------------------------------------------------------

Norm primitive_norm(Call& c) {
  const int64_t normalization = c.integer("normalization");
  return normalization == 0 ? Norm::kNone : normalization == 1 ? Norm::kRoot : Norm::kLength;
}
Value* complex_to_complex(Call& c) {
  Value* x = real_or_complex(c);
  const std::vector<int64_t> axes = c.axes("dim", framework_rank(x));
  const Norm norm = primitive_norm(c);
  for (const int64_t axis : axes) x = transform(c.b, x, axis, nullptr, !c.flag("forward"), norm, false);
  return x;
}
Value* real_to_complex(Call& c) {
  Value* x = real_or_complex(c);
  const std::vector<int64_t> axes = c.axes("dim", x->rank());
  const Norm norm = primitive_norm(c);
  x = transform(c.b, x, axes.back(), nullptr, false, norm, c.flag("onesided"));
  for (size_t i = 0; i + 1 < axes.size(); ++i) x = transform(c.b, x, axes[i], nullptr, false, norm, false);
  return x;
}
Value* complex_to_real(Call& c) {
  Value* x = real_or_complex(c);
  const std::vector<int64_t> axes = c.axes("dim", framework_rank(x));
  const Norm norm = primitive_norm(c);
  for (size_t i = 0; i + 1 < axes.size(); ++i) x = transform(c.b, x, axes[i], nullptr, true, norm, false);
  return real_inverse(c.b, x, axes.back(), c.b.Unsqueeze(c.int_scalar("last_dim_size"), {0}), norm);
}

// --- order of the bins -----------------------------------------------------------------------------------------------

template <bool Inverse>
Value* shifted(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const std::vector<int64_t> axes = c.given("dim") ? c.axes("dim", x->rank()) : all_axes(x->rank());
  for (const int64_t axis : axes) {
    Value* size = b.dim(x, axis);
    Value* half = b.Div(size, b.ints({2}));
    Value* cut = Inverse ? half : b.Sub(size, half);
    Value* at = b.ints({axis});
    x = b.Concat({b.Slice(x, cut, b.ints({kToEnd}), at), b.Slice(x, b.ints({0}), cut, at)}, axis);
  }
  return x;
}
template <bool Half>
Value* frequencies(Call& c) {
  const int64_t n = c.integer("n");
  const double step = 1 / (static_cast<double>(n) * c.number("d"));
  std::vector<double> values;
  for (int64_t i = 0; i < (Half ? n / 2 + 1 : n); ++i) {
    values.push_back(static_cast<double>(!Half && i >= (n + 1) / 2 ? i - n : i) * step);
  }
  return vector_of(c.b, values, c.dtype().value_or(DType::kFloat));
}

}  // namespace

void register_fft(OpTable& t) {
  const auto add = [&](const std::string& signature, TranslateOne translate) {
    t.add(signature, translate);
    t.complex(signature.substr(0, signature.find('(')), translate);
  };
  const std::string one = "(Tensor self, SymInt? n=None, int dim=-1, str? norm=None) -> Tensor";
  const std::string two = "(Tensor self, SymInt[1]? s=None, int[1] dim=[-2,-1], str? norm=None) -> Tensor";
  const std::string many = "(Tensor self, SymInt[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor";
  add("aten::fft_fft" + one, fft<false>);
  add("aten::fft_ifft" + one, fft<true>);
  add("aten::fft_rfft" + one, rfft);
  add("aten::fft_irfft" + one, irfft);
  add("aten::fft_hfft" + one, hfft);
  add("aten::fft_ihfft" + one, ihfft);
  for (const bool flat : {true, false}) {
    const std::string end = (flat ? "2" + two : "n" + many);
    add("aten::fft_fft" + end, fftn<false>);
    add("aten::fft_ifft" + end, fftn<true>);
    add("aten::fft_rfft" + end, rfftn);
    add("aten::fft_irfft" + end, irfftn);
    add("aten::fft_hfft" + end, hfftn);
    add("aten::fft_ihfft" + end, ihfftn);
  }
  add("aten::_fft_c2c(Tensor self, SymInt[] dim, int normalization, bool forward) -> Tensor", complex_to_complex);
  add("aten::_fft_r2c(Tensor self, int[] dim, int normalization, bool onesided) -> Tensor", real_to_complex);
  add("aten::_fft_c2r(Tensor self, int[] dim, int normalization, SymInt last_dim_size) -> Tensor", complex_to_real);
  t.add("aten::fft_fftshift(Tensor self, int[1]? dim=None) -> Tensor", shifted<false>);
  t.add("aten::fft_ifftshift(Tensor self, int[1]? dim=None) -> Tensor", shifted<true>);
  for (const char* name : {"aten::fft_fftshift", "aten::fft_ifftshift"}) t.complex_by_parts(name);
  const std::string steps =
      "(int n, float d=1.0, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
      "pin_memory=None) -> Tensor";
  t.add("aten::fft_fftfreq" + steps, frequencies<false>);
  t.add("aten::fft_rfftfreq" + steps, frequencies<true>);
}

}  // namespace onward::importer::torch
