#include "quantize/bias_correction.h"

namespace onward::quantize {

void correct_bias(const Layer& layer, const QuantizedWeight& weight, const std::vector<double>& input_means,
                  std::vector<float>& bias) {
  const ir::Tensor& original = layer.weight();
  const std::vector<float> exact = original.floats();
  const std::vector<float> rounded = weight.floats(layer.channel_axis);
  const size_t outputs = weight.scales.size();
  const bool conv = layer.node->is("Conv");
  const auto groups = static_cast<size_t>(conv ? layer.node->attrs.get("group", int64_t{1}) : 1);
  // The axis of the weight that is summed over, for Gemm the one that is no channel.
  const ChannelLayout summed(original.dims(), conv ? 1 : 1 - layer.channel_axis);
  const ChannelLayout channels(original.dims(), layer.channel_axis);
  if (summed.channels * groups != input_means.size() || outputs % groups != 0) return;
  std::vector<double> shift(outputs);
  for (size_t i = 0; i < exact.size(); ++i) {
    const size_t output = channels.channel_of(i);
    const size_t input = output / (outputs / groups) * summed.channels + summed.channel_of(i);
    shift[output] += static_cast<double>(rounded[i] - exact[i]) * input_means[input];
  }
  bias.resize(outputs);
  for (size_t i = 0; i < outputs; ++i) bias[i] -= static_cast<float>(shift[i]);
}

}  // namespace onward::quantize
