// MelSpectrogram, STFTSpectrogram.
#include <cmath>
#include <limits>
#include <numbers>

#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/signal_window.h"
#include "import/keras/ops/window.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

// --- STFTSpectrogram ---

// [batch, channels, frequencies, frames]
Value* convolved(const Context& ctx, Value* x, const char* kernel_name) {
  Builder& b = ctx.b;
  const int64_t length = ctx.config.at("frame_length").as_int();
  const int64_t step = ctx.config.get("frame_step", length / 2);
  Value* kernel = conv_kernel(b, ctx.weight(kernel_name));
  Value* lead = b.op("Shape", {x}, {{"end", 2}});
  Value* flat = b.Reshape(x, b.Concat({b.ints({-1, 1}), b.dim(x, 2)}, 0));
  const Window window{{step}, {1}, ctx.config.get("padding", "valid")};
  Value* y = b.op("Conv", {flat, kernel}, conv_attrs(window, *kernel, 1));
  return b.Reshape(y, b.Concat({lead, b.op("Shape", {y}, {{"start", 1}})}, 0));
}

Value* adjusted(const Context& ctx, Value* y) {
  Builder& b = ctx.b;
  const bool expanded = ctx.config.get("expand_dims", false);
  if (expanded)
    return b.Transpose(y, ctx.channels_first() ? std::vector<int64_t>{0, 1, 3, 2} : std::vector<int64_t>{0, 3, 2, 1});
  Value* shape = b.Concat({b.dim(y, 0), b.Mul(b.dim(y, 1), b.dim(y, 2)), b.dim(y, 3)}, 0);
  y = b.Reshape(y, shape);
  return ctx.channels_first() ? y : b.Transpose(y, {0, 2, 1});
}

// The angle of a complex number; as arctan2 in the operators.
Value* angle(Builder& b, Value* imaginary, Value* real) {
  Value* zero = b.number_like(0, real);
  Value* turn =
      b.Where(b.Less(imaginary, zero), b.number_like(-std::numbers::pi, real), b.number_like(std::numbers::pi, real));
  Value* vertical = b.Equal(real, zero);
  Value* slope = b.Atan(b.Div(imaginary, b.Where(vertical, b.number_like(1, real), real)));
  Value* turned = b.Where(b.Less(real, zero), b.Add(slope, turn), slope);
  return b.Where(vertical, b.Mul(b.Sign(imaginary), std::numbers::pi / 2), turned);
}

// STFTSpectrogram(mode="log", frame_length=256, frame_step=None, fft_length=None, padding="valid", expand_dims=False)
ir::Values stft_spectrogram(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = ctx.x();
  if (!ctx.channels_first()) x = b.Transpose(x, {0, 2, 1});
  const std::string mode = ctx.config.get("mode", "log");
  Value* real = mode != "imag" ? convolved(ctx, x, "real_kernel") : nullptr;
  Value* imaginary = mode != "real" ? convolved(ctx, x, "imag_kernel") : nullptr;
  if (mode == "real") return {adjusted(ctx, real)};
  if (mode == "imag") return {adjusted(ctx, imaginary)};
  if (mode == "angle") return {adjusted(ctx, angle(b, imaginary, real))};
  if (mode == "stft") return {adjusted(ctx, b.Concat({real, imaginary}, 2))};
  Value* power = b.Add(b.Mul(real, real), b.Mul(imaginary, imaginary));
  if (mode == "psd") {
    // Every frequency but the first and the last stands for two.
    Value* middle = b.Pad(b.Slice(power, 1, -1, 2), {0, 0, 1, 0, 0, 0, 1, 0});
    return {adjusted(ctx, b.Add(power, middle))};
  }
  Value* magnitude = adjusted(ctx, b.Sqrt(b.Max(power, 1e-7)));
  if (mode == "magnitude") return {magnitude};
  ctx.require(mode == "log", "mode \"" + mode + "\" is unknown");
  return {b.Log(b.Max(magnitude, 1e-7))};
}

std::vector<Variable> stft_variables(const Layer& layer) {
  const std::string mode = layer.config.get("mode", "log");
  std::vector<Variable> variables;
  if (mode != "imag") variables.push_back({"real_kernel"});
  if (mode != "real") variables.push_back({"imag_kernel"});
  return variables;
}

