// A folder of calibration samples.
#pragma once

#include <string>

#include "quantize/host.h"
#include "serving/images.h"

namespace onward::tasks {

// The .npz, .npy, .png, .jpg and .json files of `folder` by name, one sample each: an .npz holds the arrays of all
// inputs by name (and recorded answers or labels by the outputs' names); any other file is for a model with one input.
// At most `limit` (0: all), evenly spread. Files are read when a sample is asked for, and refused with the file's name
// when they don't fit or hold NaN. Throws Error(kInvalidArgument) when there are none.
quantize::Samples folder_samples(const std::string& folder, size_t limit, const runtime::Session& session,
                                 serving::PixelRange pixels);

// `count` random ones.
quantize::Samples random_samples(size_t count, const runtime::Session& session);

}  // namespace onward::tasks
