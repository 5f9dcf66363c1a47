#include "quantize/histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace onward::quantize {
namespace {

constexpr size_t kBins = 4096;
constexpr int kLevels = 256;

Range with_zero(double low, double high) {
  return {static_cast<float>(std::min(low, 0.0)), static_cast<float>(std::max(high, 0.0))};
}

}  // namespace

Histogram::Histogram(bool shape) : bins_(shape ? kBins : 0) {}

double Histogram::bin_width() const { return 2 * limit_ / kBins; }
double Histogram::bin_center(size_t bin) const { return -limit_ + (static_cast<double>(bin) + 0.5) * bin_width(); }

// Two bins become one, toward the middle.
void Histogram::widen(float magnitude) {
  if (limit_ == 0) {
    limit_ = std::exp2(std::ceil(std::log2(std::max(magnitude, std::numeric_limits<float>::min()))));
    // Everything so far was 0.
    bins_[kBins / 2] = count_;
  }
  while (magnitude > limit_) {
    std::vector<uint64_t> wider(kBins);
    for (size_t i = 0; i < kBins; ++i) wider[kBins / 4 + i / 2] += bins_[i];
    bins_ = std::move(wider);
    limit_ *= 2;
  }
}

namespace {

struct Ends {
  float low = 0;
  float high = 0;
  bool finite = true;
};

// Several lanes, which don't wait for one another.
Ends ends_of(std::span<const float> values) {
  constexpr size_t kLanes = 8;
  std::array<float, kLanes> low;
  std::array<float, kLanes> high;
  std::array<float, kLanes> nothing{};  // 0 times a number is 0, times anything else NaN
  low.fill(values.front());
  high.fill(values.front());
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float value = values[i + lane];
      low[lane] = value < low[lane] ? value : low[lane];
      high[lane] = value > high[lane] ? value : high[lane];
      nothing[lane] += value * 0;
    }
  }
  for (; i < values.size(); ++i) {
    low[0] = std::min(low[0], values[i]);
    high[0] = std::max(high[0], values[i]);
    nothing[0] += values[i] * 0;
  }
  const auto zero = [](float one) { return one == 0; };
  return {*std::min_element(low.begin(), low.end()), *std::max_element(high.begin(), high.end()),
          std::all_of(nothing.begin(), nothing.end(), zero)};
}

}  // namespace

bool Histogram::add(std::span<const float> values) {
  if (values.empty()) return true;
  const Ends ends = ends_of(values);
  if (!ends.finite) return false;
  min_ = count_ == 0 ? ends.low : std::min(min_, ends.low);
  max_ = count_ == 0 ? ends.high : std::max(max_, ends.high);
  if (!bins_.empty()) count(values, std::max(std::abs(ends.low), std::abs(ends.high)));
  count_ += values.size();
  return true;
}

void Histogram::count(std::span<const float> values, float magnitude) {
  if (magnitude > limit_) widen(magnitude);
  if (limit_ == 0) return;
  const auto inverse = static_cast<float>(1 / bin_width());
  constexpr auto kMiddle = static_cast<float>(kBins / 2);
  constexpr auto kLast = static_cast<float>(kBins - 1);
  // Neighbours are often equal (zeros): each of two counts on its own, so that they needn't wait for one another.
  std::vector<std::array<uint32_t, 2>> pairs(kBins);
  for (size_t i = 0; i < values.size(); ++i) {
    const float bin = std::min(std::max(values[i] * inverse + kMiddle, 0.0F), kLast);
    ++pairs[static_cast<size_t>(static_cast<int32_t>(bin))][i % 2];
  }
  for (size_t i = 0; i < kBins; ++i) bins_[i] += uint64_t{pairs[i][0]} + pairs[i][1];
}

// Tries parts of the range that was seen.
class RangeSearch {
 public:
  explicit RangeSearch(const Histogram& histogram) : h_(histogram) {}

  Range percentile(double percent) const {
    const double cut = static_cast<double>(h_.count_) * (1 - percent / 100) / 2;
    return with_zero(std::max<double>(h_.min_, edge(cut, false)), std::min<double>(h_.max_, edge(cut, true)));
  }

  template <class Cost>
  Range best(const Cost& cost) const {
    Range best = with_zero(h_.min_, h_.max_);
    double least = std::numeric_limits<double>::infinity();
    for (int step = 0; step < kSteps; ++step) {
      const double part = 1 - static_cast<double>(step) / (kSteps + 8);
      const Range range = with_zero(h_.min_ * part, h_.max_ * part);
      const double now = cost(range);
      if (now < least) {
        least = now;
        best = range;
      }
    }
    return best;
  }