// --- MelSpectrogram ---

double mel(double hertz) { return 1127.0 * std::log(1 + hertz / 700.0); }

// [bins, mels]: triangles on the mel scale, after HTK.
ir::Tensor mel_matrix(const Json& c, int64_t bins) {
  const int64_t mels = c.get("num_mel_bins", 128);
  const double rate = c.get("sampling_rate", 16000.0);
  const double low = mel(c.get("min_freq", 20.0));
  const double high = mel(c.get("max_freq", std::floor(rate / 2)));
  std::vector<float> weights(static_cast<size_t>(bins * mels), 0.0F);
  const double width = (high - low) / static_cast<double>(mels + 1);
  for (int64_t i = 1; i < bins; ++i) {
    const double at = mel(rate / 2 * static_cast<double>(i) / static_cast<double>(bins - 1));
    for (int64_t m = 0; m < mels; ++m) {
      const double lower = low + width * static_cast<double>(m);
      const double rising = (at - lower) / width;
      const double falling = (lower + 2 * width - at) / width;
      weights[static_cast<size_t>(i * mels + m)] = static_cast<float>(std::max(0.0, std::min(rising, falling)));
    }
  }
  return ir::Tensor::of<float>({bins, mels}, weights);
}

Value* decibels(const Context& ctx, Value* power) {
  Builder& b = ctx.b;
  const Json& c = ctx.config;
  const double least = c.get("min_power", 1e-10);
  const double scale = 10 / std::numbers::ln10;
  Value* level = b.Mul(b.Log(b.Max(power, least)), scale);
  level = b.Sub(level, 10 * std::log10(std::max(std::abs(c.get("ref_power", 1.0)), least)));
  return b.Max(level, b.Sub(b.ReduceMax(level, {}, false), c.get("top_db", 80.0)));
}

// MelSpectrogram(fft_length=2048, sequence_stride=512, sequence_length=None, window="hann", sampling_rate=16000, …)
ir::Values mel_spectrogram(Context& ctx) {
  Builder& b = ctx.b;
  const Json& c = ctx.config;
  const int64_t fft = c.get("fft_length", 2048);
  const int64_t length = c.get("sequence_length", fft);
  ctx.require(c.get("num_mel_bins", 128) > 0 && c.get("num_mel_bins", 128) <= 4096, "num_mel_bins is out of range");
  ctx.require(fft > 1 && length > 0 && length <= fft && fft <= (1 << 20), "the lengths do not fit together");
  Value* x = b.Cast(ctx.x(), DType::kFloat);
  const size_t rank = x->rank();
  ctx.require(rank > 0, "needs a signal");
  Value* lead = b.op("Shape", {x}, {{"end", -1}});
  Value* signal = b.Reshape(x, b.Concat({b.ints({-1}), b.dim(x, -1)}, 0));
  signal = b.Pad(signal, {0, fft / 2, 0, fft / 2}, 0, "reflect");
  Value* window = b.constant(ir::Tensor::from_doubles(DType::kFloat, {fft}, signal_window(c["window"], length, fft)));
  Value* spectrum = b.op("STFT", {b.Unsqueeze(signal, {2}), b.i64(c.get("sequence_stride", 512)), window, b.i64(fft)},
                         {{"onesided", 1}});
  Value* power = b.ReduceSumSquare(spectrum, {-1}, false);
  const double exponent = c.get("mag_exp", 2.0);
  if (exponent != 2) power = b.Pow(power, exponent / 2);
  Value* mels = b.MatMul(power, b.constant(mel_matrix(c, fft / 2 + 1)));
  if (c.get("power_to_db", true)) mels = decibels(ctx, mels);
  mels = b.Transpose(mels, {0, 2, 1});
  if (rank != 2) mels = b.Reshape(mels, b.Concat({lead, b.op("Shape", {mels}, {{"start", 1}})}, 0));
  return {b.Cast(mels, ctx.compute_dtype())};
}

}  // namespace

void register_spectrogram(OpTable& table) {
  table.add("STFTSpectrogram", {stft_spectrogram, stft_variables});
  table.add("MelSpectrogram", {mel_spectrogram});
}

}  // namespace onward::importer::keras
