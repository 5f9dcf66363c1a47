// Short-time Fourier transforms, and the windows they use.
#include <cmath>
#include <numbers>

#include "import/common/fourier.h"
#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

struct Frames {
  int64_t size;
  int64_t hop;
  Value* window;  // of `size`; null: ones
};
Frames frames_of(Call& c, DType dtype) {
  ir::Builder& b = c.b;
  Frames frames{};
  frames.size = c.integer("n_fft");
  frames.hop = c.maybe_integer("hop_length").value_or(frames.size / 4);
  const int64_t width = c.maybe_integer("win_length").value_or(frames.size);
  Value* window = c.maybe_tensor("window");
  if (window == nullptr && width == frames.size) return frames;
  if (window == nullptr) window = b.Fill(b.ints({width}), 1, dtype);
  const int64_t left = (frames.size - width) / 2;
  frames.window = b.Pad(b.Cast(window, dtype), {left, frames.size - width - left});
  return frames;
}
// Where each frame's samples lie: [frames, size].
Value* sample_places(ir::Builder& b, Value* count, const Frames& frames) {
  Value* starts = b.Unsqueeze(b.Mul(counting(b, count), b.i64(frames.hop)), {1});
  return b.Add(starts, counting(b, b.i64(frames.size)));
}

// aten::stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool
// normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor
Value* stft(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const bool complex_input = x->complex;
  const bool single = framework_rank(x) == 1;
  if (single) x = complex_input ? as_complex(b.Unsqueeze(x, {0})) : b.Unsqueeze(x, {0});
  if (c.has("center") && c.flag("center")) {
    const int64_t half = c.integer("n_fft") / 2;
    c.require(!complex_input, "padding of complex signals is not supported");
    x = b.Pad(x, {0, half, 0, half}, 0, c.text("pad_mode") == "replicate" ? "edge" : c.text("pad_mode").c_str());
  }
  const Frames frames = frames_of(c, x->dtype);
  Value* length = b.dim(x, 1);
  Value* count = b.Add(b.Div(b.Sub(length, b.ints({frames.size})), b.ints({frames.hop})), b.ints({1}));
  Value* cut = b.Gather(x, sample_places(b, count, frames), 1);
  if (frames.window != nullptr) cut = b.Mul(cut, complex_input ? b.Unsqueeze(frames.window, {-1}) : frames.window);
  if (complex_input) cut = as_complex(cut);
  const bool onesided = c.given("onesided") ? c.flag("onesided") : !complex_input;
  Value* spectrum = transform(b, cut, 2, nullptr, false, c.flag("normalized") ? Norm::kRoot : Norm::kNone, onesided);
  Value* turned = b.Transpose(spectrum, {0, 2, 1, 3});
  if (single) turned = b.Squeeze(turned, {0});
  return c.flag("return_complex") ? as_complex(turned) : turned;
}

// The frames' sums at their places in the signal: [batch, length].
Value* overlapped(ir::Builder& b, Value* frames, Value* places, Value* length) {
  Value* batch = b.dim(frames, 0);
  Value* flat = b.Reshape(frames, b.Concat({batch, b.ints({-1})}, 0));
  Value* index = b.Expand(b.Reshape(places, {1, -1}), b.Shape(flat));
  Value* silence = b.Fill(b.Concat({batch, length}, 0), 0, frames->dtype);
  return b.op("ScatterElements", {silence, index, flat}, {{"axis", 1}, {"reduction", "add"}});
}
// aten::istft(Tensor self, int n_fft, …, bool center=True, bool normalized=False, bool? onesided=None, int?
// length=None, bool return_complex=False) -> Tensor
Value* istft(Call& c) {
  ir::Builder& b = c.b;
  c.require(!c.flag("return_complex"), "a complex signal as result is not supported");
  const bool single = framework_rank(c.tensor("self")) == 2;
  const auto turned = [&](Value* part) { return b.Transpose(single ? b.Unsqueeze(part, {0}) : part, {0, 2, 1}); };
  const Complex given = c.complex("self");
  Value* spectrum = join(b, {turned(given.re), turned(imaginary(b, given))});  // [batch, frames, bins]
  const Frames frames = frames_of(c, given.re->dtype);
  const Norm norm = c.flag("normalized") ? Norm::kRoot : Norm::kLength;
  Value* pieces = real_inverse(b, spectrum, 2, b.ints({frames.size}), norm);
  Value* window = frames.window != nullptr ? frames.window : b.Fill(b.ints({frames.size}), 1, pieces->dtype);
  Value* count = b.dim(pieces, 1);
  Value* places = sample_places(b, count, frames);
  Value* length = b.Add(b.Mul(b.Sub(count, b.ints({1})), b.ints({frames.hop})), b.ints({frames.size}));
  Value* sum = overlapped(b, b.Mul(pieces, window), places, length);
  Value* squares = b.Expand(b.Reshape(b.Mul(window, window), {1, 1, -1}), b.Shape(b.Slice(pieces, 0, 1, 0)));
  Value* envelope = overlapped(b, squares, places, length);
  const int64_t start = c.flag("center") ? frames.size / 2 : 0;
  Value* axis = b.ints({1});
  Value* end = c.given("length") ? b.Add(b.Unsqueeze(c.int_scalar("length"), {0}), b.ints({start}))
                                 : b.Sub(length, b.ints({start}));
  const auto trimmed = [&](Value* signal) { return b.Slice(signal, b.ints({start}), end, axis); };
  Value* signal = b.Div(trimmed(sum), trimmed(envelope));
  if (c.given("length")) {
    Value* missing = b.Max(b.Sub(b.Unsqueeze(c.int_scalar("length"), {0}), b.dim(signal, 1)), b.ints({0}));
    signal = b.op("Pad", {signal, b.Concat({b.ints({0, 0, 0}), missing}, 0)});
  }
  return single ? b.Squeeze(signal, {0}) : signal;
}

