// Weights as small integers: one scale per channel, symmetric, rounded so that the squared error is least.
#pragma once

#include <span>
#include <vector>

#include "ir/tensor.h"

namespace onward::quantize {

// How integer kernels get their weights. ONNX Runtime multiplies 8-bit pairs in 16-bit lanes on x86 CPUs without VNNI,
// where full int8 weights overflow; 7 bits fit on every CPU, and so does uint8, whose kernels are slower.
enum class WeightType { kInt7, kInt8, kUInt8 };

struct IntegerRange {
  int low;
  int high;
  int zero;  // the integer that stands for 0
  ir::DType dtype;
};
IntegerRange integer_range(WeightType type);

struct QuantizedWeight {
  ir::Tensor values;
  std::vector<float> scales;  // one per index of the channel axis
  int zero = 0;

  // What the integers stand for.
  std::vector<float> floats(size_t channel_axis) const;
};

// `least_scales` (empty or one per channel) keeps scales from getting smaller than that.
QuantizedWeight quantize_weight(const ir::Tensor& weight, size_t channel_axis, const IntegerRange& range,
                                std::span<const float> least_scales = {});

// The integers of a Gemm's or MatMul's weight with one column for each result channel.
ir::Tensor as_columns(const ir::Tensor& values, size_t channel_axis);

// How row-major elements belong to channels: element i is of channel (i / inner) % channels.
struct ChannelLayout {
  size_t channels;
  size_t inner;

  ChannelLayout(const ir::Dims& dims, size_t axis);
  size_t channel_of(size_t element) const { return element / inner % channels; }
  // visit(channel, begin, end) for each run of elements of one channel, `count` in all.
  template <class Visit>
  void for_each_run(size_t count, const Visit& visit) const {
    for (size_t begin = 0, channel = 0; begin < count;
         begin += inner, channel = channel + 1 == channels ? 0 : channel + 1)
      visit(channel, begin, begin + inner);
  }
};

}  // namespace onward::quantize
