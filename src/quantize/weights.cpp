#include "quantize/weights.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/release_pages.h"

namespace onward::quantize {
namespace {

// Parts of the full range that are tried: clipping a few outliers may make all others more exact.
constexpr std::array kShrinks = {1.0F, 0.97F, 0.94F, 0.91F, 0.88F, 0.84F, 0.8F};

float full_scale(std::span<const float> values, const IntegerRange& range) {
  float scale = 0;
  for (const float value : values) {
    const int limit = value < 0 ? range.zero - range.low : range.high - range.zero;
    scale = std::max(scale, std::abs(value) / static_cast<float>(limit));
  }
  return scale;
}

// To the nearest, ties to even, of small numbers: a float of this size has no fraction.
float rounded(float small) {
  constexpr float kNoFraction = 0x1.8p23F;
  return (small + kNoFraction) - kNoFraction;
}

int to_integer(float value, float inverse, const IntegerRange& range) {
  const float inside = std::min(std::max(value * inverse, static_cast<float>(range.low - range.zero)),
                                static_cast<float>(range.high - range.zero));
  return static_cast<int>(rounded(inside)) + range.zero;
}

double squared_error(std::span<const float> values, float scale, const IntegerRange& range) {
  constexpr size_t kLanes = 4;
  const float inverse = 1 / scale;
  const auto low = static_cast<float>(range.low - range.zero);
  const auto high = static_cast<float>(range.high - range.zero);
  const auto error_of = [&](float value) {
    const float off = value - scale * rounded(std::min(std::max(value * inverse, low), high));
    return static_cast<double>(off) * static_cast<double>(off);
  };
  std::array<double, kLanes> errors{};
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) errors[lane] += error_of(values[i + lane]);
  }
  for (; i < values.size(); ++i) errors[0] += error_of(values[i]);
  return errors[0] + errors[1] + errors[2] + errors[3];
}

float best_scale(std::span<const float> values, const IntegerRange& range, float least) {
  const float full = full_scale(values, range);
  if (full < least || full == 0 || !std::isnormal(1 / full)) return full == 0 && least == 0 ? 1 : std::max(full, least);
  float best = full;
  double best_error = squared_error(values, full, range);
  for (const float shrink : kShrinks) {
    const float scale = full * shrink;
    if (scale < least) break;
    if (const double error = squared_error(values, scale, range); error < best_error) {
      best = scale;
      best_error = error;
    }
  }
  return best;
}

}  // namespace

IntegerRange integer_range(WeightType type) {
  switch (type) {
    case WeightType::kInt7:
      return {-64, 63, 0, ir::DType::kInt8};
    case WeightType::kInt8:
      return {-127, 127, 0, ir::DType::kInt8};
    case WeightType::kUInt8:
      return {1, 255, 128, ir::DType::kUInt8};
  }
  return {};
}

ChannelLayout::ChannelLayout(const ir::Dims& dims, size_t axis) : channels(static_cast<size_t>(dims[axis])), inner(1) {
  for (size_t i = axis + 1; i < dims.size(); ++i) inner *= static_cast<size_t>(dims[i]);
}

std::vector<float> QuantizedWeight::floats(size_t channel_axis) const {
  const ChannelLayout layout(values.dims(), channel_axis);
  std::vector<float> result = values.floats();
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = (result[i] - static_cast<float>(zero)) * scales[layout.channel_of(i)];
  }
  return result;
}

QuantizedWeight quantize_weight(const ir::Tensor& weight, size_t channel_axis, const IntegerRange& range,
                                std::span<const float> least_scales) {
  const ChannelLayout layout(weight.dims(), channel_axis);
  const std::vector<float> values = weight.floats();
  release_pages(weight.bytes().view());
  std::vector<std::vector<float>> channels(layout.channels);
  for (std::vector<float>& channel : channels) channel.reserve(values.size() / layout.channels);
  layout.for_each_run(values.size(), [&](size_t channel, size_t begin, size_t end) {
    channels[channel].insert(channels[channel].end(), values.begin() + static_cast<ptrdiff_t>(begin),
                             values.begin() + static_cast<ptrdiff_t>(end));
  });
  QuantizedWeight result;
  result.zero = range.zero;
  for (size_t i = 0; i < channels.size(); ++i) {
    result.scales.push_back(best_scale(channels[i], range, least_scales.empty() ? 0 : least_scales[i]));
  }
  std::vector<std::byte> bytes(values.size());
  layout.for_each_run(values.size(), [&](size_t channel, size_t begin, size_t end) {
    const float inverse = 1 / result.scales[channel];
    for (size_t i = begin; i < end; ++i)
      bytes[i] = static_cast<std::byte>(to_integer(values[i], inverse, range) & 0xff);
  });
  result.values = ir::Tensor(range.dtype, weight.dims(), Bytes::from_vector(std::move(bytes)));
  return result;
}

ir::Tensor as_columns(const ir::Tensor& values, size_t channel_axis) {
  if (channel_axis != 0) return values;
  const auto rows = static_cast<size_t>(values.dims()[0]);
  const auto width = static_cast<size_t>(values.dims()[1]);
  std::vector<std::byte> moved(values.count());
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < width; ++j) moved[j * rows + i] = values.bytes().view()[i * width + j];
  }
  return ir::Tensor(values.dtype(), {values.dims()[1], values.dims()[0]}, Bytes::from_vector(std::move(moved)));
}

}  // namespace onward::quantize
