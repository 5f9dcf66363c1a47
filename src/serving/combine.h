// One answer from several models' outputs for the same input.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "ir/tensor.h"

namespace onward::serving {

enum class Combine {
  kMean,  // the average of each element
  kVote,  // the class that most models give the highest score
};

// "mean" and "vote".
std::optional<Combine> combine_of(std::string_view name);

// The outputs must have one shape, layouts aside: each is brought into the first one's (an NHWC mask and an NCHW mask
// go together). The mean is of the first one's dtype where that is floating, else float32. A vote goes along the last
// dimension, of images along the channels, and gives class indices (int64) without it; where it is 1 a value of at
// least 0.5 is class 1, and the shape stays. A tie goes to the class with the higher sum of scores. Throws
// Error(kInvalidArgument) for shapes that do not go together, and text.
ir::Tensor combine(std::span<const ir::Tensor> outputs, Combine how);

}  // namespace onward::serving