// --- windows ---------------------------------------------------------------------------------------------------------

// A sum of cosines over the window; a periodic one is the symmetric one of one more point.
Value* cosine_window(Call& c, const std::vector<double>& weights) {
  const int64_t length = c.integer("window_length");
  const bool periodic = !c.has("periodic") || c.flag("periodic");
  const double span = static_cast<double>(periodic ? length : length - 1);
  std::vector<double> values;
  for (int64_t i = 0; i < length; ++i) {
    double value = 0;
    for (size_t k = 0; k < weights.size(); ++k) {
      const double angle =
          length == 1 ? 0 : 2 * std::numbers::pi * static_cast<double>(k) * static_cast<double>(i) / span;
      value += (k % 2 == 0 ? 1 : -1) * weights[k] * std::cos(angle);
    }
    values.push_back(length == 1 ? 1 : value);
  }
  return vector_of(c.b, values, c.dtype().value_or(DType::kFloat));
}
Value* hann(Call& c) { return cosine_window(c, {0.5, 0.5}); }
Value* hamming(Call& c) {
  return cosine_window(c, {c.has("alpha") ? c.number("alpha") : 0.54, c.has("beta") ? c.number("beta") : 0.46});
}
Value* blackman(Call& c) { return cosine_window(c, {0.42, 0.5, 0.08}); }
Value* bartlett(Call& c) {
  const int64_t length = c.integer("window_length");
  const double half = static_cast<double>(!c.has("periodic") || c.flag("periodic") ? length : length - 1) / 2;
  std::vector<double> values;
  for (int64_t i = 0; i < length; ++i) {
    values.push_back(length == 1 ? 1 : 1 - std::abs(static_cast<double>(i) / half - 1));
  }
  return vector_of(c.b, values, c.dtype().value_or(DType::kFloat));
}

}  // namespace

void register_stft(OpTable& t) {
  const std::string head = "(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, ";
  const std::string flags =
      "bool normalized=False, bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor";
  t.add("aten::stft" + head + flags, stft);
  t.add("aten::stft.center" + head + "bool center=True, str pad_mode='reflect', " + flags, stft);
  t.complex("aten::stft", stft);
  t.add("aten::istft" + head +
            "bool center=True, bool normalized=False, bool? onesided=None, int? length=None, bool "
            "return_complex=False) -> Tensor",
        istft);
  t.complex("aten::istft", istft);
  const std::string options =
      "*, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
      "pin_memory=None) -> Tensor";
  for (const auto& [name, translate] : std::initializer_list<std::pair<const char*, TranslateOne>>{
           {"hann", hann}, {"hamming", hamming}, {"blackman", blackman}, {"bartlett", bartlett}}) {
    const std::string full = "aten::" + std::string(name) + "_window";
    t.add(full + "(int window_length, " + options, translate);
    t.add(full + ".periodic(int window_length, bool periodic, " + options, translate);
  }
  const std::string periodic = "aten::hamming_window.periodic_alpha";
  t.add(periodic + "(int window_length, bool periodic, float alpha, " + options, hamming);
  t.add(periodic + "_beta(int window_length, bool periodic, float alpha, float beta, " + options, hamming);
}

}  // namespace onward::importer::torch
