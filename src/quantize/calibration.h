// Runs the float model over samples and watches its values.
#pragma once

#include <map>
#include <set>
#include <string>

#include "quantize/histogram.h"
#include "quantize/host.h"

namespace onward::quantize {

struct Statistics {
  Histogram values;
  ChannelMoments channels;  // along the axis that was asked for
};

// Names of values with the axis whose channels are watched (negative counts from the end; nothing: none).
using Watched = std::map<std::string, std::optional<int64_t>>;

// `model` must have been opened once (its values have names); it is not changed. Memory does not grow with the number
// of samples. Without `shapes` only the ends of each distribution are kept. Throws Error(kInvalidArgument) when there
// is no sample, or one holds NaN or infinity, naming it.
std::map<std::string, Statistics> calibrate(const ir::Model& model, const Watched& watched, const Samples& samples,
                                            const Host& host, bool shapes = true);

// Throws Error(kInvalidArgument) naming the sample and the input when a floating-point input has NaN or infinity.
void check_finite(const std::vector<ir::Tensor>& inputs, const std::vector<runtime::ValueInfo>& infos,
                  const std::string& sample);

}  // namespace onward::quantize
