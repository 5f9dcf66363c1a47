// What is known of the values of one tensor after any number of samples, in constant memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace onward::quantize {

struct Range {
  float low = 0;
  float high = 0;
};

enum class Method { kMinMax, kPercentile, kEntropy, kMse };

// Bins of equal width over [-limit, limit]; the limit is a power of two that doubles when a value lies outside, so the
// result does not depend on the order of the samples.
class Histogram {
 public:
  // Without `shape` only the ends are kept, and every method gives the range between them.
  explicit Histogram(bool shape = true);

  // Whether all values were finite; if not, nothing is added.
  [[nodiscard]] bool add(std::span<const float> values);

  uint64_t count() const { return count_; }
  float min() const { return min_; }
  float max() const { return max_; }
  // The interval to map to 8 bits; holds 0. `percentile` (of 100) is what kPercentile keeps.
  Range range(Method method, double percentile = 99.99) const;

 private:
  friend class RangeSearch;
  void count(std::span<const float> values, float magnitude);
  void widen(float magnitude);
  double bin_width() const;
  double bin_center(size_t bin) const;

  std::vector<uint64_t> bins_;
  double limit_ = 0;  // 0: no value but 0 was seen yet
  uint64_t count_ = 0;
  float min_ = 0;
  float max_ = 0;
};

// The means of values and of their squares, for each channel.
class ChannelMoments {
 public:
  // Element i is of channel (i / inner) % channels; the number of channels must stay the same.
  void add(std::span<const float> values, size_t channels, size_t inner);

  bool empty() const { return sums_.empty(); }
  std::vector<double> means() const;
  std::vector<double> squares() const;

 private:
  std::vector<double> sums_;
  std::vector<double> squares_;
  double count_ = 0;
};

}  // namespace onward::quantize