  // The expected squared error: rounding inside the range, clipping outside.
  double squared_error(const Range& range) const {
    const double step = (static_cast<double>(range.high) - static_cast<double>(range.low)) / (kLevels - 1);
    double error = 0;
    for (size_t i = 0; i < kBins; ++i) {
      if (h_.bins_[i] == 0) continue;
      const double at = h_.bin_center(i);
      const double outside = std::max({range.low - at, at - range.high, 0.0});
      // A tensor's zeros are exact.
      const double inside = i == kBins / 2 ? 0 : step * step / 12;
      error += static_cast<double>(h_.bins_[i]) * (outside > 0 ? outside * outside : inside);
    }
    return error;
  }

  // The Kullback-Leibler divergence of what 256 levels keep of the distribution from the distribution.
  double divergence(const Range& range) const {
    const size_t first = bin_of(range.low);
    const size_t last = bin_of(range.high);
    std::vector<double> kept(h_.bins_.begin() + static_cast<std::ptrdiff_t>(first),
                             h_.bins_.begin() + static_cast<std::ptrdiff_t>(last) + 1);
    const std::vector<double> levels = leveled(kept);
    for (size_t i = 0; i < first; ++i) kept.front() += static_cast<double>(h_.bins_[i]);
    for (size_t i = last + 1; i < kBins; ++i) kept.back() += static_cast<double>(h_.bins_[i]);
    double inside = 0;
    for (const double level : levels) inside += level;
    const auto total = static_cast<double>(h_.count_);
    double sum = 0;
    for (size_t i = 0; i < kept.size(); ++i) {
      if (kept[i] == 0) continue;
      const double q = std::max(levels[i] / std::max(inside, 1.0), 1e-12);
      sum += kept[i] / total * std::log(kept[i] / total / q);
    }
    return sum;
  }

 private:
  static constexpr int kSteps = 48;

  size_t bin_of(float value) const {
    const double bin = (static_cast<double>(value) + h_.limit_) / h_.bin_width();
    return static_cast<size_t>(std::clamp(bin, 0.0, static_cast<double>(kBins - 1)));
  }

  // The value beyond which `cut` values lie at one end.
  double edge(double cut, bool upper) const {
    double passed = 0;
    for (size_t i = 0; i < kBins; ++i) {
      const size_t bin = upper ? kBins - 1 - i : i;
      passed += static_cast<double>(h_.bins_[bin]);
      if (passed > cut) return h_.bin_center(bin) + (upper ? 0.5 : -0.5) * h_.bin_width();
    }
    return 0;
  }

  // Each run of bins that falls into one level shares its count evenly among those that have any.
  static std::vector<double> leveled(const std::vector<double>& bins) {
    std::vector<double> result(bins.size());
    for (int level = 0; level < kLevels; ++level) {
      const size_t from = bins.size() * static_cast<size_t>(level) / kLevels;
      const size_t to = bins.size() * (static_cast<size_t>(level) + 1) / kLevels;
      double sum = 0;
      size_t used = 0;
      for (size_t i = from; i < to; ++i) {
        sum += bins[i];
        used += bins[i] > 0 ? 1 : 0;
      }
      for (size_t i = from; i < to; ++i) result[i] = bins[i] > 0 ? sum / static_cast<double>(used) : 0;
    }
    return result;
  }

  const Histogram& h_;
};

Range Histogram::range(Method method, double percentile) const {
  if (bins_.empty() || limit_ == 0 || method == Method::kMinMax) return with_zero(min_, max_);
  const RangeSearch search(*this);
  switch (method) {
    case Method::kPercentile:
      return search.percentile(percentile);
    case Method::kEntropy:
      return search.best([&](const Range& range) { return search.divergence(range); });
    default:
      return search.best([&](const Range& range) { return search.squared_error(range); });
  }
}

void ChannelMoments::add(std::span<const float> values, size_t channels, size_t inner) {
  if (channels == 0 || values.empty()) return;
  sums_.resize(channels);
  squares_.resize(channels);
  for (size_t i = 0, channel = 0; i < values.size(); i += inner, channel = channel + 1 == channels ? 0 : channel + 1) {
    double sum = 0;
    double square = 0;
    for (size_t j = i; j < std::min(i + inner, values.size()); ++j) {
      const auto value = static_cast<double>(values[j]);
      sum += value;
      square += value * value;
    }
    sums_[channel] += sum;
    squares_[channel] += square;
  }
  count_ += static_cast<double>(values.size()) / static_cast<double>(channels);
}

namespace {

std::vector<double> divided(std::vector<double> sums, double count) {
  for (double& sum : sums) sum /= std::max(count, 1.0);
  return sums;
}

}  // namespace

std::vector<double> ChannelMoments::means() const { return divided(sums_, count_); }
std::vector<double> ChannelMoments::squares() const { return divided(squares_, count_); }

}  // namespace onward::quantize
